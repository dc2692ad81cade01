//! Detects a wrong scheme: `wss://` for a server without TLS, or the reverse. If a dial failed in a way that this
//! explains, the server is tried once more with the other scheme, without credentials.

use tokio::time::{Duration, timeout};

use super::{Endpoint, UrlParts, connect, tls, upgrade};
use crate::model::link_state::Why;

/// Deadline of the second attempt; a reachable server has just answered the first one.
const MAX_QUESTION: Duration = Duration::from_secs(2);

/// Returns the same failure, or [`Why::WrongScheme`] if the server answers with the other scheme.
pub(super) async fn explain(why: Why, place: &UrlParts, target: &Endpoint) -> Why {
    let is_suspicious = match (&why, place.secure) {
        (Why::Lost { .. } | Why::TlsFailed { .. }, true) => true,
        // TLS servers answer plain text with an alert, by closing, or with HTTP.
        (Why::Lost { .. } | Why::NotWebSocket { .. } | Why::Http { status: 400, .. }, false) => true,
        _ => false,
    };
    if !is_suspicious {
        return why;
    }
    let answer = async {
        match place.secure {
            true => speaks_plain(place, target).await,
            false => speaks_tls(place, target).await,
        }
    };
    match timeout(MAX_QUESTION, answer).await {
        Ok(true) => Why::WrongScheme { is_tls: !place.secure },
        _ => why,
    }
}

/// Whether the server understands an unencrypted upgrade. Status 400 does not count: many TLS servers answer with it.
async fn speaks_plain(place: &UrlParts, target: &Endpoint) -> bool {
    let Ok(mut opened) = connect::open(place, target).await else { return false };
    let mut bare = target.clone();
    bare.headers.clear();
    match upgrade::upgrade(&mut opened.stream, place, &bare).await {
        Ok(_) | Err(Why::Redirected { .. } | Why::Violation { .. } | Why::NoSubprotocol { .. }) => true,
        Err(Why::Http { status, .. }) => status != 400,
        Err(_) => false,
    }
}

/// Whether the server speaks TLS, with any certificate.
async fn speaks_tls(place: &UrlParts, target: &Endpoint) -> bool {
    let Ok(connector) = tls::connector(target).await else { return false };
    let Ok(opened) = connect::open(place, target).await else { return false };
    matches!(tls::greet(&connector, &place.host, opened.stream).await, Ok(_) | Err(Why::TlsUntrusted { .. }))
}
