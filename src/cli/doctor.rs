//! `duplexctl doctor`.

use tokio::sync::mpsc;

use super::args::Doctor;
use super::follow::profile_to_check;
use super::reason::reason_of;
use super::{Exit, Failure, print};
use crate::doctor::{ENGLISH, Said, json, text};
use crate::model::diagnosis::{Login, Report, Verdict};
use crate::model::link_state::Why;
use crate::worker::doctor::{Limits, check};

pub(super) async fn run(command: Doctor) -> Result<(), Failure> {
    let (profile, access) = profile_to_check(&command.server)?;
    // Nothing is shown before the end.
    let (progress, _) = mpsc::channel(1);
    let report = check(profile, access, progress, Limits::DEFAULT).await;
    let say = |why: &Why| Said { what: sentence(&reason_of(&command.server, why)), then: String::new() };
    if command.json {
        let said = ENGLISH.verdict(&report, &say);
        print::line(&print::object(&json(&ENGLISH, &report, &said, &say)))?;
    } else {
        print::line(text(&ENGLISH, &report, &say).trim_end())?;
    }
    match exit(&report) {
        Exit::Done => Ok(()),
        // It has been said.
        exit => Err(Failure::new(exit, "")),
    }
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut rest = clause.chars();
    let end = if clause.ends_with(['.', '!', '?']) { "" } else { "." };
    rest.next().map_or_else(String::new, |first| format!("{}{}{end}", first.to_uppercase(), rest.as_str()))
}

fn exit(report: &Report) -> Exit {
    match (&report.login, report.verdict()) {
        (Login::Refused(_), Verdict::LoginRefused(_)) => Exit::Refused,
        (_, verdict) if verdict.is_reached() => Exit::Done,
        _ => Exit::NoTransport,
    }
}
