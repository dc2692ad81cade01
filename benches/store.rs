//! The store in figures: one and five million messages in a room, commits, and a hub's appends. `DUPLEX_BENCH_QUICK=1` takes
//! smaller sizes; `DUPLEX_BENCH_MESSAGES=1000000` takes one size; `TMPDIR` chooses the disk.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench says what it sees"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use duplex::model::content::{Content, Draft};
use duplex::model::event::{ChatEvent, LinkEvent, LogRestart, Side};
use duplex::model::id::Offset;
use duplex::model::intent::Jump;
use duplex::model::time::WallMs;
use duplex::model::{
    ConnectionId, Delivery, Entry, Epoch, Event, MessageId, OutboxItem, Position, Principal, PrincipalId,
    PrincipalKind, RoomId, Sender,
};
use duplex::store::{Append, Appended, ClientStore, Commit, HubStore, Write};

const CONNECTION: ConnectionId = ConnectionId(7);

fn main() {
    // `cargo test --benches` runs this too: then only as far as it takes to see that it works.
    let quick =
        std::env::var_os("DUPLEX_BENCH_QUICK").is_some() || std::env::args().any(|arg| arg == "--test");
    let (mut sizes, appends, commits) = match quick {
        true => (vec![20_000], 2_000, 100),
        false => (vec![1_000_000, 5_000_000], 50_000, 2_000),
    };
    if let Some(size) = std::env::var("DUPLEX_BENCH_MESSAGES").ok().and_then(|size| size.parse().ok()) {
        sizes = vec![size];
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for messages in sizes {
        let dir = tempfile::tempdir().unwrap();
        println!("fsync of one page on this disk: {}", fsync(dir.path()));
        runtime.block_on(fill(dir.path(), messages));
        first_rows(&runtime, dir.path());
        runtime.block_on(pages(dir.path(), messages));
        println!("with a reaction to one message of ten and an edit of one of a hundred:");
        runtime.block_on(change(dir.path(), messages));
        first_rows(&runtime, dir.path());
        runtime.block_on(pages(dir.path(), messages));
        runtime.block_on(unread(dir.path(), messages));
        runtime.block_on(erase(dir.path(), messages));
        runtime.block_on(latency(dir.path(), commits));
    }
    for clients in [1, 100] {
        let dir = tempfile::tempdir().unwrap();
        runtime.block_on(hub(dir.path(), clients, appends));
    }
}

fn id(number: u64) -> MessageId {
    // Spread as random ones are.
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    MessageId::from_random((u128::from(mixed) << 64 | u128::from(number)).to_be_bytes())
}

fn entry(offset: u64) -> Entry {
    let who = offset % 20;
    Entry {
        draft: Draft {
            id: id(offset),
            room: RoomId::general(),
            content: Content::Text {
                body: format!(
                    "Message {offset}: the pump in hall {who} runs at 40 Hz, and the valve is half open."
                ),
                extra: Default::default(),
            },
            at: WallMs(1_700_000_000_000 + offset as i64),
        },
        offset: Offset(offset),
        sender: Sender { id: PrincipalId(format!("person-{who}")), name: format!("Person {who}") },
        received: WallMs(1_700_000_000_000 + offset as i64),
    }
}

async fn fill(dir: &Path, messages: u64) {
    let store = ClientStore::open(dir).store;
    let me = Principal {
        id: PrincipalId("me".into()),
        kind: PrincipalKind::Person,
        name: "Me".into(),
        role: None,
    };
    let welcomed = Event::Link(LinkEvent::Welcomed {
        me,
        server: "hub".into(),
        log: duplex::model::event::LogKind::Server { head: Offset(messages), next: Offset(1) },
        now: WallMs(0),
        people: Vec::new(),
        rooms: vec![RoomId::general().into()],
        features: Default::default(),
    });
    let started =
        Event::Chat(ChatEvent::LogStarted { epoch: Epoch(1), from: Offset(1), why: LogRestart::First });
    let begin = vec![Write::Event(welcomed), Write::Event(started)];
    assert_eq!(store.commit(CONNECTION, begin).await, Commit::Saved);
    let (began, memory) = (Instant::now(), rss());
    let mut last = None;
    for from in (1..=messages).step_by(256) {
        let entries = (from..(from + 256).min(messages + 1)).map(entry).collect();
        let write = Write::Event(Event::Chat(ChatEvent::Entries { entries, live: false }));
        last = Some(store.submit(CONNECTION, vec![write]).await);
    }
    assert_eq!(last.unwrap().done().await, Commit::Saved);
    let saved = began.elapsed();
    wait_for_index(dir).await;
    let took = began.elapsed();
    println!(
        "{messages} messages replayed into one room and the search index: {:.1} s, {:.0} messages/s; the last one was \
         on disk after {:.1} s; memory {}",
        took.as_secs_f64(),
        messages as f64 / took.as_secs_f64(),
        saved.as_secs_f64(),
        grown(memory)
    );
    drop(store);
    let size = std::fs::metadata(dir.join("client.db")).unwrap().len();
    println!("the file: {} MB", size / 1_000_000);
}

/// Reacts to one message of ten and edits one of a hundred.
async fn change(dir: &Path, messages: u64) {
    let store = ClientStore::open(dir).store;
    let began = Instant::now();
    let (mut offset, mut last) = (messages, None);
    for from in (10..=messages).step_by(2_560) {
        let mut entries = Vec::new();
        for of in (from..(from + 2_560).min(messages + 1)).step_by(10) {
            let reaction = Content::reaction(id(of), "👍", false);
            let better = Content::edit(id(of), format!("Message {of}: all is well again."));
            for content in [Some(reaction), of.is_multiple_of(100).then_some(better)].into_iter().flatten() {
                offset += 1;
                let mut change = entry(offset);
                change.sender = entry(of).sender;
                change.draft.content = content.with_target_offset(Some(Offset(of)));
                entries.push(change);
            }
        }
        let write = Write::Event(Event::Chat(ChatEvent::Entries { entries, live: false }));
        last = Some(store.submit(CONNECTION, vec![write]).await);
    }
    assert_eq!(last.unwrap().done().await, Commit::Saved);
    let took = began.elapsed().as_secs_f64();
    println!(
        "{} changes replayed: {took:.1} s, {:.0} changes/s",
        offset - messages,
        (offset - messages) as f64 / took
    );
}

/// Deletes a message, and waits until nothing of it is in the search index. Meanwhile somebody types.
async fn erase(dir: &Path, messages: u64) {
    let store = ClientStore::open(dir).store;
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = rusqlite::Connection::open_with_flags(dir.join("client.db"), flags).unwrap();
    let is_erased =
        || !db.query_row("SELECT erase FROM search_state", (), |row| row.get::<_, bool>(0)).unwrap();
    while !is_erased() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut delete = entry(messages + messages / 10 + messages / 100 + 1);
    let of = messages / 2;
    delete.sender = entry(of).sender;
    delete.draft.content = Content::delete(id(of)).with_target_offset(Some(Offset(of)));
    let began = Instant::now();
    let write = Write::Event(Event::Chat(ChatEvent::Entries { entries: vec![delete], live: true }));
    assert_eq!(store.commit(CONNECTION, vec![write]).await, Commit::Saved);
    let committed = began.elapsed();
    let (mut typed, mut seq) = (Times::default(), 1_000_000);
    while !is_erased() {
        seq += 1;
        let began = Instant::now();
        assert_eq!(store.commit(CONNECTION, vec![Write::Queue(queued(seq))]).await, Commit::Saved);
        typed.add(began);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let erased = began.elapsed().as_secs_f64();
    println!("a message deleted in {}; nothing of it in the search index after {erased:.1} s", ms(committed));
    let longest = typed.0.iter().max().copied().unwrap_or_default();
    println!("a commit to the outbox meanwhile: {typed}, the longest {}", ms(longest));
}

/// Until the index holds the last message.
async fn wait_for_index(dir: &Path) {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = rusqlite::Connection::open_with_flags(dir.join("client.db"), flags).unwrap();
    let is_complete = "SELECT todo = 0 AND since >= (SELECT max(rowid) FROM message) FROM search_state";
    while !db.query_row(is_complete, (), |row| row.get::<_, bool>(0)).unwrap() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn first_rows(runtime: &tokio::runtime::Runtime, dir: &Path) {
    let memory = rss();
    let began = Instant::now();
    let opened = ClientStore::open(dir);
    let open = began.elapsed();
    let loaded = runtime.block_on(opened.store.load(CONNECTION)).unwrap();
    let all = began.elapsed();
    assert_eq!(loaded.stored.rooms[0].messages.len(), 100);
    println!(
        "start: open {}, with the first 100 rows and {} unread {}; memory {}",
        ms(open),
        loaded.stored.rooms[0].unread,
        ms(all),
        grown(memory)
    );
}

async fn pages(dir: &Path, messages: u64) {
    let store = ClientStore::open(dir).store;
    let memory = rss();
    let general = RoomId::general;
    let at = |offset| Position { era: 1, offset };
    let mut times = Times::default();
    for step in 1..=200 {
        let from = at(Offset(messages - step * (messages / 201)));
        let began = Instant::now();
        let page = store.page(CONNECTION, general(), from, Side::Older, 100).await.unwrap();
        times.add(began);
        assert_eq!(page.messages.len(), 100);
    }
    println!("a page of 100 anywhere: {times}");
    for (name, jump) in
        [("oldest", Jump::Start), ("newest", Jump::End), ("middle", Jump::To(at(Offset(messages / 2))))]
    {
        let mut times = Times::default();
        for _ in 0..50 {
            let began = Instant::now();
            let page = store.jump(CONNECTION, general(), jump, 100).await.unwrap();
            times.add(began);
            assert_eq!(page.messages.len(), 100);
        }
        println!("jump to the {name}: {times}");
    }
    println!("memory after that {}", grown(memory));
}

/// What a person waits for who reads the beginning of a long room: how many messages are left.
async fn unread(dir: &Path, messages: u64) {
    let store = ClientStore::open(dir).store;
    let mut times = Times::default();
    // From the far end up to near the newest.
    for step in 0..20 {
        let offset = 10 + step * (messages / 20);
        let began = Instant::now();
        let marker = Event::Chat(ChatEvent::ReadMarker { room: RoomId::general(), offset: Offset(offset) });
        assert_eq!(store.commit(CONNECTION, vec![Write::Event(marker)]).await, Commit::Saved);
        let counted = store.count_unread(CONNECTION, RoomId::general()).await.unwrap();
        times.add(began);
        let Event::Chat(ChatEvent::Counted { unread, .. }) = counted else { unreachable!("{counted:?}") };
        assert_eq!(unread, messages - offset);
        if step == 0 {
            println!(
                "a read marker at the far end, with the count of what is unread: {}",
                ms(began.elapsed())
            );
        }
    }
    println!("a read marker anywhere, with the count of what is unread: {times}");
}

/// Something that was typed.
fn queued(seq: u64) -> OutboxItem {
    OutboxItem {
        draft: Draft {
            id: id(1 << 40 | seq),
            room: RoomId::general(),
            content: Content::text("a line that somebody typed"),
            at: WallMs(0),
        },
        seq,
        delivery: Delivery::Attempted,
    }
}

async fn latency(dir: &Path, commits: u64) {
    let store = ClientStore::open(dir).store;
    let mut times = Times::default();
    for seq in 1..=commits {
        let began = Instant::now();
        assert_eq!(store.commit(CONNECTION, vec![Write::Queue(queued(seq))]).await, Commit::Saved);
        times.add(began);
    }
    println!("one commit to the outbox, alone: {times}");
}

async fn hub(dir: &Path, clients: u64, appends: u64) {
    let store = HubStore::open(dir, Epoch(1), WallMs(0), id(0)).unwrap();
    let each = (if clients == 1 { appends / 25 } else { appends }) / clients;
    let memory = rss();
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let store = store.clone();
        tasks.spawn(async move {
            let mut times = Vec::with_capacity(each as usize);
            for number in 0..each {
                let entry = entry(client << 32 | number);
                let append = Append {
                    role: duplex::model::Role::Operator,
                    draft: Draft {
                        id: entry.draft.id,
                        room: entry.draft.room,
                        content: Content::text(entry.draft.content.body()),
                        at: WallMs(0),
                    },
                    sender: Sender { id: PrincipalId(format!("client-{client}")), name: "Client".into() },
                    received: WallMs(0),
                    only_known: false,
                };
                let sent = Instant::now();
                assert!(matches!(store.append(append).await.unwrap(), Appended::New(_)));
                times.push(sent.elapsed());
            }
            times
        });
    }
    let mut times = Times::default();
    while let Some(task) = tasks.join_next().await {
        times.0.extend(task.unwrap());
    }
    let rate = (each * clients) as f64 / began.elapsed().as_secs_f64();
    println!("hub, {clients} clients: {rate:.0} messages/s on disk; each {times}; memory {}", grown(memory));
}

/// What the disk itself takes, to judge the rest by.
fn fsync(dir: &Path) -> Times {
    use std::io::Write as _;
    let mut file = std::fs::File::create(dir.join("probe")).unwrap();
    let mut times = Times::default();
    for _ in 0..100 {
        let began = Instant::now();
        file.write_all(&[0; 4096]).unwrap();
        file.sync_data().unwrap();
        times.add(began);
    }
    times
}

#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn add(&mut self, began: Instant) {
        self.0.push(began.elapsed());
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort();
        let at =
            |percent: usize| sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)));
        let (p50, p99) = (at(50).copied().unwrap_or_default(), at(99).copied().unwrap_or_default());
        write!(f, "p50 {}, p99 {}", ms(p50), ms(p99))
    }
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

/// Resident memory in kB; 0 where it cannot be asked for this way.
fn rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

fn grown(from: u64) -> String {
    let now = rss();
    format!("{:.1} → {:.1} MB", from as f64 / 1_000.0, now as f64 / 1_000.0)
}
