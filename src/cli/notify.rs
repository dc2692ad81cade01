//! `duplexctl notify`: addresses that the hub on this computer calls for mentions.

use serde_json::json;

use super::args::{NotifyCommand, NotifyKind};
use super::hub::failed;
use super::{Exit, Failure, hub_dir_here, print};
use crate::hub::{self, Call, CallKind};
use crate::model::PrincipalId;
use crate::model::profile::Secret;
use crate::model::time::WallMs;

pub(super) fn run(command: NotifyCommand) -> Result<(), Failure> {
    match command {
        NotifyCommand::Add { who, url, kind, with_text, allow_local, data_dir } => {
            let kind = match kind {
                NotifyKind::Webhook => CallKind::Webhook,
                NotifyKind::Ntfy => CallKind::Ntfy,
                NotifyKind::Gotify => CallKind::Gotify,
            };
            hub::check_address(&url, kind, with_text)
                .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
            let call = Call {
                id: String::new(),
                who: PrincipalId(String::new()),
                kind,
                url: Secret::new(url),
                with_text,
                allow_local,
                made: WallMs(0),
            };
            let call = hub::add_call(&hub_dir_here(data_dir)?, &who, call).map_err(failed)?;
            print::line(&call.id)
        }
        NotifyCommand::Remove { id, data_dir } => {
            let found = hub::remove_call(&hub_dir_here(data_dir)?, &id).map_err(failed)?;
            let id = print::harmless(&id);
            print::line(&match found {
                true => format!("{id} is not called any more"),
                false => format!("there was no address {id}"),
            })
        }
        NotifyCommand::List { json, data_dir } => {
            let all = hub::calls(&hub_dir_here(data_dir)?).map_err(failed)?;
            all.into_iter().try_for_each(|call| {
                let (host, kind) = (call.host(), call.kind.word());
                print::line(&match json {
                    true => print::object(&json!({
                        "notify": call.id, "who": call.who, "kind": kind, "host": host,
                        "with_text": call.with_text, "allow_local": call.allow_local, "made": call.made,
                    })),
                    false => print::columns(&[(&call.id, 0), (&call.who.0, 0), (kind, 0), (&host, 0)]),
                })
            })
        }
    }
}
