//! A connection test: dials, performs the handshake, and reports the result. Nothing is saved, no invite is used up.

use std::time::Duration;

use tokio::time::timeout;

use super::access::Access;
use super::single::Single;
use crate::clock;
use crate::link::CONNECT_MS;
use crate::model::Event;
use crate::model::event::{LinkEvent, Reached, TestOutcome};
use crate::model::link_state::{LinkState, Phase, Why};
use crate::model::profile::{Profile, Protocol};
use crate::privacy;
use crate::wire::{Agreed, SavedState};

/// Deadline of a test: slightly longer than the handshake's, which reports a more precise reason.
const MAX_TEST: Duration = Duration::from_millis(CONNECT_MS + 2_000);

/// Tests a server. Like a connection, it tries once more if the server violated the protocol.
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
        Ok(Ok(greeted)) => Ok(greeted),
        Ok(Err(why)) => Err(why),
        Err(_) => Err(Why::TimedOut { during: Phase::Handshake }),
    };
    let took_ms = clock::now().boot_ms.since(began.boot_ms);
    let reached = |found| TestOutcome::Reached { found, took_ms };
    match (outcome, access) {
        (Ok((_, agreed)), _) if profile.protocol == Protocol::WebSocket => {
            reached(Reached::Opened { subprotocol: agreed.subprotocol, extensions: agreed.extensions })
        }
        (Ok((Event::Link(LinkEvent::InviteGood { server, until }), _)), _) => {
            reached(Reached::InviteGood { server, until })
        }
        (Ok((Event::Link(LinkEvent::Welcomed { me, server, .. }), _)), _) => {
            TestOutcome::Passed { me, server, took_ms }
        }
        // No other event ends the test.
        (Ok(_), _) => TestOutcome::Failed(Why::Lost { detail: String::new() }),
        (Err(Why::Unauthorized), Access::Nobody) => reached(Reached::NoToken),
        (Err(Why::Http { status: 401, .. }), Access::Nobody) => TestOutcome::Failed(Why::NoToken),
        // A Duplex server that does not know the request answers with an error about hello or the token.
        (
            Err(Why::Unauthorized | Why::Closed { code: Some(1000 | 4400 | 4504), .. }),
            Access::CheckInvite { .. },
        ) => reached(Reached::InviteUnknown),
        // A server could echo what it received.
        (Err(why), _) => TestOutcome::Failed(why.with_texts(|text| privacy::mask(text).into_owned())),
    }
}

/// The event with the result, and what was negotiated. Only the first address is tried.
async fn greet(profile: &Profile, access: &Access) -> Result<(Event, Agreed), Why> {
    let mut profile = Profile { urls: profile.urls.iter().take(1).cloned().collect(), ..profile.clone() };
    // Nothing is to be left on the server.
    (profile.websocket.mqtt.keeps_session, profile.websocket.mqtt.client_id) = (false, String::new());
    let mut falls_back = profile.protocol == Protocol::Mqtt;
    let mut single = Single::start(profile, access.clone(), SavedState::default(), false);
    loop {
        match single.next().await {
            event @ Event::Link(LinkEvent::Welcomed { .. } | LinkEvent::InviteGood { .. }) => {
                let agreed = single.agreed().clone();
                // The server's close frame is not waited for.
                tokio::spawn(single.end());
                return Ok((event, agreed));
            }
            // The session tries another version.
            Event::Link(LinkEvent::State(LinkState::Waiting { .. })) if falls_back => falls_back = false,
            Event::Link(LinkEvent::State(LinkState::Waiting { why, .. } | LinkState::Stopped { why })) => {
                return Err(why);
            }
            _ => {}
        }
    }
}
