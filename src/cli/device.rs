//! `duplexctl device`.

use serde_json::json;

use super::admin::{Admin, new_token};
use super::args::{Device, DeviceToken};
use super::{Failure, people, print};
use crate::model::rights::Manage;
use crate::model::{Address, DeviceId, PrincipalId};

/// Where a hub listens unless it is told otherwise.
const USUAL: &str = "http://127.0.0.1:7870";

pub(super) async fn run(command: Device) -> Result<(), Failure> {
    match command {
        Device::Add { id, name, at } => {
            let told = at.url.clone();
            let mut admin = Admin::open(at).await?;
            let (who, name, token) = (principal(&id), name.unwrap_or_default(), new_token()?);
            admin.change(Manage::AddDevice { who, name, token: token.clone() }).await?;
            let place = place(&admin, told.as_deref());
            admin.end().await;
            print::line(token.reveal())?;
            explain(&id, place);
            Ok(())
        }
        Device::Remove { id, at } => {
            let mut admin = Admin::open(at).await?;
            let who = principal(&id);
            let known = admin.members(true).await?.iter().any(|device| device.who.id == who);
            if known {
                admin.change(Manage::Remove { who }).await?;
            }
            admin.end().await;
            let id = print::harmless(id.as_str());
            print::line(&match known {
                true => format!("{id} has no token any more"),
                false => format!("{id} had no token"),
            })
        }
        Device::Rename { id, name, at } => {
            let mut admin = Admin::open(at).await?;
            let device = admin.find(true, id.as_str()).await?;
            admin.change(Manage::Rename { who: device.who.id, name: name.clone() }).await?;
            admin.end().await;
            print::line(&print::harmless(&format!("{id} is {} now", name.trim())))
        }
        Device::Token(DeviceToken::Rotate { id, at }) => {
            let mut admin = Admin::open(at).await?;
            let device = admin.find(true, id.as_str()).await?;
            people::rotate(admin, device).await
        }
        Device::List { json, at } => {
            let mut admin = Admin::open(at).await?;
            let devices = admin.members(true).await?;
            admin.end().await;
            devices.into_iter().try_for_each(|device| {
                let (id, name, online) = (device.who.id.0, device.who.name, device.online);
                print::line(&match json {
                    true => json!({"device": id, "name": name, "online": online}).to_string(),
                    false => print::harmless(format!("{id}  {name}").trim_end()),
                })
            })
        }
    }
}

fn principal(id: &DeviceId) -> PrincipalId {
    PrincipalId(id.to_string())
}

/// Where to post to, and whether the hub signed its certificate itself.
fn place(admin: &Admin, told: Option<&str>) -> (String, bool) {
    match (told.and_then(|url| Address::parse(url).ok()), admin.beacon()) {
        (Some(address), _) => (http_url(&address.url), address.fingerprint.is_some()),
        (None, Some(beacon)) => (http_url(&beacon.url), beacon.fingerprint.is_some()),
        (None, None) => (USUAL.to_owned(), false),
    }
}

/// The token is alone on standard output; how to use it is beside it, on standard error.
#[allow(clippy::print_stderr)]
fn explain(id: &DeviceId, (url, self_signed): (String, bool)) {
    let trust = if self_signed { " --insecure" } else { "" };
    eprintln!(
        "This token speaks for {} alone; it is not shown again. Publish with it:\n  \
         curl{trust} {url}/v1/devices/{}/readings -H 'Authorization: Bearer TOKEN' -d '{{\"temperature\": 21.5}}'",
        print::harmless(id.as_str()),
        percent(id.as_str()),
    );
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
