//! Calls of a hub to addresses that an admin set for a person: of mentions, while none of that person's programs is
//! connected. They are in `calls.json` in the data directory; `duplexctl notify` changes the file, and a running hub notices.

mod address;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use http::{HeaderValue, Method, header};
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::sleep;
use url::Url;

use super::state::Hub;
use super::{HubError, hook, list_file};
use crate::clock;
use crate::model::notices::mentions;
use crate::model::profile::Secret;
use crate::model::time::WallMs;
use crate::model::{Entry, PrincipalId, RoomId};
use crate::store::HubStore;
use crate::transport::Endpoint;
use crate::transport::fetch::HttpConnection;

/// The file in the data directory.
const FILE: &str = "calls.json";
/// Maximum number of addresses of a hub.
const MAX_CALLS: usize = 1_000;
/// Maximum length of an address, in bytes.
const MAX_URL_BYTES: usize = 2_048;
/// Maximum number of calls that are under way or wait to be tried again; further ones are left out.
const MAX_PENDING: usize = 256;
/// Deadline of one attempt.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Waits between the attempts of one call.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(15), Duration::from_secs(60), Duration::from_secs(300)];
/// Longest text of a message that is sent along, in characters.
const MAX_TEXT_CHARS: usize = 500;

/// What listens at an address.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// A JSON object by POST.
    Webhook,
    /// A topic of ntfy.
    Ntfy,
    /// Gotify's `/message?token=…`.
    Gotify,
}

impl CallKind {
    /// Its word in the file and on the console.
    pub fn word(self) -> &'static str {
        match self {
            CallKind::Webhook => "webhook",
            CallKind::Ntfy => "ntfy",
            CallKind::Gotify => "gotify",
        }
    }
}

/// An address that is called when somebody is mentioned.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Its id: 16 hexadecimal digits.
    pub id: String,
    /// Who is mentioned.
    pub who: PrincipalId,
    /// What listens there.
    pub kind: CallKind,
    /// The address. It may hold a secret.
    #[serde(with = "address_text")]
    pub url: Secret,
    /// Whether the text of the message is sent along.
    pub with_text: bool,
    /// Whether it may be an address of this computer or of a local network.
    pub allow_local: bool,
    /// When it was set.
    pub made: WallMs,
}

impl Call {
    /// The host of the address: all of it that is shown.
    pub fn host(&self) -> String {
        let url = Url::parse(self.url.reveal()).ok();
        url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }
}

mod address_text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::model::profile::Secret;

    pub(super) fn serialize<S: Serializer>(url: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(url.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Content {
    calls: Vec<Call>,
}

/// The addresses of a hub, in the order in which they were set.
///
/// # Errors
/// If the file cannot be read, or makes no sense.
pub fn calls(data_dir: &Path) -> Result<Vec<Call>, HubError> {
    let content: Content = list_file::read(&data_dir.join(FILE))?;
    Ok(content.calls)
}

fn write(data_dir: &Path, calls: Vec<Call>) -> Result<(), HubError> {
    list_file::write(&data_dir.join(FILE), &Content { calls })
}

/// Why an address cannot be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCall {
    /// It is no address.
    #[error("give an address that begins with https:// or http://")]
    Address,
    /// It has a user name or password.
    #[error("the address must not contain a user name or password")]
    User,
    /// It names no topic.
    #[error("the address of an ntfy topic ends with the topic, such as https://ntfy.sh/my-topic")]
    Topic,
    /// Its text would be readable on its way.
    #[error("without https, anybody on the way can read the text: leave --with-text away")]
    OpenText,
}

/// Checks an address as a person gives it.
///
/// # Errors
/// Why it cannot be called.
pub fn check_address(text: &str, kind: CallKind, with_text: bool) -> Result<(), BadCall> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_URL_BYTES).ok_or(BadCall::Address)?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(BadCall::Address);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadCall::User);
    }
    if kind == CallKind::Ntfy && topic(&url).is_none() {
        return Err(BadCall::Topic);
    }
    if with_text && url.scheme() == "http" {
        return Err(BadCall::OpenText);
    }
    Ok(())
}

/// Sets an address for somebody, who is named by their id or a name that only one person has.
///
/// # Errors
/// If there is no such person, there are too many addresses, or the files cannot be used.
pub fn add_call(data_dir: &Path, who: &str, mut call: Call) -> Result<Call, HubError> {
    let mut all = calls(data_dir)?;
    if all.len() >= MAX_CALLS {
        return Err(HubError::TooManyCalls { most: MAX_CALLS });
    }
    let people = HubStore::people_in(data_dir).map_err(|error| HubError::log(data_dir, error))?;
    let mut named = people.iter().filter(|person| person.name == who);
    let by_name = named.next().filter(|_| named.next().is_none());
    let found = people.iter().find(|person| person.id.0 == who).or(by_name);
    call.who = found.ok_or_else(|| HubError::NoSuchPerson { who: who.to_owned() })?.id.clone();
    let random = clock::random::<8>().map_err(|error| HubError::System { detail: error.to_string() })?;
    (call.id, call.made) = (HEXLOWER.encode(&random), clock::now().wall_ms);
    all.push(call.clone());
    write(data_dir, all)?;
    Ok(call)
}

/// Removes an address. Returns whether there was one of this id.
///
/// # Errors
/// If the file cannot be used.
pub fn remove_call(data_dir: &Path, id: &str) -> Result<bool, HubError> {
    let mut all = calls(data_dir)?;
    let before = all.len();
    all.retain(|call| call.id != id);
    let found = all.len() < before;
    if found {
        write(data_dir, all)?;
    }
    Ok(found)
}

/// What is sent of a mention.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mention {
    room: RoomId,
    room_name: String,
    sender: String,
    id: String,
    at: WallMs,
    /// Only where it was chosen.
    text: Option<String>,
}

/// Calls for mentions in what is committed from now on, until the hub ends. Never holds anything up: what is too much is
/// left out.
pub(super) async fn follow(hub: Arc<Hub>, data_dir: PathBuf, mut committed: Receiver<Arc<[Entry]>>) {
    let mut known = Known::default();
    let mut pending: JoinSet<()> = JoinSet::new();
    let mut left_out = 0_u64;
    loop {
        let entries = match committed.recv().await {
            Ok(entries) => entries,
            // What was missed is in the log, and was not called for.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        while pending.try_join_next().is_some() {}
        for entry in entries.iter().filter(|entry| entry.draft.content.is_text()) {
            for (call, mention) in known.due(&hub, &data_dir, entry).await {
                if pending.len() >= MAX_PENDING {
                    left_out += 1;
                    if left_out.is_power_of_two() {
                        log::warn!("{left_out} calls for mentions were left out: too many wait");
                    }
                    continue;
                }
                pending.spawn(deliver(call, mention));
            }
        }
    }
}

/// The addresses of the hub, read again when their file has changed, and the names of their people.
#[derive(Default)]
struct Known {
    version: hook::Version,
    calls: Vec<Arc<Call>>,
}

impl Known {
    /// What is to be called because of an entry.
    async fn due(&mut self, hub: &Hub, data_dir: &Path, entry: &Entry) -> Vec<(Arc<Call>, Mention)> {
        let body = entry.draft.content.body();
        // Nearly no message mentions anybody.
        if !body.contains(crate::model::notices::SIGNS) {
            return Vec::new();
        }
        self.refresh(data_dir);
        if self.calls.is_empty() {
            return Vec::new();
        }
        let Ok(people) = hub.store.principals().await else { return Vec::new() };
        let names: HashMap<&PrincipalId, &str> =
            people.iter().map(|person| (&person.id, person.name.as_str())).collect();
        let due: Vec<Arc<Call>> = {
            let access = hub.store.access();
            let is_due = |call: &&Arc<Call>| {
                call.who != entry.sender.id
                    && access.sees(&call.who, entry)
                    && names.get(&call.who).is_some_and(|name| mentions(body, name))
                    && !hub.registry.is_present(&call.who)
            };
            self.calls.iter().filter(is_due).cloned().collect()
        };
        if due.is_empty() {
            return Vec::new();
        }
        let rooms = hub.store.rooms().await.unwrap_or_default();
        let room = rooms.iter().find(|room| room.id == entry.draft.room);
        let room_name = room.map_or_else(String::new, |room| room.name.as_str().to_owned());
        let mention = |call: Arc<Call>| {
            let text = call.with_text.then(|| body.chars().take(MAX_TEXT_CHARS).collect());
            let mention = Mention {
                room: entry.draft.room.clone(),
                room_name: room_name.clone(),
                sender: entry.sender.name.clone(),
                id: entry.draft.id.to_string(),
                at: entry.received,
                text,
            };
            (call, mention)
        };
        due.into_iter().map(mention).collect()
    }

    fn refresh(&mut self, data_dir: &Path) {
        let version = hook::version(&data_dir.join(FILE));
        if self.version == version {
            return;
        }
        self.version = version;
        self.calls = match calls(data_dir) {
            Ok(calls) => calls.into_iter().map(Arc::new).collect(),
            Err(error) => {
                log::warn!("addresses to be called for mentions cannot be read: {error}");
                Vec::new()
            }
        };
    }
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Attempt {
    Done,
    /// It will not get better.
    Refused(String),
    /// It may be tried again.
    Failed(String),
}

async fn deliver(call: Arc<Call>, mention: Mention) {
    for pause in PAUSES.map(Some).into_iter().chain([None]) {
        // The address may hold a secret: only its host is told.
        match attempt(&call, &mention).await {
            Attempt::Done => return,
            Attempt::Refused(why) => {
                return log::warn!("the call of {} for a mention was refused: {why}", call.host());
            }
            Attempt::Failed(why) => match pause {
                Some(pause) => {
                    log::info!("the call of {} for a mention failed: {why}; it is tried again", call.host());
                    sleep(pause).await;
                }
                None => log::warn!("the call of {} for a mention failed: {why}", call.host()),
            },
        }
    }
}

async fn attempt(call: &Call, mention: &Mention) -> Attempt {
    let Some((url, path, body)) = request(call, mention) else {
        return Attempt::Refused("the address cannot be used".to_owned());
    };
    let target = Endpoint { deadline: ATTEMPT, ..Endpoint::new(url) };
    let is_allowed = if call.allow_local { |_| true } else { address::is_public };
    let mut connection = match HttpConnection::open_where(&target, is_allowed).await {
        Ok(connection) => connection,
        Err(why) => return Attempt::Failed(format!("{why:?}")),
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::USER_AGENT, HeaderValue::from_static("duplex-hub")),
    ];
    match connection.request(Method::POST, &path, &headers, Bytes::from(body), ATTEMPT).await {
        Ok(answer) if answer.status.is_success() => Attempt::Done,
        Ok(answer) => match answer.status.as_u16() {
            408 | 425 | 429 | 500..=599 => Attempt::Failed(answer.status.to_string()),
            // A redirect is never followed: it may lead anywhere.
            _ => Attempt::Refused(answer.status.to_string()),
        },
        Err(why) => Attempt::Failed(format!("{why:?}")),
    }
}

/// The topic at the end of an ntfy address.
fn topic(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?;
    (!last.is_empty()).then(|| percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned())
}

/// Where to connect, as the transport wants it, the path with its query, and the body.
fn request(call: &Call, mention: &Mention) -> Option<(String, String, Vec<u8>)> {
    let url = Url::parse(call.url.reveal()).ok()?;
    let Mention { room, room_name, sender, id, at, text } = mention;
    let title = format!("{sender} mentioned you in #{room_name}");
    let text_or_title = text.clone().unwrap_or_else(|| title.clone());
    let (path, body) = match call.kind {
        CallKind::Webhook => {
            let mut body = json!({
                "event": "mention", "room": room_name, "room_id": room, "sender": sender, "id": id, "at": at,
            });
            if let (Some(text), Some(body)) = (text, body.as_object_mut()) {
                body.insert("text".to_owned(), json!(text));
            }
            (url.path().to_owned(), body)
        }
        CallKind::Ntfy => {
            let above = url.path().rsplit_once('/').map_or("", |(above, _)| above);
            (format!("{above}/"), json!({"topic": topic(&url)?, "title": title, "message": text_or_title}))
        }
        CallKind::Gotify => {
            (url.path().to_owned(), json!({"title": title, "message": text_or_title, "priority": 5}))
        }
    };
    let path = match url.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    let host = url.host_str()?;
    let port = url.port_or_known_default()?;
    Some((format!("{scheme}://{host}:{port}/"), path, serde_json::to_vec(&body).ok()?))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn call(kind: CallKind, url: &str) -> Call {
        Call {
            id: "1".into(),
            who: PrincipalId("p-1".into()),
            kind,
            url: Secret::new(url),
            with_text: false,
            allow_local: true,
            made: WallMs(0),
        }
    }

    fn mention(text: Option<&str>) -> Mention {
        Mention {
            room: RoomId::general(),
            room_name: "general".into(),
            sender: "Jun".into(),
            id: "x".into(),
            at: WallMs(7),
            text: text.map(str::to_owned),
        }
    }

    #[test]
    fn addresses_are_checked_before_they_are_kept() {
        let check = |url: &str, kind, text| check_address(url, kind, text);
        assert_eq!(check("https://a.example/x", CallKind::Webhook, true), Ok(()));
        assert_eq!(check("http://a.example/x", CallKind::Webhook, false), Ok(()));
        assert_eq!(check("http://a.example/x", CallKind::Webhook, true), Err(BadCall::OpenText));
        assert_eq!(check("https://me:pw@a.example", CallKind::Webhook, false), Err(BadCall::User));
        assert_eq!(check("https://ntfy.example/", CallKind::Ntfy, false), Err(BadCall::Topic));
        for wrong in ["", "a.example", "ftp://a.example", "file:///etc/passwd", "https://"] {
            assert_eq!(check(wrong, CallKind::Webhook, false), Err(BadCall::Address), "{wrong}");
        }
    }

    #[test]
    fn each_kind_gets_its_own_form_and_the_text_only_where_it_was_chosen() {
        let of = |kind, url: &str, text| {
            let (to, path, body) = request(&call(kind, url), &mention(text)).unwrap();
            (to, path, serde_json::from_slice::<serde_json::Value>(&body).unwrap())
        };
        let (to, path, body) = of(CallKind::Webhook, "https://a.example/hook?key=1", None);
        assert_eq!((to.as_str(), path.as_str()), ("wss://a.example:443/", "/hook?key=1"));
        assert_eq!(
            (&body["event"], &body["room"], body.get("text")),
            (&json!("mention"), &json!("general"), None)
        );
        let (_, path, body) = of(CallKind::Ntfy, "https://ntfy.example/a/my-topic", Some("@Mina hi"));
        assert_eq!(
            (path.as_str(), &body["topic"], &body["message"]),
            ("/a/", &json!("my-topic"), &json!("@Mina hi"))
        );
        let (to, path, body) = of(CallKind::Gotify, "http://[::1]:8080/message?token=A", None);
        assert_eq!((to.as_str(), path.as_str()), ("ws://[::1]:8080/", "/message?token=A"));
        assert_eq!(body["message"], json!("Jun mentioned you in #general"));
    }

    /// A server that answers one request with this, and gives what it was sent.
    async fn server(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut sent = Vec::new();
            while !String::from_utf8_lossy(&sent).ends_with('}') {
                let mut piece = [0; 1024];
                let count = socket.read(&mut piece).await.unwrap();
                sent.extend_from_slice(&piece[..count]);
            }
            socket.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&sent).into_owned()
        });
        (url, serving)
    }

    #[tokio::test]
    async fn a_call_is_made_once_it_is_answered_and_tried_again_where_that_may_help() {
        let (url, serving) = server("HTTP/1.1 204 No Content\r\n\r\n").await;
        assert_eq!(attempt(&call(CallKind::Webhook, &url), &mention(None)).await, Attempt::Done);
        let sent = serving.await.unwrap();
        assert!(sent.starts_with("POST /hook HTTP/1.1\r\n") && sent.contains("\"sender\":\"Jun\""), "{sent}");
        let (url, _serving) = server("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").await;
        assert!(matches!(attempt(&call(CallKind::Webhook, &url), &mention(None)).await, Attempt::Failed(_)));
        let (url, _serving) =
            server("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n").await;
        assert!(matches!(attempt(&call(CallKind::Webhook, &url), &mention(None)).await, Attempt::Refused(_)));
    }

    #[tokio::test]
    async fn addresses_of_this_computer_are_called_only_where_that_is_allowed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost"] {
            let url = format!("http://{host}:{port}/");
            let call = Call { allow_local: false, ..call(CallKind::Webhook, &url) };
            let attempt = attempt(&call, &mention(None)).await;
            assert!(matches!(&attempt, Attempt::Failed(why) if why.contains("local network")), "{attempt:?}");
        }
        let came = listener.accept().unwrap_err();
        assert_eq!(came.kind(), std::io::ErrorKind::WouldBlock, "nothing was dialed");
    }
}
