//! Verdicts and words: what a report comes to, in both languages.

use std::net::SocketAddr;

use super::*;
use crate::model::diagnosis::{Answer, Certificate, Dial, Distrust, Found, RouteReport, Step, Tls, Trust};
use crate::model::link_state::Phase;
use crate::model::profile::Protocol;
use crate::model::time::WallMs;

fn say(why: &Why) -> Said {
    Said::new(format!("<{}>", why.code()), "")
}

fn address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 7870))
}

fn step(found: Found, failed: Option<Why>) -> Step {
    Step { found, took_us: 1_234, failed }
}

fn name() -> Step {
    step(Found::Name { host: "hub.example".into(), addresses: vec![address().ip()] }, None)
}

fn tcp(failed: Option<Why>) -> Step {
    step(Found::Tcp(vec![Dial { address: address(), took_us: 900, failed: failed.clone() }]), failed)
}

fn tls(distrust: Option<Distrust>) -> Step {
    let certificate = Certificate {
        subject: "CN=hub.example".into(),
        issuer: "CN=Example CA".into(),
        names: vec!["hub.example".into()],
        from: day(2020, 1, 1),
        until: day(2026, 11, 20),
        fingerprint: "ab".repeat(32),
    };
    let trust = distrust.is_none().then(|| Trust::System("CN=Example CA".into()));
    let failed = distrust.as_ref().map(|_| Why::TlsUntrusted { detail: "x".into() });
    let tls = Tls { version: "TLS 1.3".into(), chain: vec![certificate], trust, distrust };
    step(Found::Tls(Box::new(tls)), failed)
}

fn day(year: i32, month: u32, day: u32) -> WallMs {
    let date = chrono::NaiveDate::from_ymd_opt(year, month, day).unwrap();
    WallMs(date.and_hms_opt(12, 0, 0).unwrap().and_utc().timestamp_millis())
}

fn answer(status: u16, is_of_duplex: bool) -> Option<Answer> {
    Some(Answer { status, is_of_duplex, ..Answer::default() })
}

fn handshake(answer: Option<Answer>, failed: Option<Why>) -> Step {
    step(Found::Handshake { answer, subprotocol: None, extensions: String::new() }, failed)
}

fn works(route: Route) -> RouteReport {
    RouteReport {
        works: Some(true),
        first_message_us: Some(1_300),
        samples: 100,
        rtt_p50_us: Some(210),
        rtt_p99_us: Some(12_345),
        bytes_up: Some(106),
        bytes_down: Some(102),
        idle_requests_per_hour: Some(144),
        ..RouteReport::unknown(route)
    }
}

fn lost() -> Why {
    Why::Lost { detail: "reset".into() }
}

fn http(status: u16) -> Why {
    Why::Http { status, retry_after_ms: None }
}

fn report(steps: Vec<Step>, routes: Vec<RouteReport>) -> Report {
    Report {
        address: "wss://hub.example:7870/v1/socket".into(),
        began: day(2026, 11, 30),
        took_ms: 2_345,
        steps,
        login: Login::In,
        routes,
        ..Report::default()
    }
}

fn all_work() -> Vec<RouteReport> {
    Route::ALL.map(works).to_vec()
}

/// The WebSocket fails, and these work.
fn without_websocket(why: Why, working: &[Route]) -> Vec<RouteReport> {
    let of = |route: Route| match working.contains(&route) {
        true => works(route),
        false => RouteReport::failed(route, why.clone()),
    };
    Route::ALL.map(of).to_vec()
}

/// Every kind of report, with what it must come to.
///
/// Long: a table.
fn reports() -> Vec<(Report, Verdict)> {
    let way = || vec![name(), tcp(None)];
    let at = || "hub.example:7870".to_owned();
    let upgraded = || handshake(answer(101, true), None);
    let untrusted = |distrust: Distrust, of: &str, at| {
        let verdict =
            Verdict::Untrusted { distrust: distrust.clone(), host: "hub.example".into(), of: of.into(), at };
        (report(vec![name(), tcp(None), tls(Some(distrust))], Vec::new()), verdict)
    };
    let fallback = |answer: Option<Answer>, why: Why, blocked| {
        let steps = vec![name(), tcp(None), handshake(answer, Some(why.clone()))];
        let routes = without_websocket(why, &[Route::LongPoll, Route::Poll]);
        (report(steps, routes), Verdict::Fallback { to: Route::LongPoll, blocked })
    };
    let no_route = |answers: [Option<Answer>; 2], why: Why| {
        let [http, upgrade] = answers;
        let steps =
            vec![name(), tcp(None), step(Found::Http(http), None), handshake(upgrade, Some(why.clone()))];
        report(steps, without_websocket(why, &[]))
    };
    let page = |location: Option<&str>, status| {
        Some(Answer { status, is_page: true, location: location.map(Into::into), ..Answer::default() })
    };
    let not_found = Why::NameNotFound { host: "hub.example".into() };
    let silent = Why::TimedOut { during: Phase::Handshake };
    let broken = |routes: &[Route]| {
        let mut all = all_work();
        for one in all.iter_mut().filter(|one| routes.contains(&one.route)) {
            *one = RouteReport::failed(one.route, silent.clone());
        }
        all
    };
    let nobody = |routes| Report { login: Login::NoCredentials, ..report(way(), routes) };
    let refused = Report { login: Login::Refused(Why::Unauthorized), ..report(way(), all_work()) };
    let foreign = |failed: Option<Why>| Report {
        protocol: Protocol::Mqtt,
        ..report(vec![name(), tcp(None), handshake(None, failed)], Vec::new())
    };
    vec![
        (report([way(), vec![upgraded()]].concat(), all_work()), Verdict::Works),
        (report(Vec::new(), Vec::new()), Verdict::Unfinished),
        (report(way(), Route::ALL.map(RouteReport::unknown).to_vec()), Verdict::Unfinished),
        (nobody(all_work()), Verdict::Reached),
        (refused, Verdict::LoginRefused(Why::Unauthorized)),
        (
            report(way(), broken(&[Route::Sse, Route::Stream])),
            Verdict::WebSocketOnly { broken: vec![Route::Sse, Route::Stream] },
        ),
        fallback(answer(426, true), http(426), Some(Blocked::Stripped)),
        fallback(answer(403, false), http(403), Some(Blocked::Refused(403))),
        fallback(answer(101, true), Why::Silent, Some(Blocked::Mute)),
        fallback(None, silent.clone(), Some(Blocked::Unanswered)),
        fallback(None, lost(), Some(Blocked::Ended)),
        fallback(None, Why::NotWebSocket { detail: "x".into() }, Some(Blocked::Garbled)),
        fallback(answer(503, true), http(503), None),
        (
            no_route([page(None, 200), page(None, 200)], http(200)),
            Verdict::Page { status: 200, location: None },
        ),
        (
            no_route([page(Some("http://portal.example/"), 302), None], http(302)),
            Verdict::Page { status: 302, location: Some("http://portal.example/".into()) },
        ),
        (no_route([answer(511, false), None], http(511)), Verdict::SignIn { status: 511 }),
        (no_route([None, answer(407, false)], http(407)), Verdict::SignIn { status: 407 }),
        (no_route([None, None], silent.clone()), Verdict::Silent { at: at() }),
        (
            no_route([answer(200, true), answer(502, false)], http(502)),
            Verdict::NoRoute { blocked: Some(Blocked::Refused(502)) },
        ),
        (
            report(way(), vec![RouteReport::failed(Route::WebSocket, lost())]),
            Verdict::Failed { step: StepKind::Handshake, why: lost() },
        ),
        (
            report(
                vec![step(
                    Found::Name { host: "hub.example".into(), addresses: Vec::new() },
                    Some(not_found),
                )],
                Vec::new(),
            ),
            Verdict::NameNotFound { host: "hub.example".into() },
        ),
        (
            report(vec![name(), tcp(Some(Why::ConnectionRefused))], Vec::new()),
            Verdict::NothingListens { at: at() },
        ),
        (
            report(vec![name(), tcp(Some(Why::TimedOut { during: Phase::Dial }))], Vec::new()),
            Verdict::NoAnswer { at: at() },
        ),
        (
            report(vec![name(), tcp(Some(Why::Unreachable { detail: "no route".into() }))], Vec::new()),
            Verdict::NoWay { at: at(), detail: "no route".into() },
        ),
        untrusted(Distrust::Expired, "CN=Example CA", day(2026, 11, 20)),
        untrusted(Distrust::NotYetValid, "CN=Example CA", day(2020, 1, 1)),
        untrusted(Distrust::WrongName, "hub.example", day(2026, 11, 20)),
        untrusted(Distrust::UnknownIssuer, "CN=Example CA", day(2026, 11, 20)),
        untrusted(Distrust::SelfSigned, "CN=Example CA", day(2026, 11, 20)),
        untrusted(Distrust::NotPinned, &"ab".repeat(32), day(2026, 11, 20)),
        untrusted(Distrust::Other("revoked".into()), "revoked", day(2026, 11, 20)),
        (
            report(
                vec![
                    name(),
                    tcp(None),
                    step(Found::Tls(Box::default()), Some(Why::WrongScheme { is_tls: false })),
                ],
                Vec::new(),
            ),
            Verdict::Failed { step: StepKind::Tls, why: Why::WrongScheme { is_tls: false } },
        ),
        (
            report(vec![name(), tcp(None), step(Found::Tls(Box::default()), Some(silent))], Vec::new()),
            Verdict::Silent { at: at() },
        ),
        (foreign(None), Verdict::Works),
        (
            foreign(Some(Why::Mqtt { code: 0x88, said: String::new() })),
            Verdict::Failed { step: StepKind::Handshake, why: Why::Mqtt { code: 0x88, said: String::new() } },
        ),
    ]
}

#[test]
fn a_report_comes_to_its_nearest_cause() {
    for (report, verdict) in reports() {
        assert_eq!(report.verdict(), verdict);
    }
}

#[test]
fn every_verdict_is_said_in_both_languages() {
    let is_korean = |text: &str| text.chars().any(|c| ('\u{AC00}'..='\u{D7A3}').contains(&c));
    for (report, verdict) in reports() {
        let [english, korean] = [&ENGLISH, &KOREAN].map(|words| words.verdict(&report, &say));
        let ([en, ko], of) =
            ([&english, &korean].map(|said| format!("{} {}", said.what, said.then)), &verdict);
        assert!(!en.contains("hub ") && !ko.contains("허브"), "{en} {ko}");
        let is_of_why = matches!(of, Verdict::Failed { .. });
        assert!(!english.what.is_empty() && (is_of_why || !is_korean(&en)), "{of:?}: {en}");
        assert!(is_of_why || is_korean(&korean.what), "{of:?}: {ko}");
        assert_eq!(english.then.is_empty(), korean.then.is_empty(), "{of:?}");
        let named = match of {
            Verdict::Untrusted { distrust: Distrust::Expired, .. } => "2026-11-20",
            Verdict::Fallback { .. } => "WebSocket",
            Verdict::NothingListens { .. } | Verdict::NoAnswer { .. } | Verdict::Silent { .. } => {
                "hub.example:7870"
            }
            Verdict::SignIn { status: 511 } => "511",
            _ => "",
        };
        assert!(en.contains(named) && ko.contains(named), "{of:?}: {en} {ko}");
    }
}

#[test]
fn the_verdict_comes_first_and_the_table_next() {
    let steps = vec![name(), tcp(None), tls(None), step(Found::Http(answer(200, true)), None)];
    let report = report(steps, without_websocket(http(403), &[Route::LongPoll]));
    for words in [&ENGLISH, &KOREAN] {
        let text = text(words, &report, &say);
        let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is not in\n{text}"));
        assert!(text.starts_with(&words.verdict(&report, &say).what));
        assert!(place(words.headings[0]) < place("longpoll") && place("longpoll") < place(words.steps));
        for part in [
            "0.21 ms",
            "12.3 ms",
            "106 / 102",
            "2.4",
            "websocket: ",
            "TLS 1.3",
            "CN=Example CA",
            "2026-11-20",
        ] {
            place(part);
        }
        let columns: Vec<&str> = text
            .lines()
            .filter(|line| Route::ALL.iter().any(|route| line.starts_with(route.name())))
            .collect();
        assert_eq!(columns.len(), Route::ALL.len(), "{text}");
    }
}

#[test]
fn json_has_the_same_fields_in_every_case() {
    let keys =
        |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    for (report, _) in reports() {
        let said = ENGLISH.verdict(&report, &say);
        let json = json(&ENGLISH, &report, &said, &say);
        assert!(json["verdict"].as_str().unwrap().starts_with(&said.what));
        let transports = json["transports"].as_array().unwrap();
        let names: Vec<_> = transports.iter().map(|one| one["transport"].as_str().unwrap()).collect();
        assert_eq!(names, ["websocket", "sse", "stream", "longpoll", "poll"]);
        for transport in transports {
            let mut keys = keys(transport);
            keys.sort();
            let expected = [
                "bytes_down",
                "bytes_up",
                "first_message_ms",
                "http",
                "idle_requests_per_min",
                "rtt_p50_ms",
                "rtt_p99_ms",
                "transport",
                "why",
                "works",
            ];
            assert_eq!(keys, expected);
            assert!(transport["works"].is_boolean() || transport["works"].is_null());
            assert_eq!(transport["why"].is_string(), transport["works"] == false, "{transport}");
        }
    }
    let json = json(&ENGLISH, &report(Vec::new(), all_work()), &Said::default(), &say);
    let first = &json["transports"][0];
    assert_eq!((first["rtt_p99_ms"].as_f64(), first["bytes_up"].as_u64()), (Some(12.345), Some(106)));
    assert_eq!(first["idle_requests_per_min"].as_f64(), Some(2.4));
}

#[test]
fn text_from_outside_is_harmless() {
    let odd = "\u{202e}x\u{1b}[31m\n".to_owned();
    let answer =
        Answer { status: 200, server: Some(odd.clone()), via: Some(odd.clone()), ..Answer::default() };
    let certificate = Certificate {
        subject: odd.clone(),
        issuer: odd.clone(),
        names: vec![odd.clone()],
        ..Certificate::default()
    };
    let tls = Tls { chain: vec![certificate], trust: Some(Trust::System(odd.clone())), ..Tls::default() };
    let steps = vec![
        step(Found::Name { host: odd.clone(), addresses: Vec::new() }, None),
        step(Found::Tls(Box::new(tls)), None),
        step(Found::Http(Some(answer)), None),
    ];
    let report = Report { address: odd, ..report(steps, all_work()) };
    for words in [&ENGLISH, &KOREAN] {
        let text = text(words, &report, &say);
        assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'), "{text:?}");
    }
}
