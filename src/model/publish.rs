//! How a device publishes readings and a program posts messages: with `curl`, by a script that has nothing else, or with `duplexctl agent`.

use super::device::{DeviceId, NAME_CHARS};
use super::id::{PrincipalId, RoomId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How a server's certificate is checked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Trust<'a> {
    /// By the system's authorities; or there is none, without TLS.
    System,
    /// Not at all: nobody vouches for it, and its key is not known here.
    Unchecked,
    /// By this pin of its public key, as curl's `--pinnedpubkey` takes it.
    Pinned(&'a str),
}

/// The `curl` command, to paste into a shell. `url` is that of the server's socket.
pub fn command(url: &str, trust: Trust<'_>, device: &str, token: &str) -> String {
    let place = format!("{}/v1/devices/{}/readings", web(url), percent(device));
    format!(
        "curl{} {place} -H 'Authorization: Bearer {token}' -d '{{\"temperature\": 21.5}}'",
        curl_trust(trust)
    )
}

/// Where a program posts messages into a room. `url` is that of the server's socket.
pub fn room_url(url: &str, room: &RoomId) -> String {
    format!("{}/v1/rooms/{}/messages", web(url), percent(room.as_str()))
}

/// The `curl` command that posts a message into a room, to paste into a shell.
pub fn message_command(url: &str, trust: Trust<'_>, room: &RoomId, token: &str) -> String {
    format!(
        "curl{} {} -H 'Authorization: Bearer {token}' --data-binary 'The backup is done.'",
        curl_trust(trust),
        room_url(url, room)
    )
}

/// The server's address for HTTP.
fn web(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("ws", url));
    let place = rest.split('/').next().unwrap_or(rest);
    format!("{}://{place}", if scheme == "wss" { "https" } else { "http" })
}

fn curl_trust(trust: Trust<'_>) -> String {
    match trust {
        Trust::System => String::new(),
        Trust::Unchecked => " --insecure".to_owned(),
        // The certificate is the server's own, so that authorities say nothing of it: the key alone is checked.
        Trust::Pinned(pin) => format!(" --insecure --pinnedpubkey '{pin}'"),
    }
}

/// Whether a device of this id can be posted for: a step in a path that is `.` or `..` is taken out of it before the
/// request is sent, however it is written (RFC 3986 §5.2.4, WHATWG URL).
pub fn is_reachable(device: &str) -> bool {
    !matches!(device, "." | "..")
}

/// The command that publishes a computer's own readings, to paste into a shell there.
pub fn agent(url: &str, fingerprint: Option<&str>, token: &str) -> String {
    let pin = fingerprint.map(|hex| format!("#sha256={hex}")).unwrap_or_default();
    format!("DUPLEX_TOKEN={token} duplexctl agent --url '{url}{pin}'")
}

/// The id that a device of this name has unless the person wants another: what a path, a shell and a person take well.
/// Empty where nothing of the name is left.
pub fn id_of_name(name: &str) -> String {
    let mut id = String::new();
    for c in name.trim().chars().flat_map(char::to_lowercase).take(NAME_CHARS) {
        if c.is_alphanumeric() {
            id.push(c);
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    id.truncate(id.trim_end_matches('-').len());
    id
}

/// The id of a new device as it is asked for; none where no device can have it.
pub fn new_id(text: &str) -> Option<PrincipalId> {
    let id = DeviceId::new(text.trim()).ok()?;
    // An app's own views of its links begin like this.
    let is_own = id.as_str().starts_with('~');
    let is_readable = super::name::make(id.as_str(), NAME_CHARS).is_ok();
    (!is_own && is_readable && is_reachable(id.as_str())).then(|| PrincipalId(id.to_string()))
}

/// All that is not unreserved in an address (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A part of a path, with everything encoded that has a meaning there, or to a shell.
pub(super) fn percent(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_to_post_to_is_that_of_the_socket() {
        let begins = |url: &str, with: &str| command(url, Trust::System, "shed", "7f").starts_with(with);
        assert!(begins(
            "ws://127.0.0.1:7870/v1/socket",
            "curl http://127.0.0.1:7870/v1/devices/shed/readings "
        ));
        assert!(begins("wss://hub.example:7870/v1/socket", "curl https://hub.example:7870/v1/devices/"));
    }

    #[test]
    fn an_id_is_written_so_that_a_path_and_a_shell_take_it() {
        assert_eq!(percent("shed-1.a_b~c"), "shed-1.a_b~c");
        assert_eq!(percent("a%2Fb?c#d/.."), "a%252Fb%3Fc%23d%2F..");
        assert!(!is_reachable(".") && !is_reachable("..") && is_reachable("...") && is_reachable("a.."));
        assert_eq!(percent("my shed/$(x)'"), "my%20shed%2F%24%28x%29%27");
        assert_eq!(percent("창고"), "%EC%B0%BD%EA%B3%A0");
        assert_eq!(
            command("wss://hub.example:7870/v1/socket", Trust::Unchecked, "a b'$(x)", "7f"),
            "curl --insecure https://hub.example:7870/v1/devices/a%20b%27%24%28x%29/readings \
             -H 'Authorization: Bearer 7f' -d '{\"temperature\": 21.5}'"
        );
    }

    #[test]
    fn a_certificate_of_the_servers_own_is_known_by_its_key() {
        let line = command("wss://10.0.0.7:7870/v1/socket", Trust::Pinned("sha256//abc="), "shed", "7f");
        assert!(
            line.starts_with("curl --insecure --pinnedpubkey 'sha256//abc=' https://10.0.0.7:7870/"),
            "{line}"
        );
        assert_eq!(
            agent("wss://10.0.0.7:7870/v1/socket", Some("0f0f"), "7f"),
            "DUPLEX_TOKEN=7f duplexctl agent --url 'wss://10.0.0.7:7870/v1/socket#sha256=0f0f'"
        );
    }

    #[test]
    fn a_name_becomes_an_id() {
        for (name, id) in [
            ("Greenhouse 3", "greenhouse-3"),
            ("  Pump (north) ", "pump-north"),
            ("온실 3", "온실-3"),
            ("~~~", ""),
            ("--a--", "a"),
        ] {
            assert_eq!(id_of_name(name), id);
            assert_eq!(new_id(id).is_some(), !id.is_empty(), "{name}");
        }
        for bad in ["", " ", ".", "..", "~me", "a\u{1}b", &"x".repeat(65)] {
            assert_eq!(new_id(bad), None, "{bad}");
        }
    }
}
