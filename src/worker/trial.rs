//! A connection test: dial, greet, and tell how it went. Nothing is saved, no invite is used up.

use std::time::Duration;

use tokio::time::timeout;

use super::access::Access;
use crate::clock;
use crate::link::CONNECT_MS;
use crate::link::{Input, Link, Output};
use crate::model::Event;
use crate::model::event::{LinkEvent, Reached, TestOutcome};
use crate::model::link_state::{LinkState, Phase, Why};
use crate::model::profile::Profile;
use crate::privacy;
use crate::transport::{self, Connection, Incoming, Outgoing};
use crate::wire::{Agreed, Saved};

/// How long a test may take: a little longer than the greeting, which knows better what it waited for.
const MAX_TEST: Duration = Duration::from_millis(CONNECT_MS + 2_000);

/// Tries a server. As a connection does, it tries once more where the server broke the protocol.
pub async fn try_out(profile: Profile, access: Access) -> TestOutcome {
    let first = try_once(&profile, &access).await;
    match first {
        TestOutcome::Failed(why) if why.is_violation() => try_once(&profile, &access).await,
        outcome => outcome,
    }
}

async fn try_once(profile: &Profile, access: &Access) -> TestOutcome {
    let began = clock::now();
    let outcome = match timeout(MAX_TEST, greet(profile, access)).await {
        Ok(Ok(event)) => Ok(event),
        Ok(Err(why)) => Err(why),
        Err(_) => Err(Why::TimedOut { during: Phase::Handshake }),
    };
    let took_ms = clock::now().boot_ms.saturating_sub(began.boot_ms);
    let reached = |found| TestOutcome::Reached { found, took_ms };
    match (outcome, access) {
        (Ok(Event::Link(LinkEvent::InviteGood { server, until })), _) => {
            reached(Reached::InviteGood { server, until })
        }
        (Ok(Event::Link(LinkEvent::Welcomed { me, server, .. })), _) => {
            TestOutcome::Passed { me, server, took_ms }
        }
        // No other event ends the conversation.
        (Ok(_), _) => TestOutcome::Failed(Why::Lost { detail: String::new() }),
        (Err(Why::Unauthorized), Access::Nobody) => reached(Reached::NoToken),
        (Err(Why::Http { status: 401, .. }), Access::Nobody) => TestOutcome::Failed(Why::NoToken),
        // A Duplex server that does not know the question asks for a hello, or for a token.
        (
            Err(Why::Unauthorized | Why::Closed { code: Some(1000 | 4400 | 4504), .. }),
            Access::CheckInvite { .. },
        ) => reached(Reached::InviteUnknown),
        // A server could echo what it received.
        (Err(why), _) => TestOutcome::Failed(why.with_texts(|text| privacy::mask(text).into_owned())),
    }
}

/// The event that says how it went.
async fn greet(profile: &Profile, access: &Access) -> Result<Event, Why> {
    let no_address = || Why::BadUrl { detail: "no address".to_owned() };
    let url = profile.urls.first().ok_or_else(no_address)?;
    let connection = transport::dial(profile.socket, access.target(profile, url)?).await?;
    let setup = Box::new(access.setup(profile, false));
    let seed = clock::now().boot_ms;
    let mut link = Link::new(vec![url.clone()], setup, Saved::default(), None, seed);
    converse(&mut link, connection).await
}

async fn converse(link: &mut Link, mut connection: Connection) -> Result<Event, Why> {
    let agreed = Agreed {
        server: String::new(),
        subprotocol: connection.subprotocol.clone(),
        extensions: connection.extensions.join(", "),
    };
    // The dial is done already: the link's first one is answered with it.
    let entropy = clock::random().map_err(|error| Why::Lost { detail: error.to_string() })?;
    link.handle(clock::now(), Input::Start);
    link.handle(clock::now(), Input::Opened { dial: 1, entropy, agreed });
    loop {
        while let Some(output) = link.poll() {
            match output {
                Output::Send(frame) => drop(connection.outgoing.send(Outgoing::Frame(frame)).await),
                Output::Event(
                    event @ (Event::Link(LinkEvent::Welcomed { .. })
                    | Event::Link(LinkEvent::InviteGood { .. })),
                    _,
                ) => {
                    connection.close(1000, "").await;
                    return Ok(event);
                }
                Output::Event(
                    Event::Link(LinkEvent::State(
                        LinkState::Waiting { why, .. } | LinkState::Stopped { why },
                    )),
                    _,
                ) => {
                    return Err(why);
                }
                _ => {}
            }
        }
        let left = link.deadline().map_or(CONNECT_MS, |at| at.saturating_sub(clock::now().boot_ms));
        let input = match timeout(Duration::from_millis(left), connection.recv()).await {
            Ok(Some(Incoming::Frame(frame))) => Input::Frame { dial: 1, frame },
            Ok(Some(Incoming::Flushed(_) | Incoming::Pong)) => continue,
            Ok(Some(Incoming::Closed(why))) => Input::Closed { dial: 1, why },
            Ok(None) => return Err(Why::Lost { detail: String::new() }),
            Err(_) => Input::Tick,
        };
        link.handle(clock::now(), input);
    }
}
