//! `duplexctl device`.

use std::path::Path;

use serde_json::json;

use super::args::Device;
use super::hub::failed;
use super::{Failure, hub_dir_here, print};
use crate::hub::{self, Beacon};
use crate::model::DeviceId;

/// Where a hub listens unless it is told otherwise.
const USUAL: &str = "http://127.0.0.1:7870";

pub(super) fn run(command: Device) -> Result<(), Failure> {
    match command {
        Device::Add { id, name, data_dir } => {
            add(&hub_dir_here(data_dir)?, &id, name.as_deref().unwrap_or_default())
        }
        Device::Remove { id, data_dir } => {
            let removed = hub::remove_device(&hub_dir_here(data_dir)?, id.as_str()).map_err(failed)?;
            let id = print::harmless(id.as_str());
            print::line(&match removed {
                true => format!("{id} has no token any more"),
                false => format!("{id} had no token"),
            })
        }
        Device::List { json, data_dir } => list(&hub_dir_here(data_dir)?, json),
    }
}

/// The token alone on standard output; how to use it beside it, on standard error.
fn add(data_dir: &Path, id: &DeviceId, name: &str) -> Result<(), Failure> {
    let token = hub::add_device(data_dir, id.as_str(), name).map_err(failed)?;
    print::line(token.reveal())?;
    let beacon = Beacon::read(data_dir);
    let url = beacon.as_ref().map_or_else(|| USUAL.to_owned(), |beacon| http_url(&beacon.url));
    let trust = if beacon.is_some_and(|beacon| beacon.fingerprint.is_some()) { " --insecure" } else { "" };
    print::explain(&format!(
        "This token speaks for {} alone; it is not shown again. Publish with it:\n  \
         curl{trust} {url}/v1/devices/{}/readings -H 'Authorization: Bearer TOKEN' -d '{{\"temperature\": 21.5}}'",
        print::harmless(id.as_str()),
        percent(id.as_str()),
    ));
    Ok(())
}

fn list(data_dir: &Path, json: bool) -> Result<(), Failure> {
    for device in hub::devices(data_dir).map_err(failed)? {
        let (id, name) = (device.id.0, device.name);
        print::line(&match json {
            true => print::object(&json!({"device": id, "name": name})),
            false => print::harmless(format!("{id}  {name}").trim_end()),
        })?;
    }
    Ok(())
}

/// The hub's address for HTTP, from that of its socket.
fn http_url(socket: &str) -> String {
    let place = |text: &str| text.split_once('/').map_or(text, |(place, _)| place).to_owned();
    match socket.split_once("://") {
        Some(("wss", rest)) => format!("https://{}", place(rest)),
        Some((_, rest)) => format!("http://{}", place(rest)),
        None => USUAL.to_owned(),
    }
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
        assert_eq!(http_url("ws://127.0.0.1:7870/v1/socket"), "http://127.0.0.1:7870");
        assert_eq!(http_url("wss://hub.example:7870/v1/socket"), "https://hub.example:7870");
        assert_eq!(http_url("nonsense"), USUAL);
    }

    #[test]
    fn an_id_is_written_so_that_a_path_and_a_shell_take_it() {
        assert_eq!(percent("shed-1.a_b~c"), "shed-1.a_b~c");
        assert_eq!(percent("my shed/$(x)'"), "my%20shed%2F%24%28x%29%27");
        assert_eq!(percent("창고"), "%EC%B0%BD%EA%B3%A0");
    }
}
