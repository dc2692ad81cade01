//! How a device that has `curl` and nothing else publishes readings.

/// The command, to paste into a shell. `url` is that of the server's socket; `own_certificate`: nobody vouches for it.
pub fn command(url: &str, own_certificate: bool, device: &str, token: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("ws", url));
    let place = rest.split('/').next().unwrap_or(rest);
    let scheme = if scheme == "wss" { "https" } else { "http" };
    let trust = if own_certificate { " --insecure" } else { "" };
    format!(
        "curl{trust} {scheme}://{place}/v1/devices/{}/readings -H 'Authorization: Bearer {token}' \
         -d '{{\"temperature\": 21.5}}'",
        percent(device),
    )
}

/// Whether a device of this id can be posted for: a step in a path that is `.` or `..` is taken out of it before the
/// request is sent, however it is written (RFC 3986 §5.2.4, WHATWG URL).
pub fn is_reachable(device: &str) -> bool {
    !matches!(device, "." | "..")
}

/// A part of a path, with everything encoded that has a meaning there, or to a shell (RFC 3986 §2.3).
fn percent(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_to_post_to_is_that_of_the_socket() {
        let begins = |url: &str, with: &str| command(url, false, "shed", "7f").starts_with(with);
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
            command("wss://hub.example:7870/v1/socket", true, "a b'$(x)", "7f"),
            "curl --insecure https://hub.example:7870/v1/devices/a%20b%27%24%28x%29/readings \
             -H 'Authorization: Bearer 7f' -d '{\"temperature\": 21.5}'"
        );
    }
}
