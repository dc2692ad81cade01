//! A report as text: the verdict first, then the table, then the steps. Also the pieces of it, which the window draws itself.

use chrono::DateTime;

use super::{Certified, SayWhy, Words};
use crate::model::diagnosis::{Answer, Found, Report, RouteReport, Step, StepKind, Tls, Trust};
use crate::model::harmless;
use crate::model::link_state::Why;
use crate::model::profile::Protocol;
use crate::model::proxy::{ProxySource, ProxyUsed};
use crate::model::route::Route;
use crate::model::time::WallMs;

/// Longest text from outside that is shown in a step, in characters.
const MAX_SHOWN_CHARS: usize = 200;
/// Maximum number of host names of a certificate that are shown.
const MAX_NAMES: usize = 8;
/// Shown where a figure is not known.
const UNKNOWN: &str = "–";

/// Text from outside, on one line and harmless.
pub(super) fn shown(text: &str, most: usize) -> String {
    harmless::line(text, most)
}

/// Several words in a row.
pub(super) fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// A day in UTC, such as 2026-11-30.
pub fn date(at: WallMs) -> String {
    moment(at, "%Y-%m-%d")
}

fn moment(at: WallMs, format: &str) -> String {
    let at = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
    at.format(format).to_string()
}

/// A time in milliseconds.
fn ms(us: u64) -> String {
    let ms = us as f64 / 1_000.0;
    match us {
        0..10_000 => format!("{ms:.2} ms"),
        10_000..100_000 => format!("{ms:.1} ms"),
        _ => format!("{ms:.0} ms"),
    }
}

/// What the table says of one route, by its columns; the reason for which it does not work is not among them.
pub type Cells = [String; 7];

/// The row of a route.
pub fn cells(words: &Words, route: &RouteReport) -> Cells {
    let [yes, no, unknown] = words.works;
    let works = match route.works {
        Some(true) => yes,
        Some(false) => no,
        None => unknown,
    };
    let version = route.http.map(|version| format!(", {}", version.name()));
    let time = |us: Option<u64>| us.map_or_else(|| UNKNOWN.to_owned(), ms);
    let bytes = match (route.bytes_up, route.bytes_down) {
        (Some(up), Some(down)) => format!("{up} / {down}"),
        _ => UNKNOWN.to_owned(),
    };
    let idle = route.idle_requests_per_hour.map(|hourly| format!("{:.1}", f64::from(hourly) / 60.0));
    [
        route.route.name().to_owned(),
        works.to_owned() + &version.unwrap_or_default(),
        time(route.first_message_us),
        time(route.rtt_p50_us),
        time(route.rtt_p99_us),
        bytes,
        idle.unwrap_or_else(|| UNKNOWN.to_owned()),
    ]
}

/// Why a route does not work, in one line; `None` where it does or nothing is known. What answers one route's request may be
/// something else than the server that everybody means.
pub fn reason(words: &Words, report: &Report, route: &RouteReport, say: SayWhy) -> Option<String> {
    let why = route.failed.as_ref()?;
    let blocked = report.blocked().filter(|_| route.route == Route::WebSocket);
    Some(match (blocked, why) {
        (Some(blocked), _) => (words.blocked)(blocked),
        (None, Why::Http { status, .. }) if report.protocol == Protocol::Duplex => (words.answered)(*status),
        (None, why) => say(why).what,
    })
}

/// What a step found, one thing a line; the first says how it went.
pub fn step(words: &Words, step: &Step, say: SayWhy) -> Vec<String> {
    let mut lines = match &step.found {
        Found::Proxy(used) => {
            vec![used.as_ref().map_or_else(|| words.direct.to_owned(), |used| of_proxy(words, used))]
        }
        Found::Name { host, addresses } => {
            let all = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let host = shown(host, MAX_SHOWN_CHARS);
            // An address needs no looking up.
            vec![if all.is_empty() || all == host { host } else { format!("{host}: {all}") }]
        }
        Found::Tcp(dials) => dials
            .iter()
            .map(|dial| match &dial.failed {
                None => format!("{}: {}", dial.address, ms(dial.took_us)),
                Some(why) => format!("{}: {}", dial.address, say(why).what),
            })
            .collect(),
        Found::Tls(tls) => of_tls(words, tls),
        Found::Http(answer) => answer.iter().map(|answer| of_answer(words, answer)).collect(),
        Found::Handshake { answer, subprotocol, extensions } => {
            let answer = answer.iter().map(|answer| of_answer(words, answer));
            let subprotocol =
                subprotocol.iter().map(|name| (words.subprotocol)(&shown(name, MAX_SHOWN_CHARS)));
            let extensions =
                (!extensions.is_empty()).then(|| (words.extensions)(&shown(extensions, MAX_SHOWN_CHARS)));
            let found: Vec<String> = answer.chain(subprotocol).chain(extensions).collect();
            if found.is_empty() { Vec::new() } else { vec![found.join(", ")] }
        }
    };
    let is_said = match &step.found {
        // Each address has said why already.
        Found::Tcp(dials) => !dials.is_empty(),
        // The answer says it, without a guess at what it means.
        Found::Handshake { answer, .. } => {
            answer.is_some() && matches!(step.failed, Some(Why::Http { .. } | Why::Redirected { .. }))
        }
        _ => false,
    };
    if !is_said {
        lines.extend(step.failed.as_ref().map(|why| say(why).what));
    }
    if lines.is_empty() {
        lines.push(words.works[0].to_owned());
    }
    lines
}

/// A proxy, without its user, and who said that it is to be used.
fn of_proxy(words: &Words, used: &ProxyUsed) -> String {
    let address = shown(&used.address.to_string(), MAX_SHOWN_CHARS);
    let source = match &used.source {
        ProxySource::Chosen => words.chosen.to_owned(),
        ProxySource::Variable(name) => shown(name, MAX_SHOWN_CHARS),
        ProxySource::System => words.system.to_owned(),
    };
    format!("{address} ({source})")
}

fn of_tls(words: &Words, tls: &Tls) -> Vec<String> {
    let trust = match &tls.trust {
        Some(Trust::System(root)) => (words.trusted_system)(&shown(root, MAX_SHOWN_CHARS)),
        Some(Trust::File(root)) => (words.trusted_file)(&shown(root, MAX_SHOWN_CHARS)),
        Some(Trust::Pinned) => words.trusted_pin.to_owned(),
        None if tls.chain.is_empty() => return Vec::new(),
        None => words.untrusted.to_owned(),
    };
    let version = if tls.version.is_empty() { trust } else { format!("{}, {trust}", tls.version) };
    let chain = tls.chain.iter().map(|certificate| {
        let names = certificate.names.iter().take(MAX_NAMES).map(String::as_str);
        let more = if certificate.names.len() > MAX_NAMES { ", …" } else { "" };
        let (subject, issuer) =
            (shown(&certificate.subject, MAX_SHOWN_CHARS), shown(&certificate.issuer, MAX_SHOWN_CHARS));
        (words.certificate)(&Certified {
            subject: &subject,
            issuer: &issuer,
            names: shown(&list(names), MAX_SHOWN_CHARS) + more,
            from: date(certificate.from),
            until: date(certificate.until),
        })
    });
    std::iter::once(version).chain(chain).collect()
}

fn of_answer(words: &Words, answer: &Answer) -> String {
    let mut parts = vec![format!("HTTP {}", answer.status)];
    if answer.is_of_duplex {
        parts.push(words.by_duplex.to_owned());
    }
    if answer.is_page {
        parts.push(words.page.to_owned());
    }
    if let Some(server) = &answer.server {
        parts.push(format!("Server: {}", shown(server, MAX_SHOWN_CHARS)));
    }
    if let Some(via) = &answer.via {
        parts.push((words.via)(&shown(via, MAX_SHOWN_CHARS)));
    }
    if let Some(place) = &answer.location {
        parts.push((words.redirects_to)(&shown(place, MAX_SHOWN_CHARS)));
    }
    parts.join(", ")
}

/// The whole report.
pub fn text(words: &Words, report: &Report, say: SayWhy) -> String {
    let verdict = words.verdict(report, say);
    let mut lines = vec![verdict.what, verdict.then];
    lines.retain(|line| !line.is_empty());
    let at = moment(report.began, "%Y-%m-%d %H:%M UTC");
    lines.push(String::new());
    lines.push(format!("{}: {} ({})", words.address, shown(&report.address, 500), protocol(report.protocol)));
    lines.push(format!("{}: {at}, {:.1} s", words.checked, report.took_ms as f64 / 1_000.0));
    if report.protocol == Protocol::Duplex && !report.routes.is_empty() {
        lines.push(String::new());
        lines.extend(table(words, &report.routes));
        let reasons =
            report.routes.iter().filter_map(|route| Some((route, reason(words, report, route, say)?)));
        let reasons: Vec<String> =
            reasons.map(|(route, why)| format!("  {}: {why}", route.route.name())).collect();
        if !reasons.is_empty() {
            lines.push(format!("{}:", words.reasons));
            lines.extend(reasons);
        }
        lines.push(words.note.to_owned());
    }
    lines.push(String::new());
    lines.push(format!("{}:", words.steps));
    for one in &report.steps {
        let title = (words.step)(one.kind());
        let mut found = step(words, one, say).into_iter();
        let first = found.next().unwrap_or_default();
        // Each address has a time of its own.
        match one.kind() {
            StepKind::Tcp => lines.push(format!("  {title}: {first}")),
            _ => lines.push(format!("  {title}: {first} ({})", ms(one.took_us))),
        }
        lines.extend(found.map(|line| format!("    {line}")));
    }
    lines.join("\n") + "\n"
}

/// What the server is supposed to speak.
fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Duplex => "Duplex",
        Protocol::WebSocket => "WebSocket",
        Protocol::SocketIo => "Socket.IO",
        Protocol::Stomp => "STOMP",
        Protocol::Mqtt => "MQTT",
    }
}

/// Columns as wide as their widest cell.
fn table(words: &Words, routes: &[RouteReport]) -> Vec<String> {
    let rows: Vec<Cells> = std::iter::once(words.headings.map(str::to_owned))
        .chain(routes.iter().map(|route| cells(words, route)))
        .collect();
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or_default();
    let widths: Vec<usize> = (0..words.headings.len()).map(widest).collect();
    let line = |row: &Cells| {
        let padded = row
            .iter()
            .zip(&widths)
            .map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide.saturating_sub(width(cell)))));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// How many columns of a terminal a text takes: Hangul and other wide characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{FF00}'..='\u{FF60}') { 2 } else { 1 }).sum()
}
