//! Messages over HTTP: `POST /v1/rooms/{room}/messages`, with a hook's token.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::Hook;
use super::format::{self, Incoming};
use crate::clock;
use crate::hub::asks::{self, NewEntry, Queued};
use crate::hub::http::{BUSY_S, Ends, bearer, over_limit, refusal, unauthorized, with};
use crate::hub::metrics::Refused;
use crate::hub::post::{hold, read};
use crate::hub::state::Hub;
use crate::model::message::MAX_BODY_BYTES;
use crate::model::time::WallMs;
use crate::model::{Content, Draft, MessageId, Refusal, Role};
use crate::wire::duplex::server::{AppendOutcome, HubAnswer, HubChatAnswer};

/// Within so many milliseconds, a body without an id that comes again is taken for a retry. Later it is a reminder.
const RETRY_MS: i64 = 600_000;
/// Maximum length of an id that is not a UUID, in bytes.
const MAX_ID_BYTES: usize = 256;

/// Query parameters of the request.
#[derive(Debug, Default, Deserialize)]
pub(in crate::hub) struct Parameters {
    /// For senders that cannot set headers.
    token: Option<String>,
    /// The message's id, for a body that is plain text.
    id: Option<String>,
}

/// Handles one request.
pub(in crate::hub) async fn message(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    room: Result<Path<String>, PathRejection>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Parameters { token, id } = parameters.map(|Query(parameters)| parameters).unwrap_or_default();
    let Some(token) = bearer(&headers).map(str::to_owned).or(token) else { return unauthorized(&hub, &ends) };
    let Some(hook) = find(&hub, &token).await else { return unauthorized(&hub, &ends) };
    if let Err(full) = ends.slot.know(&hook.principal()) {
        return over_limit(&hub, full);
    }
    if room.is_err() || room.is_ok_and(|Path(room)| room != hook.room.as_str()) {
        hub.metrics.refuse(Refused::Kind);
        let sentence = "This token is for another room: post to the path that `duplexctl hook make` printed.";
        return refusal(StatusCode::FORBIDDEN, sentence);
    }
    // `duplexctl hook make` refuses it; an earlier version did not.
    if hub.store.access().is_direct(&hook.room) {
        let sentence = "A direct message is between two people, and no program can post into it: make a hook for a room.";
        return refusal(StatusCode::FORBIDDEN, sentence);
    }
    hold(&ends, &headers);
    let bytes = read(&headers, body).await;
    ends.slot.hold(0);
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(refused) => return *refused,
    };
    // It may have been removed while the body was being received.
    if find(&hub, &token).await.is_none() {
        return unauthorized(&hub, &ends);
    }
    let now = clock::now();
    hub.metrics.received.add(bytes.len() as u64);
    if let Some(seconds) = hub.hook_posts.take(&hook.principal(), bytes.len(), now.boot_ms) {
        let sentence = "Too many messages from this token: wait, then send fewer.";
        return with(refusal(StatusCode::TOO_MANY_REQUESTS, sentence), header::RETRY_AFTER, seconds);
    }
    let event = headers.get("x-github-event").and_then(|event| event.to_str().ok());
    let delivery = headers.get("x-github-delivery").and_then(|id| id.to_str().ok());
    let incoming = match format::read(&bytes, event) {
        Ok(incoming) => incoming,
        Err(sentence) => return refusal(StatusCode::BAD_REQUEST, &sentence),
    };
    if incoming.body.len() > MAX_BODY_BYTES {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "A message has at most 64 KiB of text.");
    }
    let id = incoming.id.clone().or(id).or_else(|| delivery.map(str::to_owned));
    let id = match id.as_deref() {
        Some(id) if id.is_empty() || id.len() > MAX_ID_BYTES => {
            return refusal(StatusCode::BAD_REQUEST, "An id has 1 to 256 bytes; a UUID is best.");
        }
        Some(id) => Some(chosen_id(&hook, id)),
        None => id_of(&hook, &incoming, &bytes, now.wall_ms),
    };
    match id {
        Some(id) => append(&hub, &hook, id, incoming.body, now.wall_ms).await,
        None => busy("The system gives no randomness: try again later."),
    }
}

async fn find(hub: &Arc<Hub>, token: &str) -> Option<Arc<Hook>> {
    let (hub, token) = (Arc::clone(hub), token.to_owned());
    spawn_blocking(move || hub.hooks.find(&hub.manage_context.get()?.data_dir, &token)).await.ok().flatten()
}

fn busy(sentence: &str) -> Response {
    with(refusal(StatusCode::SERVICE_UNAVAILABLE, sentence), header::RETRY_AFTER, BUSY_S)
}

/// The id of a message whose sender has chosen one. What is not a UUID becomes one that is the same each time.
fn chosen_id(hook: &Hook, id: &str) -> MessageId {
    Uuid::try_parse(id).map_or_else(|_| derived(&[hook.id.as_bytes(), id.as_bytes()]), MessageId)
}

/// The id of a message whose sender has chosen none: of a report that programs send again when no answer came, by its
/// content; of other text, random.
fn id_of(hook: &Hook, incoming: &Incoming, bytes: &[u8], now: WallMs) -> Option<MessageId> {
    if incoming.is_report {
        let window = now.0.div_euclid(RETRY_MS).to_be_bytes();
        return Some(derived(&[hook.id.as_bytes(), &window, bytes]));
    }
    clock::random().ok().map(MessageId::from_random)
}

fn derived(parts: &[&[u8]]) -> MessageId {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let digest: [u8; 32] = digest.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    MessageId::from_random(id)
}

async fn append(hub: &Arc<Hub>, hook: &Hook, id: MessageId, body: String, now: WallMs) -> Response {
    let draft = Draft { id, room: hook.room.clone(), content: Content::text(body), at: now };
    let account = hub.registry.account(&hook.principal(), clock::now().boot_ms);
    let new = NewEntry { draft, sender: hook.sender(), role: Role::Member, refusal: None };
    let queued = Queued::new(&account, new, &Default::default());
    let written = asks::append(Arc::clone(hub), account, vec![queued]).await;
    match written.answers.into_iter().next() {
        Some(HubAnswer::Chat(HubChatAnswer::Appended {
            outcome: AppendOutcome::Stored { offset, .. },
            ..
        })) => {
            let json = [(header::CONTENT_TYPE, "application/json")];
            (json, json!({ "id": id, "offset": offset }).to_string()).into_response()
        }
        Some(HubAnswer::Chat(HubChatAnswer::Appended { outcome: AppendOutcome::Refused(why), .. })) => {
            refused(&why)
        }
        _ => busy("The server's disk is not writable at the moment: send it again later, with the same id."),
    }
}

/// The answer to a message that the log does not take.
fn refused(why: &Refusal) -> Response {
    if let Some(ms) = why.retry_after_ms() {
        let sentence = "The server takes no more of this token's messages for now: send it again later.";
        let response = refusal(StatusCode::TOO_MANY_REQUESTS, sentence);
        return with(response, header::RETRY_AFTER, ms.div_ceil(1_000));
    }
    match why {
        Refusal::NoSuchRoom => refusal(StatusCode::NOT_FOUND, "The room of this token is gone."),
        _ => refusal(StatusCode::FORBIDDEN, "The server does not take this message."),
    }
}
