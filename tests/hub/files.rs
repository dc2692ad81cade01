//! Files of messages over HTTP: uploads in parts, who may have them, and what becomes of them.

use std::net::SocketAddr;

use duplex::hub::{Options, Running};
use duplex::model::content::{Content, Draft, MemberChange, Private};
use duplex::model::file::{FileHash, FileId, FileInfo, FileRefusal, UploadState};
use duplex::model::time::WallMs;
use duplex::model::{Feature, MessageId, Refusal, Role, RoomId, RoomName, Sender};
use duplex::wire::duplex::message::{ClientMessage, HubMessage};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::{Client, hub, new_id, within};
use super::rooms::{answer, join_as, send as send_in};

/// An answer: its status, its head and its body.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn state(&self) -> UploadState {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    fn refusal(&self) -> FileRefusal {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.head))
    }

    /// The status and the word of a refusal.
    fn refused(&self) -> (u16, String) {
        (self.status, self.refusal().code)
    }
}

fn head(method: &str, path: &str, token: &str, more: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         {more}Content-Length: {length}\r\n\r\n"
    )
}

async fn ask(addr: SocketAddr, method: &str, path: &str, token: &str, more: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // A refusal may come before all is sent.
    let _ = stream.write_all(head(method, path, token, more, body.len()).as_bytes()).await;
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    within("the answer", stream.read_to_end(&mut answer)).await.unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an answer");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head[9..12].parse().unwrap();
    Answer { status, head, body: answer.split_off(end + 4) }
}

/// Content, and what is told of it.
struct Upload {
    content: Vec<u8>,
    info: FileInfo,
}

fn upload(content: impl Into<Vec<u8>>) -> Upload {
    let content = content.into();
    let info = FileInfo {
        id: FileId(new_id().0),
        name: "../pump \u{202E}.log".to_owned(),
        size: content.len() as u64,
        sha256: FileHash(Sha256::digest(&content).into()),
        media_type: "text/plain".to_owned(),
        width: None,
        height: None,
    };
    Upload { content, info }
}

/// Bytes that do not compress or repeat.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..count).map(|_| next()).collect()
}

impl Upload {
    fn part(&self, offset: usize) -> String {
        let FileInfo { id, size, sha256, .. } = &self.info;
        format!("/v1/files/{id}?offset={offset}&size={size}&sha256={sha256}")
    }

    async fn put(&self, addr: SocketAddr, token: &str, offset: usize, end: usize) -> Answer {
        ask(addr, "PUT", &self.part(offset), token, "", &self.content[offset..end]).await
    }

    async fn all(&self, addr: SocketAddr, token: &str) {
        assert!(self.put(addr, token, 0, self.content.len()).await.state().complete);
    }

    async fn get(&self, addr: SocketAddr, token: &str, more: &str) -> Answer {
        ask(addr, "GET", &format!("/v1/files/{}", self.info.id), token, more, b"").await
    }

    async fn status(&self, addr: SocketAddr, token: &str) -> Answer {
        ask(addr, "GET", &format!("/v1/files/{}/status", self.info.id), token, "", b"").await
    }

    fn message(&self) -> Content {
        Content::text("The pump's log").with_file(&self.info)
    }
}

/// Sends something to `general`. `Err`: why it was refused.
async fn send(client: &mut Client, seq: u64, content: Content) -> Result<MessageId, Refusal> {
    let id = new_id();
    let draft = Draft { id, room: RoomId::general(), content, at: WallMs(7) };
    // Every answer was heard before.
    client.say(&ClientMessage::Send { draft, seq, retry: true }).await;
    client
        .find(|message| match message {
            HubMessage::Ack { id: acked, .. } if *acked == id => Some(Ok(id)),
            HubMessage::Refused { id: refused, refusal } if *refused == id => Some(Err(refusal.clone())),
            _ => None,
        })
        .await
}

/// A hub with two people: their tokens and connections.
async fn two() -> (TempDir, Running, (Client, String), (Client, String)) {
    let (dir, hub) = hub().await;
    let ana = Client::join(&dir, &hub.url, "Ana").await;
    let ben = Client::join(&dir, &hub.url, "Ben").await;
    (dir, hub, ana, ben)
}

fn content_of(dir: &TempDir, upload: &Upload) -> std::path::PathBuf {
    let digits = upload.info.sha256.to_string();
    dir.path().join("hub-files").join(&digits[..2]).join(&digits[2..])
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    within(what, async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_is_uploaded_in_parts_and_read_by_others_once_its_message_is_there() {
    let (_dir, hub, (mut ana, ana_token), (mut ben, ben_token)) = two().await;
    let (_, welcome) = Client::enter(&hub.url, &ana_token, None).await;
    assert!(welcome.features.unwrap().has(Feature::Files));
    assert_eq!(welcome.files.unwrap().max_part_bytes, 1 << 20);
    let file = upload(noise(2_500_000));
    let part = 1 << 20;
    assert_eq!(file.put(hub.addr, &ana_token, 0, part).await.state().offset, part as u64);
    // The answer was lost: the same part again.
    let again = file.put(hub.addr, &ana_token, 0, part).await;
    assert_eq!((again.refused(), again.refusal().offset), ((409, "offset".into()), Some(part as u64)));
    assert_eq!(file.status(hub.addr, &ana_token).await.state().offset, part as u64);
    assert_eq!(
        send(&mut ana, 1, file.message()).await,
        Err(Refusal::NoSuchFile),
        "not before it is complete"
    );
    assert_eq!(file.put(hub.addr, &ana_token, part, 2 * part + 1).await.refused().1, "part_too_large");
    file.put(hub.addr, &ana_token, part, 2 * part).await.state();
    let last = file.put(hub.addr, &ana_token, 2 * part, file.content.len()).await.state();
    assert!(last.complete);
    assert!(file.put(hub.addr, &ana_token, 0, 5).await.state().complete, "it is known to be there");
    assert_eq!(file.get(hub.addr, &ben_token, "").await.status, 404, "it is in no room yet");
    assert_eq!(send(&mut ben, 1, file.message()).await, Err(Refusal::NoSuchFile), "it is not his");
    send(&mut ana, 2, file.message()).await.unwrap();
    let entry = ben.messages(1).await.remove(0);
    assert_eq!(entry.draft.content.file(), Some(file.info.clone()));
    let whole = file.get(hub.addr, &ben_token, "").await;
    assert!(whole.status == 200 && whole.body == file.content);
    let head = whole.head.to_lowercase();
    assert!(head.contains("content-type: application/octet-stream") && head.contains("nosniff"), "{head}");
    assert!(head.contains("content-disposition: attachment"), "{head}");
    let rest = file.get(hub.addr, &ben_token, "Range: bytes=2000000-\r\n").await;
    assert!(rest.status == 206 && rest.body == file.content[2_000_000..]);
    assert_eq!(file.get(hub.addr, &ben_token, "Range: bytes=2500000-\r\n").await.status, 416);
    assert_eq!(send(&mut ana, 3, file.message()).await, Err(Refusal::NoSuchFile), "it is of one message");
    assert_eq!(file.get(hub.addr, "wrong", "").await.status, 401);
}

#[tokio::test]
async fn what_came_before_a_lost_connection_and_a_restart_is_not_sent_again() {
    let (dir, hub, (_ana, token), _) = two().await;
    let file = upload(noise(900_000));
    let mut stream = TcpStream::connect(hub.addr).await.unwrap();
    stream.write_all(head("PUT", &file.part(0), &token, "", 900_000).as_bytes()).await.unwrap();
    stream.write_all(&file.content[..600_000]).await.unwrap();
    stream.flush().await.unwrap();
    drop(stream);
    // The status ends a request that is under way, so it has to wait until a piece has been written.
    let part = dir.path().join("hub-files/parts").join(file.info.id.to_string());
    until("a piece to be written", || part.metadata().is_ok_and(|part| part.len() > 0)).await;
    let kept = file.status(hub.addr, &token).await.state();
    assert!(kept.offset > 0);
    assert!(kept.offset <= 600_000 && !kept.complete);
    hub.shutdown().await;
    let hub = duplex::hub::start(Options::embedded(dir.path())).await.unwrap();
    let offset = file.status(hub.addr, &token).await.state().offset;
    assert_eq!(offset, kept.offset);
    let offset = usize::try_from(offset).unwrap();
    assert!(file.put(hub.addr, &token, offset, 900_000).await.state().complete);
    assert_eq!(file.get(hub.addr, &token, "").await.body, file.content);
}

#[tokio::test]
async fn a_checksum_that_lies_is_refused_and_leaves_nothing() {
    let (dir, hub, (mut ana, token), _) = two().await;
    let mut file = upload(noise(100_000));
    file.info.sha256 = FileHash([7; 32]);
    assert_eq!(file.put(hub.addr, &token, 0, 100_000).await.refused(), (422, "checksum".into()));
    assert_eq!(file.status(hub.addr, &token).await.status, 404);
    assert_eq!(send(&mut ana, 1, file.message()).await, Err(Refusal::NoSuchFile));
    let part = dir.path().join("hub-files/parts").join(file.info.id.to_string());
    until("the part to be removed", || !part.exists()).await;
    // The right one, under the same id.
    file.info.sha256 = FileHash(Sha256::digest(&file.content).into());
    file.all(hub.addr, &token).await;
}

#[tokio::test]
async fn the_same_content_is_there_once_and_its_hash_opens_nothing() {
    let (dir, hub, (mut ana, ana_token), (mut ben, ben_token)) = two().await;
    let content = noise(300_000);
    let (of_ana, of_ben) = (upload(content.clone()), upload(content));
    of_ana.all(hub.addr, &ana_token).await;
    let at = content_of(&dir, &of_ana);
    assert!(at.exists());
    // Whoever knows its size and hash still has to send it.
    let begun = of_ben.put(hub.addr, &ben_token, 0, 0).await.state();
    assert_eq!((begun.offset, begun.complete), (0, false));
    assert_eq!(of_ben.get(hub.addr, &ben_token, "").await.status, 404);
    let mut other = upload(Vec::new());
    other.info.id = of_ana.info.id;
    assert_eq!(other.put(hub.addr, &ben_token, 0, 0).await.refused(), (409, "id_taken".into()));
    assert_eq!(of_ana.status(hub.addr, &ben_token).await.status, 404);
    assert_eq!(
        ask(hub.addr, "DELETE", &format!("/v1/files/{}", of_ana.info.id), &ben_token, "", b"").await.status,
        404
    );
    of_ben.all(hub.addr, &ben_token).await;
    let folders = std::fs::read_dir(dir.path().join("hub-files")).unwrap().count();
    assert_eq!(folders, 2, "the parts and one file");
    let first = send(&mut ana, 1, of_ana.message()).await.unwrap();
    let second = send(&mut ben, 1, of_ben.message()).await.unwrap();
    send(&mut ana, 2, Content::delete(first)).await.unwrap();
    assert_eq!(of_ana.get(hub.addr, &ben_token, "").await.status, 404, "with its message");
    assert_eq!(of_ben.get(hub.addr, &ana_token, "").await.body, of_ben.content, "Ben's is there");
    send(&mut ben, 2, Content::delete(second)).await.unwrap();
    until("the content to be removed", || !at.exists()).await;
}

#[tokio::test]
async fn an_upload_can_be_given_up_and_an_empty_file_is_one() {
    let (dir, hub, (mut ana, token), _) = two().await;
    let file = upload(noise(200_000));
    file.put(hub.addr, &token, 0, 100_000).await.state();
    let path = format!("/v1/files/{}", file.info.id);
    assert_eq!(ask(hub.addr, "DELETE", &path, &token, "", b"").await.status, 204);
    assert_eq!(file.status(hub.addr, &token).await.status, 404);
    let part = dir.path().join("hub-files/parts").join(file.info.id.to_string());
    until("the part to be removed", || !part.exists()).await;
    let empty = upload(Vec::new());
    empty.all(hub.addr, &token).await;
    send(&mut ana, 1, empty.message()).await.unwrap();
    let path = format!("/v1/files/{}", empty.info.id);
    assert_eq!(ask(hub.addr, "DELETE", &path, &token, "", b"").await.refused(), (409, "in_use".into()));
    let answer = empty.get(hub.addr, &token, "").await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let bad = format!("/v1/files/{}?offset=0&size=1&sha256=xyz", empty.info.id);
    assert_eq!(ask(hub.addr, "PUT", &bad, &token, "", b"x").await.refused(), (400, "malformed".into()));
    assert_eq!(ask(hub.addr, "PUT", "/v1/files/..%2F..%2Ftoken", &token, "", b"x").await.status, 404);
}

#[tokio::test]
async fn limits_are_refused_with_a_sentence_and_old_files_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::embedded(dir.path());
    options.limits.files.file_bytes = 50_000;
    options.limits.files.bytes_per_person = 100_000;
    options.limits.files.bytes = 120_000;
    options.limits.files.keep_ms = 1;
    let hub = duplex::hub::start(options).await.unwrap();
    let (mut ana, ana_token) = Client::join(&dir, &hub.url, "Ana").await;
    let (_, ben_token) = Client::join(&dir, &hub.url, "Ben").await;
    let answer = upload(noise(50_001)).put(hub.addr, &ana_token, 0, 10).await;
    assert_eq!((answer.refused(), answer.refusal().limit), ((413, "too_large".into()), Some(50_000)));
    let old = upload(noise(50_000));
    old.all(hub.addr, &ana_token).await;
    upload(noise(49_999)).all(hub.addr, &ana_token).await;
    let answer = upload(noise(1_000)).put(hub.addr, &ana_token, 0, 1_000).await;
    assert_eq!((answer.refused(), answer.refusal().limit), ((403, "quota".into()), Some(100_000)));
    let answer = upload(noise(49_998)).put(hub.addr, &ben_token, 0, 10).await;
    assert_eq!(answer.refused(), (507, "full".into()));
    send(&mut ana, 1, old.message()).await.unwrap();
    let gone = content_of(&dir, &old);
    let other = upload(noise(5_000));
    // Whatever is given up has old ones looked for.
    within("the old file to go", async {
        while gone.exists() {
            other.put(hub.addr, &ben_token, 0, 10).await;
            let path = format!("/v1/files/{}", other.info.id);
            ask(hub.addr, "DELETE", &path, &ben_token, "", b"").await;
        }
    })
    .await;
    let answer = old.get(hub.addr, &ben_token, "").await;
    assert_eq!(answer.refused(), (410, "gone".into()));
    assert!(answer.refusal().detail.contains("no longer keeps"), "it says why");
}

#[tokio::test]
async fn files_are_checked_and_copied_with_the_rest() {
    let (dir, hub, (mut ana, token), _) = two().await;
    let file = upload(noise(70_000));
    file.all(hub.addr, &token).await;
    send(&mut ana, 1, file.message()).await.unwrap();
    let copy = dir.path().join("copy");
    let names = duplex::hub::backup(dir.path(), &copy).unwrap();
    assert!(names.iter().any(|name| name == "hub-files"), "{names:?}");
    hub.shutdown().await;
    assert!(duplex::hub::check(dir.path()).unwrap().is_sound());
    std::fs::write(content_of(&dir, &file), b"other").unwrap();
    let problems = duplex::hub::check(dir.path()).unwrap().problems;
    assert!(problems.iter().any(|problem| problem.contains("bytes instead of 70000")), "{problems:?}");
    let hub = duplex::hub::start(Options::embedded(&copy)).await.unwrap();
    assert_eq!(file.get(hub.addr, &token, "").await.body, file.content);
}

#[tokio::test]
async fn guests_read_files_and_devices_have_none() {
    let (dir, hub, (mut ana, token), _) = two().await;
    let file = upload(noise(5_000));
    file.all(hub.addr, &token).await;
    send(&mut ana, 1, file.message()).await.unwrap();
    let device = duplex::hub::add_device(dir.path(), "shed", "").unwrap();
    let answer = file.get(hub.addr, device.reveal(), "").await;
    assert_eq!(answer.refused(), (403, "not_allowed".into()));
}

#[tokio::test]
async fn a_file_of_a_private_room_is_for_its_members_as_they_are_now() {
    let (dir, hub) = hub().await;
    let (mut anna, _, anna_token) = join_as(&dir, &hub, "Anna", Role::Operator).await;
    let (_ben, ben, ben_token) = join_as(&dir, &hub, "Ben", Role::Operator).await;
    let (_cleo, _, cleo_token) = join_as(&dir, &hub, "Cleo", Role::Operator).await;
    let id = new_id();
    let private = Some(Private { members: vec![ben.me.id.clone()], direct: false });
    let name = RoomName::new("Secret").unwrap();
    anna.say(&ClientMessage::CreateRoom { id, room: name, at: None, private, extra: Default::default() })
        .await;
    let room: RoomId = answer(&mut anna, id).await.unwrap().into();
    let file = upload(noise(10_000));
    file.all(hub.addr, &anna_token).await;
    send_in(&mut anna, 1, &room, file.message()).await.unwrap();
    assert_eq!(file.get(hub.addr, &ben_token, "").await.body, file.content);
    for token in [&cleo_token, hub.admin_token.reveal()] {
        let answer = file.get(hub.addr, token, "").await;
        assert_eq!(answer.refused(), (404, "no_such_file".into()), "as if it were not there");
    }
    let removed = Content::member(Sender { id: ben.me.id, name: "Ben".into() }, MemberChange::Left);
    send_in(&mut anna, 2, &room, removed).await.unwrap();
    assert_eq!(file.get(hub.addr, &ben_token, "").await.status, 404, "Ben is a member no more");
    assert_eq!(file.get(hub.addr, &anna_token, "").await.status, 200);
}
