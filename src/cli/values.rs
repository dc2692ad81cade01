//! Parsers for the values of flags; errors say what is expected.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::{Host, Url};

use crate::hub::IpNet;
use crate::model::{DeviceId, RoomId, name};

/// Maximum duration of a flag, in seconds.
const MAX_SECONDS: u64 = 366 * 86_400;
/// Maximum length of an id or name to look up, in characters.
const MAX_WHO_CHARS: usize = 256;

/// How long readings may be gathered, in seconds.
const WRITE_SECONDS: std::ops::RangeInclusive<u64> = 10..=600;
/// Maximum length of the name of a service, in characters.
const MAX_SERVICE_CHARS: usize = 48;

/// `90`, `90s`, `5m`, `2h`, `7d`: more than zero, at most 366 days.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a number with s, m, h or d, such as 30s".to_owned();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit_s = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    if digits.is_empty() {
        return Err(wrong());
    }
    // A number that overflows is too long as well.
    let seconds = digits.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(unit_s);
    match seconds {
        0 => Err("it must be longer than 0".to_owned()),
        1..=MAX_SECONDS => Ok(Duration::from_secs(seconds)),
        _ => Err("it must not be longer than 366d".to_owned()),
    }
}

/// How long readings are gathered.
pub(super) fn write_every(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if WRITE_SECONDS.contains(&time.as_secs()) { Ok(time) } else { Err("10s to 10m".to_owned()) }
}

/// `0.0.0.0:7870`, `[::]:7870`.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an IP address with a port, such as 0.0.0.0:7870 or [::]:7870".to_owned())
}

/// `10.0.0.0/8`, `2001:db8::/32`, or a single address.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse::<IpNet>().ok().or_else(single);
    network.ok_or_else(|| "an IP address or a network, such as 10.0.0.0/8".to_owned())
}

/// A host name as in a request: ASCII, without a port.
pub(super) fn host(text: &str) -> Result<String, String> {
    let wrong = || "a host name without scheme, port or path, such as hub.example".to_owned();
    match Host::parse(text) {
        Ok(Host::Domain(name)) if name.split('.').all(|label| !label.is_empty()) => Ok(name),
        Ok(Host::Ipv4(ip)) => Ok(ip.to_string()),
        _ => Err(wrong()),
    }
}

/// The origin of a web page as a browser sends it.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let wrong = || "the origin of a web page, such as https://chat.example".to_owned();
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let is_web =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    if is_bare && is_web { Ok(url.origin().ascii_serialization()) } else { Err(wrong()) }
}

/// An existing file.
pub(super) fn file(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    match path.metadata() {
        Ok(known) if known.is_dir() => Err("this is a directory, not a file".to_owned()),
        Ok(_) => Ok(path.to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err("there is no such file".to_owned()),
        Err(error) => Err(format!("the file can't be read: {error}")),
    }
}

/// A directory, existing or not.
pub(super) fn dir(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    match path.metadata() {
        _ if text.is_empty() => Err("the name of a directory".to_owned()),
        Ok(known) if !known.is_dir() => Err("this is a file, not a directory".to_owned()),
        _ => Ok(path.to_owned()),
    }
}

pub(super) fn room(text: &str) -> Result<RoomId, String> {
    RoomId::new(text).map_err(|error| error.to_string())
}

/// The id of a device, or the name of a property.
pub(super) fn device(text: &str) -> Result<DeviceId, String> {
    DeviceId::new(text).map_err(|error| error.to_string())
}

/// The name of a service of systemd behind its `@`, without what systemd would escape.
pub(super) fn service(text: &str) -> Result<String, String> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins_well && text.len() <= MAX_SERVICE_CHARS && text.bytes().all(is_good) {
        return Ok(text.to_owned());
    }
    Err(format!("letters a to z, digits, - _ and . after the first, at most {MAX_SERVICE_CHARS} in all"))
}

/// A new name of a person.
pub(super) fn person(text: &str) -> Result<String, String> {
    name::make(text, name::MAX_PERSON_CHARS).map_err(|bad| bad.to_string())
}

/// A new name of a device or a hub.
pub(super) fn title(text: &str) -> Result<String, String> {
    name::make(text, name::MAX_TITLE_CHARS).map_err(|bad| bad.to_string())
}

/// An id or a name to look for.
pub(super) fn who(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("an id or a name".to_owned()),
        _ if text.chars().count() > MAX_WHO_CHARS => Err(format!("at most {MAX_WHO_CHARS} characters")),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        assert_eq!(network("10.0.0.0/8").map(|network| network.to_string()), Ok("10.0.0.0/8".to_owned()));
        assert_eq!(network("::1").map(|network| network.to_string()), Ok("::1/128".to_owned()));
        assert!(network("10.0.0.0/33").is_err() && network("proxy.example").is_err() && network("").is_err());
    }

    #[test]
    fn times_have_units_and_bounds() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("366d"), Ok(Duration::from_secs(31_622_400)));
        for bad in
            ["soon", "", "s", "5x", "-1s", "1.5h", "0", "0s", "0d", "367d", "99999999999999999999", "1 d"]
        {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_hosts_and_origins_are_what_they_say() {
        assert!(listen("0.0.0.0:0").is_ok() && listen("[::]:7870").is_ok());
        for bad in ["7870", "localhost:7870", "0.0.0.0", "0.0.0.0:99999", ":7870", ""] {
            assert!(listen(bad).is_err(), "{bad}");
        }
        assert_eq!(host("Bücher.example").as_deref(), Ok("xn--bcher-kva.example"));
        for bad in ["", "hub.example:7870", "https://hub.example", "hub.example/x", "a b", "[::1]", "a..b"] {
            assert!(host(bad).is_err(), "{bad}");
        }
        assert_eq!(origin("https://Chat.example/").as_deref(), Ok("https://chat.example"));
        assert_eq!(origin("http://localhost:8080").as_deref(), Ok("http://localhost:8080"));
        for bad in [
            "",
            "chat.example",
            "https://",
            "https://chat.example/x",
            "https://me@chat.example",
            "ws://a",
            "null",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_and_directories_are_told_apart() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        std::fs::write(&path, "x").unwrap();
        let (folder, path) = (place.path().to_str().unwrap(), path.to_str().unwrap());
        let missing = place.path().join("missing");
        let missing = missing.to_str().unwrap();
        assert!(file(path).is_ok() && file(folder).is_err() && file(missing).is_err() && file("").is_err());
        assert!(dir(folder).is_ok() && dir(missing).is_ok() && dir(path).is_err() && dir("").is_err());
    }

    #[test]
    fn names_can_be_seen() {
        assert_eq!(person(" Jun  Park ").as_deref(), Ok("Jun Park"));
        for bad in ["", " ", "\u{200b}", "a\u{7}b"] {
            assert!(person(bad).is_err() && title(bad).is_err(), "{bad:?}");
        }
        assert!(person(&"x".repeat(65)).is_err() && title(&"x".repeat(128)).is_ok());
        assert!(who("").is_err() && who(" ").is_err() && who("Jun").is_ok());
    }
}
