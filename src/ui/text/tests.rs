//! What holds for every language: no sentence is missing, empty or in another one's letters, and nothing inserted is lost.

use std::path::PathBuf;

use super::*;
use crate::model::event::Reached;
use crate::model::id::{PrincipalId, RoomName};
use crate::model::link_state::{Closing, Phase};
use crate::model::principal::{Principal, PrincipalKind};
use crate::model::profile::Protocol;
use crate::model::time::WallMs;
use crate::model::upgrade::BadUpgrade;

const ALL: [Language; 2] = [Language::English, Language::Korean];

fn whys() -> Vec<Why> {
    let text = || "words".to_owned();
    let mut all = vec![
        Why::BadUrl { detail: text() },
        Why::BadCaFile { path: "ca.pem".into(), detail: text() },
        Why::BadClientCertificate { path: "client.pem".into(), detail: text() },
        Why::NoClientCertificate,
        Why::ClientCertificateRefused { detail: text() },
        Why::NameNotFound { host: text() },
        Why::ConnectionRefused,
        Why::Unreachable { detail: text() },
        Why::TimedOut { during: Phase::Dial },
        Why::TimedOut { during: Phase::Handshake },
        Why::TlsUntrusted { detail: text() },
        Why::TlsFailed { detail: text() },
        Why::Redirected { status: 302, location: Some(text()) },
        Why::Redirected { status: 301, location: None },
        Why::WrongScheme { is_tls: false },
        Why::WrongScheme { is_tls: true },
        Why::BadUpgrade { problem: BadUpgrade::Reserved { name: "host".to_owned() } },
        Why::BadUpgrade { problem: BadUpgrade::HeaderName { name: "a b".to_owned() } },
        Why::BadUpgrade { problem: BadUpgrade::HeaderValue { name: "origin".to_owned() } },
        Why::BadUpgrade { problem: BadUpgrade::HeaderTwice { name: "origin".to_owned() } },
        Why::BadUpgrade { problem: BadUpgrade::Subprotocol { name: "a b".to_owned() } },
        Why::BadUpgrade { problem: BadUpgrade::SubprotocolTwice { name: "mqtt".to_owned() } },
        Why::BadUpgrade { problem: BadUpgrade::Credentials },
        Why::NoSubprotocol { offered: vec!["mqtt".to_owned(), "stomp".to_owned()] },
        Why::NotWebSocket { detail: text() },
        Why::NotDuplex { said: text() },
        Why::NotDuplex { said: String::new() },
        Why::NotSocketIo { said: text() },
        Why::NamespaceRefused { namespace: "/chat".to_owned(), message: text(), data: text() },
        Why::NamespaceRefused { namespace: "/".to_owned(), message: String::new(), data: String::new() },
        Why::Closed { code: None, reason: String::new(), retry_after_ms: None, closing: Closing::ByServer },
        Why::Closed { code: None, reason: String::new(), retry_after_ms: None, closing: Closing::ByUs },
        Why::Lost { detail: String::new() },
        Why::Silent,
        Why::Violation { detail: text() },
        Why::Refused { of: None, said: text(), is_final: true },
        Why::Refused { of: None, said: String::new(), is_final: false },
        Why::Refused { of: Some(text()), said: text(), is_final: true },
        Why::TakenOver { is_certain: true },
        Why::TakenOver { is_certain: false },
        Why::NoCommonVersion { ours: (1, 1), theirs: (2, 3) },
        Why::NoCommonVersion { ours: (2, 2), theirs: (1, 1) },
        Why::Unauthorized,
        Why::Withdrawn,
        Why::Forbidden,
        Why::InviteRefused,
        Why::Impostor,
        Why::Unsupported { detail: text() },
        Why::HubFailed { detail: text() },
        Why::HubLogMissing { path: "/data/hub.db".into(), left: vec!["token".to_owned()] },
        Why::HubLogDamaged { path: "/data/hub.db".into(), detail: text() },
        Why::NoToken,
    ];
    all.extend(proxy_problems());
    for code in 0x80..=0xA2 {
        all.push(Why::Mqtt { code, said: text() });
        all.push(Why::Mqtt { code, said: String::new() });
    }
    for status in 200..600 {
        all.push(Why::Http { status, retry_after_ms: None });
    }
    for code in [1000, 1001, 1008, 1011, 1012, 4001, 4500] {
        all.push(Why::Closed {
            code: Some(code),
            reason: "kicked".into(),
            retry_after_ms: None,
            closing: Closing::ByServer,
        });
    }
    all
}

fn proxy_problems() -> Vec<Why> {
    use crate::model::proxy::{BadProxy, Proxy, ProxyKind, ProxyProblem, ProxySource, ProxyUsed};
    let (text, host) = (|| "words of its own".to_owned(), || "hub.example:7870".to_owned());
    let problems = [
        ProxyProblem::NameNotFound,
        ProxyProblem::Unreachable { detail: text() },
        ProxyProblem::TimedOut,
        ProxyProblem::WantsLogin { was_told: false },
        ProxyProblem::WantsLogin { was_told: true },
        ProxyProblem::UnknownLogin { wants: "NTLM".to_owned() },
        ProxyProblem::Forbids { host: host(), code: 403 },
        ProxyProblem::NoWay { host: host(), code: 502 },
        ProxyProblem::NotAProxy { said: text() },
        ProxyProblem::WrongKind { kind: ProxyKind::Http },
        ProxyProblem::WrongKind { kind: ProxyKind::Https },
        ProxyProblem::WrongKind { kind: ProxyKind::Socks5 },
        ProxyProblem::TlsFailed { detail: text() },
    ];
    let sources = [ProxySource::Chosen, ProxySource::Variable("ALL_PROXY".to_owned()), ProxySource::System];
    let mut all = Vec::new();
    for source in sources {
        let address = Proxy::parse("http://me:x@proxy.example:3128").unwrap().address;
        let used = Box::new(ProxyUsed { address, source: source.clone() });
        let of_proxy = problems.iter().map(|problem| (Some(used.clone()), problem.clone()));
        all.extend(of_proxy.map(|(proxy, problem)| Why::Proxy { proxy, problem }));
        let bad = [
            BadProxy::Empty,
            BadProxy::TooLong,
            BadProxy::Scheme,
            BadProxy::Socks4,
            BadProxy::Host,
            BadProxy::Port,
            BadProxy::Path,
            BadProxy::Login,
        ];
        let bad = bad.map(|bad| ProxyProblem::Bad { source: source.clone(), bad });
        all.extend(bad.map(|problem| Why::Proxy { proxy: None, problem }));
    }
    all
}

fn refusals() -> [Refusal; 13] {
    [
        Refusal::NoSuchRoom,
        Refusal::NoSuchMessage,
        Refusal::NotYours,
        Refusal::NotAnEmoji,
        Refusal::TooLarge { limit: 65536 },
        Refusal::NotAllowed,
        Refusal::SlowDown { retry_after_ms: 1 },
        Refusal::Quota { retry_after_ms: 1 },
        Refusal::TooMany { limit: 500 },
        Refusal::NameAlike { name: RoomName::general() },
        Refusal::BadName { detail: "x".into() },
        Refusal::UnknownKind { kind: "x".into() },
        Refusal::Other { code: "x".into(), detail: "y".into() },
    ]
}

fn banners() -> [Banner; 14] {
    let path = PathBuf::from("client.db");
    [
        Banner::DiskFull,
        Banner::DiskLow,
        Banner::DiskReadOnly { detail: "x".into() },
        Banner::DatabaseSetAside { path: path.clone() },
        Banner::DatabaseNewer { path: path.clone() },
        Banner::ReadingsNotWritten { detail: "x".into() },
        Banner::ReadingsSetAside { path: path.clone() },
        Banner::SettingsSetAside { path },
        Banner::Restarted,
        Banner::ClosedUnexpectedly { note: None },
        Banner::ClosedUnexpectedly { note: Some("x".into()) },
        Banner::PartFailed { note: "x".into() },
        Banner::SecretNotKept { connection: crate::model::ConnectionId(1), detail: "x".into() },
        Banner::LinkNotOpened { url: "https://example.com".into(), detail: "x".into() },
    ]
}

const STATES: [StateWord; 6] = [
    StateWord::Connecting,
    StateWord::Online,
    StateWord::Waiting,
    StateWord::Suspended,
    StateWord::Stopped,
    StateWord::Off,
];
const BAD_ADDRESSES: [BadAddress; 15] = [
    BadAddress::Empty,
    BadAddress::TooLong,
    BadAddress::Space,
    BadAddress::NoUrl,
    BadAddress::Scheme,
    BadAddress::Userinfo,
    BadAddress::Host,
    BadAddress::Ipv4,
    BadAddress::Ipv6,
    BadAddress::Brackets,
    BadAddress::Zone,
    BadAddress::Port,
    BadAddress::Fragment,
    BadAddress::Invite,
    BadAddress::Fingerprint,
];

/// Names that are the same in every language.
const NAMES: [&str; 6] = ["TCP", "Duplex", "Socket.IO", "WebSocket", "WebSocket (ewebsock)", "ewebsock"];

fn is_hangul(c: char) -> bool {
    ('가'..='힣').contains(&c)
}

fn speaks(protocol: Protocol) -> TestOutcome {
    let found = Reached::Speaks { protocol, url: "wss://a.example/".into(), namespace: None };
    TestOutcome::Reached { found, took_ms: 12 }
}

fn tests_of_connections() -> [TestOutcome; 13] {
    let me = Principal {
        id: PrincipalId("m".into()),
        kind: PrincipalKind::Person,
        name: "Mina".into(),
        role: None,
    };
    [
        TestOutcome::Running,
        TestOutcome::Passed { me, server: "Workshop".into(), took_ms: 12 },
        TestOutcome::Reached { found: Reached::NoToken, took_ms: 12 },
        TestOutcome::Reached {
            found: Reached::InviteGood { server: "Workshop".into(), until: WallMs(1_790_000_000_000) },
            took_ms: 12,
        },
        TestOutcome::Reached { found: Reached::InviteUnknown, took_ms: 12 },
        speaks(Protocol::Duplex),
        speaks(Protocol::SocketIo),
        speaks(Protocol::Stomp),
        speaks(Protocol::Mqtt),
        speaks(Protocol::WebSocket),
        TestOutcome::Reached {
            found: Reached::Opened { subprotocol: Some("mqtt".into()), extensions: "x-a; b=1".into() },
            took_ms: 12,
        },
        TestOutcome::Reached {
            found: Reached::Opened { subprotocol: None, extensions: String::new() },
            took_ms: 12,
        },
        TestOutcome::Failed(Why::Silent),
    ]
}

/// All sentences into which nothing is inserted. A new one is missing here until it is named.
fn plain(words: &Words) -> Vec<&'static str> {
    macro_rules! all {
        ($($field:ident)*; $($other:ident)*) => {{
            let Words { $($field,)* $($other: _,)* } = words;
            vec![$(*$field),*]
        }};
    }
    let mut all = all![
        now retry_now connect disconnect catching_up protocol_duplex protocol_websocket protocol_socketio transport_websocket transport_tcp
        transport_ewebsock no_close_reasons no_connection connections connection_bar this_computer add_connection
        edit_connection remove_connection remove_text remove cancel new_room not_made create
        room_name_rule no_rooms messages replayed unknown_content waiting_to_send sending sent_unconfirmed may_not_have_arrived send_again not_sent retry edit
        delete copy show_less new_messages jump_to_newest loading_older older_on_server older_out_of_reach empty_room
        nothing_open scroll_bar today yesterday message send save sent_when_online editing
        sent_meanwhile add_title edit_title name name_hint address address_hint token token_hint_new
        token_hint_keep your_name your_name_hint your_name_needed your_name_rule kind_admin kind_device kind_integration kind_hint invite_found advanced ca_file ca_file_hint
        fingerprint fingerprint_hint bad_fingerprint socket socket_tungstenite socket_ewebsock
        ewebsock_limits connect_at_start test_button clear_text_warning first_title first_text
        first_stay first_stay_text first_join first_join_text first_later settings
        close dismiss resize_rooms resize_devices;
        state countdown why refusal paused banner bad_address test round_trip state_of more rooms_of remove_title
        making_room unmade unread mentions you said show_lines show_characters new_count room_begins gap typing
        people_online people_online_or_more rooms_left_out chat deep_link devices keys log notices search rich rooms sheet profiles people plain
        files
        mapping private
        socketio routes doctor
        stomp protocol_stomp topics mqtt protocol_mqtt proxy
        device_acts device_page day clock day_and_clock
        archive
        message_hint too_large
        address_taken_as use_address no_graphics client_certificate client_certificate_hint client_key
        client_key_hint join
    ];
    all.extend(STATES.map(words.state));
    all.extend(BAD_ADDRESSES.map(words.bad_address));
    all
}

/// All sentences with these two names and a number in them, and what of it each must show.
fn filled(words: &Words, one: &str, two: &str) -> Vec<(String, Vec<String>)> {
    let number = 41_u64;
    let both = || vec![one.to_owned(), two.to_owned()];
    let first = || vec![one.to_owned()];
    let count = || vec![number.to_string()];
    let people: Vec<String> = [one, two, "c", "d", "e"].map(str::to_owned).into();
    vec![
        ((words.countdown)(number), count()),
        ((words.round_trip)(number), count()),
        ((words.state_of)(one, two), both()),
        ((words.more)(one), first()),
        ((words.rooms_of)(one), first()),
        ((words.remove_title)(one), first()),
        ((words.making_room)(one), first()),
        ((words.paused)(&Refusal::SlowDown { retry_after_ms: 1 }, one), first()),
        ((words.paused)(&Refusal::Quota { retry_after_ms: 1 }, one), first()),
        ((words.unread)(number), count()),
        ((words.mentions)(number), count()),
        ((words.you)(one), first()),
        ((words.said)(one, two), both()),
        ((words.show_lines)(41), count()),
        ((words.show_characters)(41), count()),
        ((words.new_count)(number), count()),
        ((words.room_begins)(one), first()),
        ((words.gap)(one, two), both()),
        ((words.typing)(&people[..1]), first()),
        ((words.typing)(&people[..2]), both()),
        ((words.typing)(&people), vec![one.to_owned(), two.to_owned(), "3".to_owned()]),
        ((words.people_online)(41), count()),
        ((words.people_online_or_more)(41), count()),
        ((words.rooms_left_out)(41), count()),
        ((words.message_hint)(one), first()),
        ((words.too_large)(41 * 1024), vec!["41.0".to_owned(), "64".to_owned()]),
        ((words.address_taken_as)(one), first()),
        ((words.use_address)(one), first()),
        ((words.no_graphics)(one), first()),
    ]
}

#[test]
fn no_sentence_is_empty_or_in_another_language() {
    for language in ALL {
        let words = language.words();
        let in_it = |text: &str| {
            assert!(!text.trim().is_empty(), "{language:?}");
            let names = NAMES.contains(&text) || text.ends_with("ms");
            let hangul = text.chars().any(is_hangul);
            match language {
                Language::English => assert!(!hangul, "{text}"),
                Language::Korean => assert!(hangul || names, "{text}"),
            }
        };
        for text in plain(words) {
            // An address is an example in every language, and alone in none.
            in_it(text);
        }
        for sentence in whys().iter().map(words.why).chain(refusals().iter().map(words.refusal)) {
            in_it(&sentence.what);
            in_it(&sentence.then);
        }
        for sentence in banners().iter().map(words.banner) {
            in_it(&sentence.what);
            in_it(&sentence.then);
        }
        for outcome in tests_of_connections() {
            in_it(&(words.test)(&outcome).what);
        }
    }
}

#[test]
fn routes_are_spoken_of_in_each_language() {
    use crate::model::route::{Blocked, Route, RouteChoice, RouteInUse};
    let blocked = [
        Blocked::Refused(418),
        Blocked::Stripped,
        Blocked::Garbled,
        Blocked::Ended,
        Blocked::Unanswered,
        Blocked::Mute,
        Blocked::Cut,
    ];
    for language in ALL {
        let words = language.words().routes;
        let has_hangul = |text: &str| text.chars().any(is_hangul);
        let mut all = vec![words.transport.to_owned(), words.only_hint.to_owned()];
        let used = |route, delay_ms| RouteInUse { delay_ms, ..RouteInUse::new(route, Some(blocked[0])) };
        all.extend(Route::ALL.map(|route| (words.via)(&used(route, None))));
        let why = |why: &Blocked| RouteInUse { blocked: Some(*why), ..used(Route::Sse, None) };
        all.extend(blocked[1..].iter().map(|blocked| (words.via)(&why(blocked))));
        let mut different = all.clone();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), all.len(), "each says something of its own");
        let polling = (words.via)(&used(Route::Poll, Some(9_500)));
        assert!(polling.contains("10") && polling.contains("418"), "{polling}");
        for text in all {
            assert!(!text.trim().is_empty(), "{language:?}");
            assert_eq!(has_hangul(&text), language == Language::Korean, "{text}");
        }
        assert!(RouteChoice::all().all(|choice| !words.choice(choice).is_empty()));
    }
}

#[test]
fn files_are_spoken_of_in_each_language() {
    use crate::model::files::FileTrouble;
    let hangul = |text: &str| text.chars().any(is_hangul);
    let troubles = [
        FileTrouble::Unreachable,
        FileTrouble::TooLarge { limit: Some(1) },
        FileTrouble::TooLarge { limit: None },
        FileTrouble::Quota { limit: Some(1) },
        FileTrouble::Quota { limit: None },
        FileTrouble::ServerFull,
        FileTrouble::TooMany,
        FileTrouble::NotAllowed,
        FileTrouble::NotOffered,
        FileTrouble::Gone,
        FileTrouble::NoSuchFile,
        FileTrouble::Checksum,
        FileTrouble::Disk { detail: "x".into() },
        FileTrouble::Refused { detail: "x".into() },
    ];
    for language in ALL {
        let words = language.words().files;
        let files::FileWords {
            attach,
            file_named,
            picture_named,
            save,
            save_as,
            saved_to,
            show_in_folder,
            view,
            fetching,
            pending,
            copying,
            attached,
            waiting,
            uploading,
            sending,
            remove,
            trouble,
            drop_here,
            path,
            path_hint,
            add,
            viewer,
            zoom_in,
            zoom_out,
            fit,
            loading,
            not_a_picture,
        } = words;
        let mut all: Vec<String> = [
            attach,
            save,
            save_as,
            show_in_folder,
            view,
            pending,
            copying,
            attached,
            waiting,
            sending,
            drop_here,
            path,
            path_hint,
            add,
            viewer,
            zoom_in,
            zoom_out,
            fit,
            loading,
            not_a_picture,
        ]
        .map(|text| (*text).to_owned())
        .into();
        all.extend(troubles.iter().map(trouble));
        let filled = [
            (file_named("‹mina›", "x"), "‹mina›"),
            (file_named("x", "‹mina›"), "‹mina›"),
            (picture_named("‹mina›", "x"), "‹mina›"),
            (picture_named("x", "‹mina›"), "‹mina›"),
            (saved_to("‹mina›"), "‹mina›"),
            (remove("‹mina›"), "‹mina›"),
            (fetching(41), "41"),
            (uploading(41), "41"),
        ];
        for (text, shows) in filled {
            assert!(text.contains(shows), "{text}");
            all.push(text);
        }
        for text in all {
            assert!(!text.trim().is_empty() && hangul(&text) == (language == Language::Korean), "{text}");
        }
    }
}

#[test]
fn searching_speaks_each_language() {
    use crate::model::search::{Fault, Filter};
    let hangul = |text: &str| text.chars().any(is_hangul);
    let all = |words: &'static search::SearchWords| {
        let mut all: Vec<String> = [
            words.button,
            words.field,
            words.hint_everywhere,
            words.this_room,
            words.everywhere,
            words.close,
            words.help_title,
            words.help_text,
            words.results,
            words.not_sent,
            words.older,
            words.no_older,
            words.further,
            words.nothing,
            words.nothing_text,
            words.nothing_here,
            words.nobody,
            words.no_room,
            words.more_at_hub,
            words.disk_trouble,
            words.failed,
            words.go_to_date,
            words.date,
            words.date_hint,
            words.no_date,
            words.go,
            words.week_ago,
            words.beginning,
            words.none_at_all,
            words.go_to_oldest,
        ]
        .map(str::to_owned)
        .into();
        all.extend(words.help.map(|(_, meaning)| meaning.to_owned()));
        all.push((words.time_up)(None));
        let filters = [Filter::From, Filter::In, Filter::Before, Filter::After, Filter::Has];
        let empty = filters.map(|filter| (words.fault)(&Fault::Empty(filter)));
        for (text, filter) in empty.iter().zip(filters) {
            assert!(text.starts_with(filter.name()), "{text}");
        }
        all.extend(empty);
        all.push((words.fault)(&Fault::NoTime));
        let filled = [
            ((words.hint_room)("‹mina›"), "‹mina›"),
            ((words.count)(41, false), "41"),
            ((words.count)(41, true), "41"),
            ((words.time_up)(Some("‹mina›")), "‹mina›"),
            ((words.indexing)(41), "41"),
            ((words.none_since)("‹mina›", "x"), "‹mina›"),
            ((words.none_since)("x", "‹mina›"), "‹mina›"),
            ((words.older_at_hub)("‹mina›"), "‹mina›"),
            ((words.fault)(&Fault::NoDay(Filter::Before, "‹mina›".into())), "‹mina›"),
            ((words.fault)(&Fault::NoDay(Filter::After, "x".into())), "after:"),
        ];
        for (text, part) in filled {
            assert!(text.contains(part), "{text}");
            all.push(text);
        }
        for part in ["‹a›", "‹b›", "‹c›", "‹d›"] {
            assert!((words.hit)("‹a›", "‹b›", "‹c›", "‹d›").contains(part));
        }
        all
    };
    assert!(all(ENGLISH.search).iter().all(|text| !text.trim().is_empty() && !hangul(text)));
    assert!(all(KOREAN.search).iter().all(|text| hangul(text)));
    assert_eq!((ENGLISH.search.count)(1, false), "1 result");
}

#[test]
fn the_connection_log_speaks_each_language() {
    use crate::model::log::{Counts, Way};
    let hangul = |text: &str| text.chars().any(is_hangul);
    let all = |log: &'static log::LogWords| {
        let counts = |left_out| Counts { devices: 41, values: 42, left_out };
        let mut all: Vec<String> = [
            log.title,
            log.hint,
            log.list,
            log.resize,
            log.resize_line,
            log.filter,
            log.clear_filter,
            log.everything,
            log.only_received,
            log.only_sent,
            log.only_notes,
            log.any_kind,
            log.pause,
            log.go_on,
            log.copy_all,
            log.save,
            log.clear,
            log.close,
            log.note,
            log.binary,
            log.no_kind,
            log.copy_line,
            log.close_line,
            log.nothing_title,
            log.no_match,
        ]
        .map(str::to_owned)
        .into();
        all.extend([Way::Sent, Way::Received].map(|way| (log.way)(way).to_owned()));
        let filled = [
            ((log.title_of)("‹mina›"), "‹mina›"),
            ((log.lines)(41), "41"),
            ((log.matches)(41, 42), "41"),
            ((log.matches)(41, 42), "42"),
            ((log.show)("‹mina›"), "‹mina›"),
            ((log.kind)("‹mina›"), "‹mina›"),
            ((log.meanwhile)(41), "41"),
            ((log.saved)("‹mina›"), "‹mina›"),
            ((log.not_saved)("‹mina›"), "‹mina›"),
            ((log.counts)(&counts(0)), "41"),
            ((log.counts)(&counts(43)), "43"),
            ((log.state)("‹mina›", None), "‹mina›"),
            ((log.state)("x", Some("‹mina›")), "‹mina›"),
            ((log.malformed)("‹mina›"), "‹mina›"),
            ((log.server_error)("‹mina›", "x"), "‹mina›"),
            ((log.server_error)("x", "‹mina›"), "‹mina›"),
            ((log.cut)("‹mina›"), "‹mina›"),
            ((log.nothing_text)(41), "41"),
        ];
        for (text, part) in filled {
            assert!(text.contains(part), "{text}");
            all.push(text);
        }
        all
    };
    assert!(all(ENGLISH.log).iter().all(|text| !text.trim().is_empty() && !hangul(text)));
    assert!(all(KOREAN.log).iter().all(|text| hangul(text)));
    assert_eq!(((ENGLISH.log.lines)(1), (ENGLISH.log.lines)(2)), ("1 line".into(), "2 lines".into()));
}

#[test]
fn every_action_has_a_name_in_each_language() {
    use crate::ui::keys::{Group, TABLE};
    let all = |words: &'static keys::KeyWords| {
        let actions = TABLE.iter().map(|row| (words.action)(row.action));
        actions
            .chain(Group::ALL.map(words.group))
            .chain([
                words.title,
                words.rooms,
                words.chat,
                words.both,
                words.palette,
                words.palette_hint,
                words.palette_list,
                words.nothing_found,
                words.connection,
            ])
            .collect::<Vec<_>>()
    };
    let hangul = |text: &&str| text.chars().any(is_hangul);
    assert!(all(ENGLISH.keys).iter().all(|text| !text.trim().is_empty() && !hangul(text)));
    assert!(all(KOREAN.keys).iter().all(hangul));
    for words in [ENGLISH.keys, KOREAN.keys] {
        let mut names: Vec<_> = TABLE.iter().map(|row| (words.action)(row.action)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len(), "two actions have one name");
    }
}

#[test]
fn links_code_and_selections_speak_each_language() {
    let hangul = |text: &str| text.chars().any(is_hangul);
    let all = |rich: &'static rich::RichWords| {
        let plain = [
            rich.copy_code,
            rich.open_title,
            rich.leads_to,
            rich.open,
            rich.copy_address,
            rich.copy_selected,
            rich.clear_selection,
            rich.message_menu,
            rich.mentions_you,
            rich.people_found,
            rich.emoji_found,
            rich.save_as_file,
            rich.paste_no_answer,
            rich.paste_no_text,
            rich.show_people,
            rich.people_list,
            rich.filter_people,
            rich.no_person_found,
            rich.only_you,
        ];
        let mut all: Vec<String> = plain.map(str::to_owned).into();
        let filled = [
            ((rich.code_in)("‹mina›", "x"), "‹mina›"),
            ((rich.code_in)("x", "‹mina›"), "‹mina›"),
            ((rich.other_than_text)("‹mina›", "x"), "‹mina›"),
            ((rich.other_than_text)("x", "‹mina›"), "‹mina›"),
            ((rich.user_in_address)("‹mina›", "x"), "‹mina›"),
            ((rich.user_in_address)("x", "‹mina›"), "‹mina›"),
            ((rich.letters)("‹mina›"), "‹mina›"),
            ((rich.mixed_alphabets)("‹mina›"), "‹mina›"),
            ((rich.selected)(41), "41"),
            ((rich.people_left_out)(41), "41"),
            ((rich.online_section)(41), "41"),
            ((rich.offline_section)(41), "41"),
            ((rich.devices_section)(41), "41"),
            ((rich.mention)("‹mina›"), "‹mina›"),
            ((rich.with_new_line)("‹mina›", "x"), "‹mina›"),
            ((rich.with_new_line)("x", "‹mina›"), "‹mina›"),
            ((rich.paste_saved)("‹mina›"), "‹mina›"),
            ((rich.paste_not_saved)("‹mina›"), "‹mina›"),
            ((rich.paste_too_long)(41, 42), "41"),
            ((rich.paste_too_long)(41, 42), "42"),
        ];
        for (text, part) in filled {
            assert!(text.contains(part), "{text}");
            all.push(text);
        }
        all
    };
    assert!(all(ENGLISH.rich).iter().all(|text| !text.trim().is_empty() && !hangul(text)));
    assert!(all(KOREAN.rich).iter().all(|text| hangul(text)));
    for language in ALL {
        let said = (language.words().rich.suggestion)("‹mina›", 41, 42);
        assert!(["‹mina›", "41", "42"].iter().all(|part| said.contains(part)), "{said}");
    }
    let (one, two) = ((ENGLISH.rich.selected)(1), (ENGLISH.rich.selected)(2));
    assert_eq!((one.as_str(), two.as_str()), ("1 message selected", "2 messages selected"));
}

#[test]
fn what_is_inserted_appears_whole() {
    for language in ALL {
        for (sentence, parts) in filled(language.words(), "‹mina›", "‹정우›") {
            for part in parts {
                assert!(sentence.contains(&part), "{language:?}: {sentence} lacks {part}");
            }
        }
    }
}

#[test]
fn korean_particles_stand_whatever_a_name_ends_with() {
    // With a final consonant and without one the rest of the sentence is the same, and no particle is doubled.
    let (with, without) = (filled(&KOREAN, "작업실", "정민"), filled(&KOREAN, "회의", "미나"));
    for ((one, _), (other, _)) in with.iter().zip(&without) {
        let bare = one.replace("작업실", "회의").replace("정민", "미나");
        assert_eq!(bare, *other);
        for choosy in ["은", "는", "이", "가", "을", "를", "와", "과", "으로", "로", "이라는", "라는"]
        {
            for name in ["작업실", "정민"] {
                let after = format!("{name}{choosy} ");
                assert!(!one.contains(&after), "{one}");
            }
        }
        assert!(!one.contains("(이)") && !one.contains("(는)") && !one.contains("(가)"), "{one}");
    }
}

#[test]
fn one_and_many_are_told_apart() {
    assert_eq!(
        ((ENGLISH.unread)(1), (ENGLISH.unread)(2)),
        ("1 unread message".into(), "2 unread messages".into())
    );
    assert_eq!(
        ((ENGLISH.new_count)(1), (ENGLISH.new_count)(2)),
        ("1 new message".into(), "2 new messages".into())
    );
    assert_eq!(
        ((KOREAN.unread)(1), (KOREAN.unread)(2)),
        ("읽지 않은 메시지 1개".into(), "읽지 않은 메시지 2개".into())
    );
}

#[test]
fn days_and_times_are_written_as_the_language_does() {
    use chrono::TimeZone;
    let at = chrono::Local.with_ymd_and_hms(2025, 10, 5, 9, 7, 0).unwrap();
    let at = WallMs(at.timestamp_millis());
    assert_eq!((ENGLISH.day)(at), "Sunday, 5 October 2025");
    assert_eq!((KOREAN.day)(at), "2025년 10월 5일 일요일");
    assert_eq!((ENGLISH.day_and_clock)(at), "5 October 2025, 09:07");
    assert_eq!((KOREAN.day_and_clock)(at), "2025년 10월 5일 09:07");
    let [english, korean] = ALL.map(|language| language.words_with(Hours::Twelve));
    let (morning, evening, midnight) = (at, at + 12 * 3_600_000, at + 15 * 3_600_000 - 420_000);
    assert_eq!([morning, evening, midnight].map(english.clock), ["9:07 AM", "9:07 PM", "12:00 AM"]);
    assert_eq!([morning, evening, midnight].map(korean.clock), ["오전 9:07", "오후 9:07", "오전 12:00"]);
    assert_eq!((english.day_and_clock)(evening), "5 October 2025, 9:07 PM");
    assert_eq!((korean.day_and_clock)(evening), "2025년 10월 5일 오후 9:07");
    assert_eq!((english.device_page.moment)(evening, 60_000), "9:07:00 PM");
    assert_eq!((korean.device_page.moment)(evening, 60_000), "오후 9:07:00");
    assert_eq!((english.device_page.tick)(evening, 600_000), "9:07 PM");
    assert_eq!((korean.device_page.tick)(evening, 600_000), "오후 9:07");
    for language in ALL {
        // Rows of the chat keep their time of day through a change of language.
        assert_eq!((language.words().clock)(at), "09:07");
        assert_eq!((language.words().day)(WallMs(i64::MAX)), "?");
    }
}

#[test]
fn every_reason_says_what_happened_and_what_to_do() {
    for language in ALL {
        let words = language.words();
        for reason in whys() {
            let Sentence { what, then } = (words.why)(&reason);
            assert!(what.chars().count() > 8 && what.ends_with(['.', '”']), "{reason:?}: {what}");
            assert!(then.chars().count() > 8 && then.ends_with('.'), "{reason:?}: {then}");
        }
        let kicked = Why::Closed {
            code: Some(4001),
            reason: "kicked".into(),
            retry_after_ms: None,
            closing: Closing::ByServer,
        };
        assert!((words.why)(&kicked).what.contains("“kicked”"));
        let sentences = refusals().map(|refusal| (words.refusal)(&refusal)).into_iter();
        for Sentence { what, then } in sentences.chain(banners().map(|banner| (words.banner)(&banner))) {
            assert!(what.ends_with('.') && then.ends_with('.'), "{what} | {then}");
        }
        for bad in BAD_ADDRESSES {
            assert!((words.bad_address)(bad).ends_with('.'));
        }
    }
}

#[test]
fn words_from_outside_are_harmless() {
    for language in ALL {
        let why = Why::Closed {
            code: Some(4001),
            reason: "bye\u{202E}\nnow".into(),
            retry_after_ms: None,
            closing: Closing::ByServer,
        };
        let sentence = (language.words().why)(&why);
        assert!(!sentence.what.contains(['\u{202E}', '\n']), "{}", sentence.what);
    }
}

#[test]
fn the_system_s_language_is_taken_where_it_is_one_of_ours() {
    for korean in ["ko", "ko-KR", "ko_KR.UTF-8", "KO", "ko-Kore-KR"] {
        assert_eq!(Language::of_locale(korean), Language::Korean);
    }
    for other in ["", "C", "POSIX", "en-GB", "kok-IN", "de_DE@euro"] {
        assert_eq!(Language::of_locale(other), Language::English);
    }
    assert_eq!(Language::Korean.chosen(LanguageChoice::System), Language::Korean);
    assert_eq!(Language::Korean.chosen(LanguageChoice::English), Language::English);
    assert_eq!(Language::English.chosen(LanguageChoice::Korean), Language::Korean);
}

/// The source of all views but their words.
fn views(folder: &std::path::Path, out: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("src/ui/text") && !path.ends_with("tests") {
                views(&path, out);
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            // Tests may say what they like.
            let shipped = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
            out.push((path, shipped));
        }
    }
}

fn shipped() -> Vec<(PathBuf, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    views(&root.join("src/ui"), &mut all);
    all
}

#[test]
fn every_sentence_is_said_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ui/text");
    let mut elsewhere = Vec::new();
    views(&root.join("../../app"), &mut elsewhere);
    let mut said: String = shipped().into_iter().chain(elsewhere).map(|(_, source)| source).collect();
    let mut fields = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "tests" {
            continue;
        }
        // A language may say one sentence in another; what only declares or fills the table does not count.
        let declares = |line: &&str| line.starts_with("    pub ");
        fields.extend(source.lines().filter(declares).filter_map(|line| {
            Some((name.clone(), line.strip_prefix("    pub ")?.split(':').next()?.to_owned()))
        }));
        said.extend(
            source
                .lines()
                .filter(|line| !declares(line) && !line.starts_with("    ") || line.contains("self.")),
        );
    }
    assert!(fields.len() > 200, "{}", fields.len());
    let is_said = |field: &str| {
        said.match_indices(&format!(".{field}")).any(|(at, found)| {
            !said[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    };
    let unsaid: Vec<_> = fields.iter().filter(|(_, field)| !field.contains(' ') && !is_said(field)).collect();
    assert!(unsaid.is_empty(), "nobody says {unsaid:?}");
}

/// What a view may write out itself: signs, units and names that are the same in every language.
const SIGNS: [&str; 8] = [
    "MiB",
    "GiB",
    "Duplex",
    "WebSocket",
    "mailto:",
    "localhost#sha256=",
    "xn--",
    "duplexctl agent --url ://",
];

#[test]
fn no_view_has_words_of_its_own() {
    let says = [
        "label(\"",
        "button(\"",
        "text(\"",
        "hint_text(\"",
        "RichText::new(\"",
        "Label::new(\"",
        "Button::new(\"",
        "plain(\"",
        "heading(\"",
        "on_hover_text(\"",
        "accessible_name(\"",
        "set_label(\"",
        "set_value(\"",
        "set_description(\"",
        "format!(\"",
    ];
    let mut own = Vec::new();
    for (path, source) in shipped() {
        for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for call in says {
                for (at, found) in line.match_indices(call) {
                    let text = line[at + found.len()..].split('"').next().unwrap_or_default();
                    // What is inserted is not written here.
                    let mut plain = String::new();
                    let mut depth = 0_usize;
                    for c in text.chars() {
                        match c {
                            '{' => depth += 1,
                            '}' => depth = depth.saturating_sub(1),
                            _ if depth == 0 => plain.push(c),
                            _ => {}
                        }
                    }
                    for sign in SIGNS {
                        plain = plain.replace(sign, "");
                    }
                    if plain.split(|c: char| !c.is_alphabetic()).any(|word| word.chars().count() > 1) {
                        own.push(format!("{}: {}", path.file_name().unwrap().display(), line.trim()));
                    }
                }
            }
        }
    }
    assert!(own.is_empty(), "{}", own.join("\n"));
}

#[test]
fn what_is_chosen_for_devices_and_saved_is_told_in_each_language() {
    use crate::model::export::ExportFailure;
    let all = |acts: &'static device_acts::ActWords| {
        let (folder, detail) = ("‹a›".to_owned(), "‹b›".to_owned());
        let mut all: Vec<String> = [
            acts.rename,
            acts.group,
            acts.pin,
            acts.unpin,
            acts.hide,
            acts.unhide,
            acts.unmute,
            acts.copy_id,
            acts.readings,
            acts.merge,
            acts.readings_text,
            acts.no_unit,
            acts.reset_readings,
            acts.merge_text,
            acts.merge_filter,
            acts.merge_nothing,
            acts.merge_none_fits,
            acts.separate,
            acts.name,
            acts.rename_text,
            acts.reset_name,
            acts.group_name,
            acts.group_text,
            acts.no_group,
            acts.undo,
            acts.save,
            acts.save_csv,
            acts.save_picture,
            acts.saving,
            acts.picture_part,
            acts.show_in_folder,
            acts.copy_path,
        ]
        .map(str::to_owned)
        .into();
        for failure in [
            ExportFailure::NoFolder,
            ExportFailure::DiskFull,
            ExportFailure::Denied { folder: folder.clone() },
            ExportFailure::NotWritten { folder, detail: detail.clone() },
            ExportFailure::NotRead { detail },
            ExportFailure::Busy,
            ExportFailure::Gone,
        ] {
            all.push((acts.not_saved)(&failure));
        }
        for named in [
            acts.rename_title,
            acts.group_title,
            acts.use_group,
            acts.renamed,
            acts.ungrouped,
            acts.hidden,
            acts.shown,
            acts.readings_title,
            acts.show_reading,
            acts.reading_name,
            acts.reading_unit,
            acts.merge_title,
            acts.merge_with,
            acts.merged_part,
            acts.separate_part,
            acts.readings_changed,
            acts.separated,
            acts.cut,
        ] {
            let said = named("‹kiln›");
            assert!(said.contains("‹kiln›"), "{said}");
            all.push(said);
        }
        for said in [acts.grouped, acts.on_server, acts.merged].map(|named| named("‹kiln›", "‹shed›"))
        {
            assert!(said.contains("‹kiln›") && said.contains("‹shed›"), "{said}");
            all.push(said);
        }
        for rows in [None, Some(1), Some(7)] {
            let said = (acts.saved)("‹path›", rows);
            assert!(said.contains("‹path›"), "{said}");
            all.push(said);
        }
        all.extend([acts.full, acts.bad_name, acts.merge_more, acts.merge_full].map(|counted| counted(7)));
        all.extend([1, 7].map(acts.hidden_readings));
        all
    };
    let is_korean = |text: &String| text.chars().any(is_hangul);
    assert!(all(ENGLISH.device_acts).iter().all(|text| !text.trim().is_empty() && !is_korean(text)));
    for text in all(KOREAN.device_acts) {
        assert!(is_korean(&text), "{text}");
    }
}

#[test]
fn who_may_come_in_is_told_in_each_language() {
    use crate::model::rights::ManageRefusal;
    let hangul = |text: &str| text.chars().any(is_hangul);
    let all = |people: &'static people::PeopleWords| {
        let plain = [
            people.menu,
            people.people,
            people.invites,
            people.devices,
            people.loading,
            people.not_connected,
            people.nobody,
            people.no_invites,
            people.no_devices,
            people.owner,
            people.admin,
            people.person,
            people.device,
            people.you,
            people.online,
            people.offline,
            people.rename,
            people.new_token,
            people.make_admin,
            people.make_person,
            people.roles,
            people.change_role,
            people.set_status,
            people.status_hint,
            people.status_text,
            people.clear_status,
            people.remove,
            people.remove_device,
            people.remove_really,
            people.new_name,
            people.own_token_text,
            people.token_really,
            people.admin_really,
            people.person_really,
            people.token_once,
            people.own_token_once,
            people.publish_with,
            people.copy_token,
            people.copy_command,
            people.copy_link,
            people.copy_duplex_link,
            people.done,
            people.new_invite,
            people.good_for,
            people.as_admin,
            people.make_invite,
            people.link,
            people.remove_invite_title,
            people.remove_invite_text,
            people.device_id,
            people.device_name,
            people.add_device,
            people.saved,
        ];
        let named = [
            people.title,
            people.more,
            people.rename_title,
            people.remove_title,
            people.remove_text,
            people.remove_device_title,
            people.remove_device_text,
            people.removed_device,
            people.token_title,
            people.token_text,
            people.device_token_text,
            people.admin_title,
            people.admin_text,
            people.person_title,
            people.person_text,
            people.role_title,
            people.token_of,
            people.link_once,
            people.used_by,
            people.good_until,
            people.expired,
            people.made_by,
            people.remove_invite,
            people.removed,
        ];
        let mut all: Vec<String> =
            plain.into_iter().chain(ManageRefusal::ALL.map(people.refused)).map(str::to_owned).collect();
        for name in named {
            let text = name("‹mina›");
            assert!(text.contains("‹mina›"), "{text}");
            all.push(text);
        }
        all.push((people.days)(7));
        for role in crate::model::Role::ALL {
            all.extend([(people.role)(role), (people.role_text)(role)].map(str::to_owned));
        }
        all
    };
    assert!(all(ENGLISH.people).iter().all(|text| !text.trim().is_empty() && !hangul(text)));
    for text in all(KOREAN.people) {
        assert!(hangul(&text), "{text}");
    }
    assert_eq!(((ENGLISH.people.days)(1), (ENGLISH.people.days)(7)), ("1 day".into(), "7 days".into()));
}

#[test]
fn every_sentence_about_links_is_there_in_both_languages() {
    use crate::model::deep_link::BadLink;
    for language in ALL {
        let words = language.words().deep_link;
        let bad = [
            BadLink::Scheme,
            BadLink::TooLong,
            BadLink::Address(BadAddress::Host),
            BadLink::Path,
            BadLink::Room,
            BadLink::Message,
        ];
        let plain = [
            words.copy_room_link,
            words.copy_message_link,
            words.bad_title,
            words.other_computer,
            words.add_title,
            words.add,
            words.join_title,
            words.join,
            words.known_title,
            words.server,
            words.continue_adding,
            words.use_invite,
            words.open_server,
            words.no_room_title,
            words.no_message_title,
            words.no_message,
        ];
        let filled = [
            (words.known)("‹one›"),
            (words.claimed_name)("‹one›"),
            (words.no_room)("‹one›", "‹two›"),
            (words.no_room_offline)("‹one›", "‹two›"),
        ];
        assert!(filled.iter().all(|text| text.contains("‹one›")));
        assert!(filled[2..].iter().all(|text| text.contains("‹two›")));
        let all = plain.into_iter().chain(bad.map(words.bad)).map(str::to_owned).chain(filled);
        for text in all {
            assert_eq!(text.chars().any(is_hangul), language == Language::Korean, "{text}");
        }
    }
}

#[test]
fn every_sentence_about_the_app_itself_is_there_in_both_languages() {
    for language in ALL {
        let words = language.words().sheet;
        let detail = (words.autostart_failed)("‹one›");
        assert!(detail.contains("‹one›"));
        for text in [
            words.logs,
            words.logs_text,
            words.logs_show,
            words.autostart,
            words.autostart_text,
            &detail,
            words.crash_title,
            words.crash_text,
            words.crash_show,
            words.crash_copy,
        ] {
            assert_eq!(text.chars().any(is_hangul), language == Language::Korean, "{text}");
        }
    }
}

#[test]
fn every_sentence_about_mqtt_is_there_in_both_languages() {
    use crate::model::mqtt::BadTopic;
    for language in ALL {
        let words = language.words().mqtt;
        let bad = [
            BadTopic::Empty,
            BadTopic::TooMuch,
            BadTopic::Control,
            BadTopic::Wildcard("‹one›".to_owned()),
            BadTopic::NoWildcard,
            BadTopic::Qos,
        ];
        let bad = bad.map(|bad| (words.bad)(&bad));
        assert!(bad[3].contains("‹one›"));
        let plain = [
            words.address_hint,
            words.user_hint,
            words.headers,
            words.subscriptions,
            words.subscriptions_help,
            words.chats,
            words.your_name,
            words.your_name_hint,
            words.chat,
            words.chat_help,
            words.client_id,
            words.client_id_hint,
            words.version_automatic,
            words.keeps_session,
            words.exactly_once,
        ];
        for text in plain.into_iter().chain(bad.iter().map(String::as_str)) {
            assert_eq!(text.chars().any(is_hangul), language == Language::Korean, "{text}");
        }
        for code in 0..=255 {
            let text = (words.reason)(code);
            assert_eq!(text.chars().any(is_hangul), language == Language::Korean, "{text}");
        }
    }
}

#[test]
fn every_sentence_about_stomp_is_there_in_both_languages() {
    use crate::model::stomp::BadDestination;
    for language in ALL {
        let words = language.words().stomp;
        let bad = [
            BadDestination::Empty,
            BadDestination::TooMuch,
            BadDestination::Control,
            BadDestination::Header("‹one›".to_owned()),
            BadDestination::Reserved("‹one›".to_owned()),
        ];
        let bad = bad.map(|bad| (words.bad)(&bad));
        assert!(bad[3..].iter().all(|text| text.contains("‹one›")));
        let plain = [
            words.address_hint,
            words.user_hint,
            words.headers,
            words.destinations,
            words.destinations_help,
            words.host,
            words.host_hint,
        ];
        for text in plain.map(str::to_owned).into_iter().chain(bad) {
            assert_eq!(text.chars().any(is_hangul), language == Language::Korean, "{text}");
        }
    }
}

#[test]
fn every_sentence_about_proxies_is_there_in_both_languages() {
    use crate::model::proxy::{BadProxy, Proxy, ProxySource, ProxyUsed};
    for language in ALL {
        let words = language.words().proxy;
        let address = Proxy::parse("http://me@proxy.example:3128").unwrap().address;
        let source = ProxySource::System;
        let used = ProxyUsed { address, source };
        let told = [(words.used)(&used), (words.opened)(&used)];
        assert!(told.iter().all(|text| text.contains("http://proxy.example:3128") && !text.contains("me@")));
        let bad = [BadProxy::Empty, BadProxy::Scheme, BadProxy::Socks4, BadProxy::Host, BadProxy::Port];
        let bad = bad.into_iter().chain([BadProxy::TooLong, BadProxy::Path, BadProxy::Login]);
        let plain = [
            words.proxy,
            words.automatic,
            words.none,
            words.other,
            words.address,
            words.address_hint,
            words.password,
            words.password_new,
            words.password_keep,
            words.help,
            words.ewebsock,
        ];
        let plain = plain.into_iter().chain(bad.map(words.bad)).map(str::to_owned);
        for text in plain.chain(told) {
            assert_eq!(text.chars().any(is_hangul), language == Language::Korean, "{text}");
        }
    }
}

#[test]
fn every_sentence_about_rooms_is_there_in_both_languages() {
    use super::rooms::RoomEvent;
    use crate::model::permit::{Denied, RoomAct};
    let acts = [
        RoomAct::Rename,
        RoomAct::SetTopic,
        RoomAct::Archive,
        RoomAct::Unarchive,
        RoomAct::Leave,
        RoomAct::Join,
    ];
    for language in ALL {
        let words = language.words().rooms;
        let plain = [
            words.menu,
            words.name,
            words.topic,
            words.archive_text,
            words.browse,
            words.find,
            words.none_found,
            words.open,
            words.is_archived,
            words.is_left,
            words.guest,
            words.archived,
            words.left,
            words.left_private,
        ];
        let mut all: Vec<String> = plain.map(str::to_owned).to_vec();
        all.extend(acts.map(|act| (words.act)(act).to_owned()));
        all.extend([Denied::NotYours, Denied::General].map(|why| (words.denied)(why).to_owned()));
        for title in [words.rename_title, words.topic_title, words.archive_title] {
            let title = title("‹room›");
            assert!(title.contains("‹room›"));
            all.push(title);
        }
        all.push((words.act_on)(RoomAct::Rename, "‹room›"));
        all.push((words.archived_rooms)(7));
        for event in [
            RoomEvent::NoTopic,
            RoomEvent::Archived,
            RoomEvent::Unarchived,
            RoomEvent::Joined,
            RoomEvent::Left,
        ] {
            let said = (words.event)("‹one›", event);
            assert!(said.contains("‹one›"), "{said}");
            all.push(said);
        }
        for event in [
            RoomEvent::Renamed("‹two›"),
            RoomEvent::Topic("‹two›"),
            RoomEvent::Invited("‹two›"),
            RoomEvent::Removed("‹two›"),
        ] {
            let said = (words.event)("‹one›", event);
            assert!(said.contains("‹one›") && said.contains("‹two›"), "{said}");
            all.push(said);
        }
        for text in all {
            assert_eq!(text.chars().any(is_hangul), language == Language::Korean, "{text}");
        }
    }
}

#[test]
fn every_sentence_about_topics_is_there_in_both_languages() {
    use crate::model::publication::{Properties, Qos};
    use crate::model::topic::{PublishOutcome, Subscribed};
    use crate::ui::text::topics::{Facts, FormProblem, Totals};
    for language in ALL {
        let all = language.words();
        let words = all.topics;
        let totals =
            Totals { topics: 1_234, messages: 56_789, rate_milli: 12_345, left_out: 1, unlisted: 2_000 };
        let facts = Facts { topics: 3, messages: 4, bytes: Some(5), rate_milli: 16 };
        let properties = Properties {
            is_text: true,
            content_type: "t".into(),
            response_topic: "r".into(),
            correlation: vec![0xff],
            expiry_s: Some(60),
            user: vec![("u".into(), "v".into())],
        };
        let problems = [
            FormProblem::NoTopic,
            FormProblem::Wildcard,
            FormProblem::BadTopic,
            FormProblem::BadFilter,
            FormProblem::Hex,
            FormProblem::TooLong,
            FormProblem::Expiry,
            FormProblem::UserProperty,
            FormProblem::UserProperties,
        ];
        let refused = || PublishOutcome::Refused { code: 0x97, reason: "quota".into() };
        let outcomes = [
            PublishOutcome::Sent,
            PublishOutcome::Confirmed { unheard: false },
            PublishOutcome::Confirmed { unheard: true },
            PublishOutcome::Unsure,
            PublishOutcome::NotSent,
            refused(),
        ];
        let mut sentences: Vec<String> =
            problems.iter().map(|problem| (words.problem)(*problem).to_owned()).collect();
        sentences.extend(outcomes.iter().map(words.outcome));
        sentences.extend([
            (words.totals)(all, &totals),
            (words.facts)(all, &facts),
            (words.clear_text)(all, 2),
        ]);
        sentences.extend((words.not_shown)(all, &totals));
        sentences.push((words.subscribed)(&Subscribed::Pending));
        for sentence in sentences {
            let hangul = sentence.chars().any(is_hangul);
            assert_eq!(hangul, language == Language::Korean, "{sentence}");
        }
        assert!(
            (words.outcome)(&refused()).contains("quota") && (words.outcome)(&refused()).contains("0x97")
        );
        assert_eq!((words.properties)(&properties).len(), 6);
        assert_eq!((words.not_shown)(all, &Totals { left_out: 0, unlisted: 0, ..totals }), None);
        let totals = (words.totals)(all, &totals);
        assert!(["1,234", "12", "56,789"].iter().all(|number| totals.contains(number)), "{totals}");
        // A topic that speaks once a minute has a rate, too.
        assert!(
            (words.rate)(all, 16).contains("57") || (words.rate)(all, 16).contains("58"),
            "{}",
            (words.rate)(all, 16)
        );
        assert!((words.qos)(Qos::ExactlyOnce).contains('2'));
    }
}
