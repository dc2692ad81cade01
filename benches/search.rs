//! Searching a million messages in English and Korean: how long an answer takes while somebody types, what the index
//! takes on disk, and what commits feel of it while older messages are being taken in. `DUPLEX_BENCH_QUICK=1` takes fewer
//! messages; `TMPDIR` chooses the disk.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench says what it sees"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use duplex::model::content::{Content, Draft};
use duplex::model::event::{ChatEvent, LinkEvent, LogRestart};
use duplex::model::id::Offset;
use duplex::model::search::{End, Found, Patience, Scope, Search, parse};
use duplex::model::time::WallMs;
use duplex::model::{
    ConnectionId, Entry, Epoch, Event, MessageId, Principal, PrincipalId, PrincipalKind, RoomId, Sender,
};
use duplex::store::{ClientStore, Commit, Write};

const CONNECTION: ConnectionId = ConnectionId(7);
const ENGLISH: &str = "the pump in hall runs and valve is half open we have to look at it again tomorrow please check pressure \
    temperature sensor north greenhouse boiler water level low high alarm went off nobody there okay thanks done replaced \
    filter motor noise bearing order new parts arrived late morning shift handover night quiet door left window closed \
    humidity reading wrong calibrate cable loose wiring fuse breaker tripped restart controller firmware update failed \
    worked fine test results attached drawing plan budget meeting monday friday call me when you are back lunch coffee \
    great idea maybe later not sure why does this always happen can someone confirm serial number on the plate";
const NOUNS: &str = "온실 펌프 밸브 온도 습도 압력 센서 보일러 물 수위 경보 필터 모터 소음 베어링 부품 주문 아침 교대 인수인계 밤 문 창문 \
    측정값 보정 케이블 배선 퓨즈 차단기 제어기 펌웨어 업데이트 시험 결과 도면 계획 예산 회의 월요일 금요일 점심 커피 일련번호 작업장 \
    지하실 옥상 북쪽 남쪽 입구 창고 트럭 배터리 전원 전류 전압 시계 화면 버튼 설명서 사진 사람 시간 내일 오늘 어제";
const PARTICLES: &str = "은 는 이 가 을 를 에 에서 으로 까지 부터 도 만 하고";
const VERBS: &str = "확인했습니다 교체했어요 샌다 이상해요 멈췄습니다 다시 켰어요 조용합니다 도착했어요 부탁드립니다 괜찮아요 모르겠어요 ㅋㅋㅋ \
    열려 있습니다 닫았어요 높아요 낮아요 고장났어요 고쳤습니다 기다려 주세요 감사합니다";
const ROOMS: [&str; 12] = [
    "general",
    "pumps",
    "온실",
    "night-shift",
    "orders",
    "보일러실",
    "electric",
    "random",
    "lunch",
    "drawings",
    "alarms",
    "공지",
];

/// A row of numbers that looks random and is the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }

    /// Common words are common: the first of a list comes far more often than the last.
    fn word<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let (a, b) = (self.roll(words.len()), self.roll(words.len()));
        words[a * b / words.len()]
    }
}

struct Lists {
    english: Vec<&'static str>,
    nouns: Vec<&'static str>,
    particles: Vec<&'static str>,
    verbs: Vec<&'static str>,
}

fn body(dice: &mut Dice, lists: &Lists) -> String {
    let mut words: Vec<String> = Vec::new();
    if dice.roll(10) < 6 {
        for _ in 0..3 + dice.roll(18) {
            words.push(dice.word(&lists.english).to_owned());
        }
        if dice.roll(8) == 0 {
            words.push(format!("SN-{:06x}", dice.roll(1 << 24)));
        }
    } else {
        for _ in 0..1 + dice.roll(7) {
            words.push(format!("{}{}", dice.word(&lists.nouns), dice.word(&lists.particles)));
        }
        words.push(dice.word(&lists.verbs).to_owned());
    }
    words.join(" ")
}

fn entry(offset: u64, dice: &mut Dice, lists: &Lists) -> Entry {
    // One of them speaks about twenty times in all.
    let who = if offset % 50_000 == 7 { "Zoe".to_owned() } else { format!("Person {}", dice.roll(40)) };
    // A message each half minute on average: a year.
    let received = 1_700_000_000_000 + offset as i64 * 31_000 + dice.roll(20_000) as i64;
    Entry {
        draft: Draft {
            id: MessageId::from_random(
                (u128::from(offset.wrapping_mul(0x9E37_79B9_7F4A_7C15)) << 64 | u128::from(offset))
                    .to_be_bytes(),
            ),
            room: RoomId::new(ROOMS[dice.roll(ROOMS.len())]).unwrap(),
            content: Content::text(body(dice, lists)),
            at: WallMs(received),
        },
        offset: Offset(offset),
        sender: Sender { id: PrincipalId(who.clone()), name: who },
        received: WallMs(received),
    }
}

fn main() {
    // `cargo test --benches` runs this too: then only as far as it takes to see that it works.
    let quick =
        std::env::var_os("DUPLEX_BENCH_QUICK").is_some() || std::env::args().any(|arg| arg == "--test");
    let messages = if quick { 5_000 } else { 1_000_000 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(fill(dir.path(), messages));
    size(dir.path(), messages);
    runtime.block_on(ask_all(dir.path(), if quick { 2 } else { 40 }));
    empty_index(dir.path());
    runtime.block_on(take_in(dir.path(), messages));
}

async fn fill(dir: &Path, messages: u64) {
    let split = |words: &'static str| words.split_whitespace().collect::<Vec<_>>();
    let lists = Lists {
        english: split(ENGLISH),
        nouns: split(NOUNS),
        particles: split(PARTICLES),
        verbs: split(VERBS),
    };
    let mut dice = Dice(1);
    let store = ClientStore::open(dir).store;
    let me = Principal {
        id: PrincipalId("me".into()),
        kind: PrincipalKind::Person,
        name: "Me".into(),
        role: None,
    };
    let rooms = ROOMS.iter().map(|name| RoomId::new(*name).unwrap().into()).collect();
    let welcomed = Event::Link(LinkEvent::Welcomed {
        me,
        server: "hub".into(),
        log: duplex::model::event::LogKind::Server { head: Offset(messages), next: Offset(1) },
        now: WallMs(0),
        people: Vec::new(),
        rooms,
        features: Default::default(),
    });
    let started =
        Event::Chat(ChatEvent::LogStarted { epoch: Epoch(1), from: Offset(1), why: LogRestart::First });
    let begin = vec![Write::Event(welcomed), Write::Event(started)];
    assert_eq!(store.commit(CONNECTION, begin).await, Commit::Saved);
    let began = Instant::now();
    let (mut last, mut bytes) = (None, 0);
    for from in (1..=messages).step_by(256) {
        let entries: Vec<Entry> =
            (from..(from + 256).min(messages + 1)).map(|offset| entry(offset, &mut dice, &lists)).collect();
        bytes += entries.iter().map(|entry| entry.draft.content.body().len()).sum::<usize>();
        let write = Write::Event(Event::Chat(ChatEvent::Entries { entries, live: false }));
        last = Some(store.submit(CONNECTION, vec![write]).await);
    }
    assert_eq!(last.unwrap().done().await, Commit::Saved);
    wait_for_index(dir).await;
    let took = began.elapsed().as_secs_f64();
    println!(
        "{messages} messages of {:.0} bytes written and indexed: {took:.1} s, {:.0} a second",
        bytes as f64 / messages as f64,
        messages as f64 / took
    );
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

fn size(dir: &Path, messages: u64) {
    let db = rusqlite::Connection::open(dir.join("client.db")).unwrap();
    let sum = |pattern: &str| -> i64 {
        let sql = "SELECT total(pgsize) FROM dbstat('main', 1) WHERE name LIKE ?1";
        db.query_row(sql, [pattern], |row| row.get::<_, f64>(0)).unwrap() as i64
    };
    let each = |bytes: i64| bytes / messages.cast_signed();
    let (all, grams) = (sum("%"), sum("search_data"));
    let index = sum("search%") + sum("sqlite_autoindex_search%");
    println!(
        "on disk, bytes a message: {} in all, of which the index {} (grams {}, the rest for order and removal {})",
        each(all),
        each(index),
        each(grams),
        each(index - grams)
    );
}

async fn ask(store: &ClientStore, text: &str, scope: Scope) -> Found {
    let today = chrono::NaiveDate::from_ymd_opt(2024, 10, 1).unwrap();
    let parsed = parse::parse(text, today, false);
    assert_eq!(parsed.faults, []);
    let begins =
        |day: chrono::NaiveDate| Some(WallMs(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()));
    let query = parsed.query(begins);
    let search = Search { number: 1, query, scope, behind: None, patience: Patience::Typing };
    store.search(search).await.unwrap().unwrap()
}

async fn ask_all(dir: &Path, rounds: u32) {
    let store = ClientStore::open(dir).store;
    let room = || Scope::Room(CONNECTION, RoomId::new("pumps").unwrap());
    let mut all = Times::default();
    for text in [
        "온",
        "온실",
        "온실에",
        "온실에서",
        "물",
        "ㅋㅋ",
        "p",
        "pu",
        "pum",
        "pump",
        "t",
        "th",
        "the",
        "greenhouse",
        "sn-00a",
        "온실 펌프",
        "pump pressure valve",
        "\"valve is half\"",
        "온실 from:zoe",
        "the from:zoe",
        "from:zoe",
        "in:온실 the",
        "before:2023-12-01 펌프",
        "after:2024-09-01 before:2024-09-03",
        "pump from:\"person 3\" in:night before:2024-03-01",
        "qqqq",
        "없는말",
        "half filter ordering",
        "!",
        "…",
    ] {
        for (place, scope) in [("everywhere", Scope::Everywhere), ("in a room", room())] {
            let mut times = Times::default();
            let mut answer = None;
            for _ in 0..rounds {
                let began = Instant::now();
                answer = Some(ask(&store, text, scope.clone()).await);
                times.add(began);
            }
            let answer = answer.unwrap();
            let end = match answer.end {
                End::Complete => "all",
                End::More => "and more",
                End::TimeUp(_) => "as far as it came",
            };
            println!("{text:50} {place:10} {:3} hits, {end:18} {times}", answer.hits.len());
            all.0.append(&mut times.0);
        }
    }
    println!("all of these: {all}");
}

/// As an index looks that knows nothing yet of the messages that are there.
fn empty_index(dir: &Path) {
    let db = rusqlite::Connection::open(dir.join("client.db")).unwrap();
    db.execute_batch(
        "INSERT INTO search (search) VALUES ('delete-all');
         DELETE FROM search_entry;
         UPDATE search_state SET todo = (SELECT max(rowid) FROM message), of = (SELECT max(rowid) FROM message);",
    )
    .unwrap();
}

async fn take_in(dir: &Path, messages: u64) {
    let began = Instant::now();
    let store = ClientStore::open(dir).store;
    println!("start with an empty index: {}", ms(began.elapsed()));
    let mut indexed = store.indexed();
    let mut times = Times::default();
    let mut offset = messages;
    while indexed.borrow().is_some() {
        offset += 1;
        let mut dice = Dice(offset);
        let lists =
            Lists { english: vec!["live"], nouns: vec!["새글"], particles: vec![""], verbs: vec![""] };
        let event =
            Event::Chat(ChatEvent::Entries { entries: vec![entry(offset, &mut dice, &lists)], live: true });
        let sent = Instant::now();
        assert_eq!(store.commit(CONNECTION, vec![Write::Event(event)]).await, Commit::Saved);
        times.add(sent);
        let pause = tokio::time::sleep(Duration::from_millis(100));
        tokio::select! {
            () = pause => {}
            _ = indexed.wait_for(Option::is_none) => break,
        }
    }
    let took = began.elapsed().as_secs_f64();
    println!("{messages} older messages taken in: {took:.0} s; a commit meanwhile, ten a second: {times}");
    let mut times = Times::default();
    for _ in 0..200 {
        offset += 1;
        let mut dice = Dice(offset);
        let lists =
            Lists { english: vec!["live"], nouns: vec!["새글"], particles: vec![""], verbs: vec![""] };
        let event =
            Event::Chat(ChatEvent::Entries { entries: vec![entry(offset, &mut dice, &lists)], live: true });
        let sent = Instant::now();
        assert_eq!(store.commit(CONNECTION, vec![Write::Event(event)]).await, Commit::Saved);
        times.add(sent);
    }
    println!("a commit of one message afterwards: {times}");
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
        let at = |percent: usize| {
            let last = sorted.len().saturating_sub(1);
            ms(sorted.get((sorted.len() * percent / 100).min(last)).copied().unwrap_or_default())
        };
        write!(f, "p50 {}, p95 {}, p99 {}", at(50), at(95), at(99))
    }
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}
