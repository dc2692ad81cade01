//! `duplexctl hook`: tokens with which other programs post messages into a room of the hub on this computer.

use serde_json::json;

use super::args::HookCommand;
use super::hub::failed;
use super::{Exit, Failure, hub_dir_here, print};
use crate::hub::{self, HubAddressFile};
use crate::model::name;
use crate::model::publish::{self, Trust};

/// The default address of a hub.
const USUAL: &str = "ws://127.0.0.1:7870";

pub(super) fn run(command: HookCommand) -> Result<(), Failure> {
    match command {
        HookCommand::Make { room, name, data_dir } => {
            let data_dir = hub_dir_here(data_dir)?;
            let name = name::make(&name, name::MAX_PERSON_CHARS)
                .map_err(|why| Failure::new(Exit::Failed, format!("{why}; choose another --name")))?;
            let (hook, token) = hub::make_hook(&data_dir, room.as_str(), &name).map_err(failed)?;
            print::line(token.reveal())?;
            explain(&data_dir, &hook);
            Ok(())
        }
        HookCommand::Remove { id, data_dir } => {
            let found = hub::remove_hook(&hub_dir_here(data_dir)?, &id).map_err(failed)?;
            let id = print::harmless(&id);
            print::line(&match found {
                true => format!("the token of hook {id} does not work any more"),
                false => format!("there was no hook {id}"),
            })
        }
        HookCommand::List { json, data_dir } => {
            let all = hub::hooks(&hub_dir_here(data_dir)?).map_err(failed)?;
            all.into_iter().try_for_each(|hook| {
                print::line(&match json {
                    true => print::object(
                        &json!({"hook": hook.id, "room": hook.room, "name": hook.name, "made": hook.made}),
                    ),
                    false => print::columns(&[(&hook.id, 0), (hook.room.as_str(), 0), (&hook.name, 0)]),
                })
            })
        }
    }
}

/// Only the token goes to standard output; instructions go to standard error.
fn explain(data_dir: &std::path::Path, hook: &hub::Hook) {
    let address = HubAddressFile::read(data_dir);
    let self_signed = address.as_ref().is_some_and(|address| address.fingerprint.is_some());
    let trust = if self_signed { Trust::Unchecked } else { Trust::System };
    let url = address.map_or_else(|| USUAL.to_owned(), |address| address.url);
    let place = publish::room_url(&url, &hook.room);
    let curl = publish::message_command(&url, trust, &hook.room, "TOKEN");
    let id = &hook.id;
    print::explain(&format!(
        "This token posts into that room alone; it is not shown again. Remove it with `duplexctl hook remove {id}`. Post \
         a message with it:\n  {curl}\nAlertmanager and Grafana: give them this address, and the token as Bearer \
         credentials. GitHub has none; add the token to the address:\n  {place}?token=TOKEN",
    ));
}
