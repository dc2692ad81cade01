//! `duplexctl device`.

use serde_json::json;

use super::admin::{Admin, new_token};
use super::args::{Device, DeviceToken};
use super::{Failure, people, print};
use crate::model::publish::{self, Trust};
use crate::model::rights::ManageRequest;
use crate::model::{Address, DeviceId, PrincipalId};

/// The default address of a hub.
const USUAL: &str = "ws://127.0.0.1:7870";

pub(super) async fn run(command: Device) -> Result<(), Failure> {
    match command {
        Device::Add { id, name, at } => {
            let told = at.url.clone();
            let mut admin = Admin::open(at).await?;
            let (who, name, token) = (principal(&id), name.unwrap_or_default(), new_token()?);
            admin.change(ManageRequest::AddDevice { who, name, token: token.clone() }).await?;
            let place = place(&admin, told);
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
                admin.change(ManageRequest::Remove { who }).await?;
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
            admin.change(ManageRequest::Rename { who: device.who.id, name: name.clone() }).await?;
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
                    true => print::object(&json!({"device": id, "name": name, "online": online})),
                    false => print::columns(&[(&id, 0), (&name, 0)]),
                })
            })
        }
    }
}

fn principal(id: &DeviceId) -> PrincipalId {
    PrincipalId(id.to_string())
}

/// Where to post, and whether the hub has a self-signed certificate.
fn place(admin: &Admin, told: Option<Address>) -> (String, bool) {
    match (told, admin.address_file()) {
        (Some(address), _) => (address.url, address.fingerprint.is_some()),
        (None, Some(address_file)) => (address_file.url, address_file.fingerprint.is_some()),
        (None, None) => (USUAL.to_owned(), false),
    }
}

/// Only the token goes to standard output; instructions go to standard error.
fn explain(id: &DeviceId, (url, self_signed): (String, bool)) {
    let trust = if self_signed { Trust::Unchecked } else { Trust::System };
    let command = publish::command(&url, trust, id.as_str(), "TOKEN");
    print::explain(&format!(
        "This token speaks for {} alone; it is not shown again. Publish with it:\n  {command}",
        print::harmless(id.as_str()),
    ));
}
