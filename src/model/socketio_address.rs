//! Addresses of Socket.IO servers.

use super::address::{BadAddress, websocket_url};

/// Where servers answer unless they are set up otherwise.
const PATH: &str = "/socket.io/";
/// Parameters of the query that belong to a transport, and not to the address.
const OF_TRANSPORT: [&str; 5] = ["EIO", "transport", "sid", "b64", "t"];

/// Reads the address of a Socket.IO server: as that of a plain WebSocket, with the usual path unless another is named.
/// What belongs to a transport is taken out of its query.
///
/// # Errors
/// What is wrong with the text.
pub fn socketio_url(text: &str) -> Result<String, BadAddress> {
    let url = websocket_url(text)?;
    let (place, query) = match url.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (url.as_str(), None),
    };
    let host = place.find("://").map_or(0, |at| at + 3);
    let path = place[host..].find('/').map_or("", |at| &place[host + at..]);
    let root = place.strip_suffix(path).unwrap_or(place);
    let path = match path {
        "" | "/" => PATH.to_owned(),
        // Servers differ in whether they take the path without its last stroke.
        "/socket.io" => PATH.to_owned(),
        path => path.to_owned(),
    };
    let name = |part: &str| part.split('=').next().unwrap_or_default().to_owned();
    let is_kept = |part: &&str| !part.is_empty() && !OF_TRANSPORT.contains(&name(part).as_str());
    let query: Vec<&str> = query.unwrap_or_default().split('&').filter(is_kept).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    Ok(format!("{root}{path}{query}"))
}

/// The addresses at which a server may answer, given one whose path may also be the name of a namespace, as in pages that
/// call `io("https://server.example/chat")`, or a folder that the server is in. Each with the namespace that is meant.
pub fn candidates(url: &str) -> Vec<(String, Option<String>)> {
    let (place, query) = url.split_once('?').map_or((url, ""), |(place, query)| (place, query));
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    let host = place.find("://").map_or(0, |at| at + 3);
    let path = place[host..].find('/').map_or("/", |at| &place[host + at..]);
    let root = place.strip_suffix(path).unwrap_or(place);
    let folder = path.trim_end_matches('/');
    if folder.is_empty() || folder.ends_with("/socket.io") {
        return vec![(url.to_owned(), None)];
    }
    vec![
        (url.to_owned(), None),
        (format!("{root}{PATH}{query}"), Some(folder.to_owned())),
        (format!("{root}{folder}{PATH}{query}"), None),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_usual_path_and_nothing_of_a_transport() {
        for (text, url) in [
            ("localhost:3000", "ws://localhost:3000/socket.io/"),
            ("http://localhost:3000", "ws://localhost:3000/socket.io/"),
            ("https://chat.example", "wss://chat.example/socket.io/"),
            ("https://chat.example/?token=a", "wss://chat.example/socket.io/?token=a"),
            ("wss://chat.example/socket.io", "wss://chat.example/socket.io/"),
            (
                "wss://chat.example/socket.io/?EIO=4&transport=websocket&sid=x",
                "wss://chat.example/socket.io/",
            ),
            ("wss://chat.example/my/path/?a=1&EIO=3&t=Abc", "wss://chat.example/my/path/?a=1"),
            ("ws://[::1]:3000", "ws://[::1]:3000/socket.io/"),
        ] {
            assert_eq!(socketio_url(text).as_deref(), Ok(url), "{text}");
        }
        assert!(socketio_url("ftp://chat.example").is_err());
    }

    #[test]
    fn a_path_may_be_a_namespace_or_a_folder() {
        let found = candidates("wss://a.example/chat?x=1");
        let found: Vec<_> =
            found.iter().map(|(url, namespace)| (url.as_str(), namespace.as_deref())).collect();
        assert_eq!(
            found,
            [
                ("wss://a.example/chat?x=1", None),
                ("wss://a.example/socket.io/?x=1", Some("/chat")),
                ("wss://a.example/chat/socket.io/?x=1", None),
            ]
        );
        for whole in ["wss://a.example/socket.io/", "wss://a.example/app/socket.io/?x=1"] {
            assert_eq!(candidates(whole), [(whole.to_owned(), None)]);
        }
    }
}
