//! A connection test: dial, greet, and tell how it went. Nothing is saved, no invite is used up.

use std::time::Duration;

use tokio::time::timeout;

use super::line::Access;
use crate::clock;
use crate::link::CONNECT_MS;
use crate::link::{Input, Link, Output};
use crate::model::event::TestOutcome;
use crate::model::link_state::{LinkState, Phase, Why};
use crate::model::profile::Profile;
use crate::model::{Event, Principal};
use crate::privacy;
use crate::transport::{self, Connection, Incoming, Outgoing};
use crate::wire::SavedState;

/// Tries a server. Without an `access` only the way there is tried: name, network, TLS and WebSocket.
pub async fn try_out(profile: Profile, access: Option<Access>) -> TestOutcome {
    let began = clock::now();
    let result = timeout(Duration::from_millis(CONNECT_MS), greet(&profile, access)).await;
    let took_ms = clock::now().boot_ms.saturating_sub(began.boot_ms);
    match result {
        Ok(Ok((me, server))) => TestOutcome::Passed { me, server, took_ms },
        // A server could repeat what it was told.
        Ok(Err(why)) => TestOutcome::Failed(why.with_texts(|text| privacy::mask(text).into_owned())),
        Err(_) => TestOutcome::Failed(Why::TimedOut { during: Phase::Handshake }),
    }
}

/// Who we would be, and at which server; nobody where only the way there was tried.
async fn greet(profile: &Profile, access: Option<Access>) -> Result<(Option<Principal>, String), Why> {
    let no_address = || Why::BadUrl { detail: "no address".to_owned() };
    let url = profile.urls.first().ok_or_else(no_address)?;
    let Some(access) = access else {
        let nobody = Access::Token(crate::model::profile::Secret::new(""));
        let mut target = nobody.target(profile, url)?;
        target.headers.clear();
        return transport::dial(profile.socket, target).await.map(|_| (None, String::new()));
    };
    let connection = transport::dial(profile.socket, access.target(profile, url)?).await?;
    let speaker = access.speaker(profile, false);
    let seed = clock::now().boot_ms;
    let mut link = Link::new(vec![url.clone()], speaker, SavedState::default(), None, seed);
    converse(&mut link, connection).await
}

async fn converse(link: &mut Link, mut connection: Connection) -> Result<(Option<Principal>, String), Why> {
    // The dial is done already: the link's first one is answered with it.
    let nonce = clock::random().map_err(|error| Why::Lost { detail: error.to_string() })?;
    link.handle(clock::now(), Input::Start);
    link.handle(clock::now(), Input::Opened { dial: 1, nonce });
    loop {
        while let Some(output) = link.poll() {
            match output {
                Output::Send(frame) => drop(connection.outgoing.send(Outgoing::Frame(frame)).await),
                Output::Event(Event::Welcomed { me, server, .. }, _) => {
                    connection.close(1000, "").await;
                    return Ok((Some(me), server));
                }
                Output::Event(
                    Event::Link(LinkState::Waiting { why, .. } | LinkState::Stopped { why }),
                    _,
                ) => {
                    return Err(why);
                }
                _ => {}
            }
        }
        let input = match connection.recv().await {
            Some(Incoming::Frame(frame)) => Input::Frame { dial: 1, frame },
            Some(Incoming::Closed(why)) => Input::Closed { dial: 1, why },
            None => return Err(Why::Lost { detail: String::new() }),
        };
        link.handle(clock::now(), input);
    }
}
