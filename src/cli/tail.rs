//! `duplexctl tail`.

use super::args::Tail;
use super::follow::Follow;
use super::{Exit, Failure, print};
use crate::clock;
use crate::model::link_state::LinkState;
use crate::model::{Entry, EntryKind, Event};
use crate::wire::SavedState;

pub(super) async fn run(command: Tail) -> Result<(), Failure> {
    // Without --since: only what comes from now on.
    let since = Some(command.since.unwrap_or(u64::MAX));
    let mut follow = Follow::start(&command.server, SavedState { resume: None, since }, true)?;
    let mut left = command.count;
    loop {
        match follow.next().await {
            Event::Entries { entries, .. } => {
                for entry in entries.iter().filter(|entry| wanted(&command, entry)) {
                    let line =
                        if command.json { print::message_json(entry) } else { print::message_text(entry) };
                    print::line(&line)?;
                    if let Some(left) = &mut left {
                        *left -= 1;
                        if *left == 0 {
                            follow.end().await;
                            return Ok(());
                        }
                    }
                }
            }
            Event::Link(state) => link(&command, &state)?,
            _ => {}
        }
    }
}

fn wanted(command: &Tail, entry: &Entry) -> bool {
    entry.kind == EntryKind::Message && command.room.as_ref().is_none_or(|room| *room == entry.room)
}

/// Scripts are told every state; people only what keeps messages from coming, on standard error.
#[allow(clippy::print_stderr)]
fn link(command: &Tail, state: &LinkState) -> Result<(), Failure> {
    let is_news = !matches!(state, LinkState::Online { rtt_ms: Some(_), .. } | LinkState::Handshaking { .. });
    if command.json && is_news {
        print::line(&print::link_json(state, clock::now()))?;
    }
    match state {
        LinkState::Stopped { why } => Err(Failure::new(Exit::Refused, print::reason(why))),
        LinkState::Waiting { .. } if !command.json => {
            eprintln!("duplexctl: {}", print::link_text(state, clock::now()));
            Ok(())
        }
        _ => Ok(()),
    }
}
