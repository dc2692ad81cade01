//! Readings over HTTP: `POST /v1/devices/{id}/readings`, for devices that have only an HTTP client.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::device;
use super::fleet::{DeviceHints, NOT_KEPT, Publisher};
use super::http::{BUSY_S, Ends, authorize, refusal, unauthorized, with};
use super::metrics::Refused;
use super::state::Hub;
use crate::clock;
use crate::model::device::Sample;
use crate::model::time::{BootMs, WallMs};
use crate::model::{DeviceId, MetricName, Principal, PrincipalKind, Readings, Value};
use crate::wire::duplex::server::{HubAnswer, HubDeviceAnswer};

/// Maximum size of a request body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long receiving a body may take.
const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// Maximum length of a device's name and kind, in characters.
const MAX_TEXT_CHARS: usize = 128;
/// Maximum length of a unit, in characters.
const MAX_UNIT_CHARS: usize = 32;
/// Maximum number of rejected readings that are explained one by one.
const MAX_SENTENCES: usize = 16;

/// Query parameters of the request.
#[derive(Debug, Default, Deserialize)]
pub(super) struct About {
    name: Option<String>,
    kind: Option<String>,
    expect_every_s: Option<String>,
}

/// Handles one request.
pub(super) async fn readings(
    State(hub): State<Arc<Hub>>,
    Extension(ends): Extension<Ends>,
    id: Result<Path<String>, axum::extract::rejection::PathRejection>,
    about: Result<Query<About>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let dismissals = hub.sessions.dismissals();
    let principal = match authorize(&hub, &ends, &headers).await {
        Ok(Some(principal)) => principal,
        Ok(None) => return unauthorized(&hub, &ends),
        Err(refused) => return refused,
    };
    let Some(id) = id.ok().and_then(|Path(id)| device::checked(&id).ok()) else {
        let sentence = "Not a device's id: it has 1 to 64 characters, no control characters, and does not begin with ~. Percent-encode it in the path.";
        return refusal(StatusCode::NOT_FOUND, sentence);
    };
    if !may_publish(&principal, &id) {
        hub.metrics.refuse(Refused::Kind);
        let sentence =
            "This token may not publish for this device: use the device's own token, or an admin's.";
        return refusal(StatusCode::FORBIDDEN, sentence);
    }
    hold(&ends, &headers);
    let bytes = read(&headers, body).await;
    ends.slot.hold(0);
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(refused) => return *refused,
    };
    // The token may have been revoked while the body was being received.
    if hub.sessions.dismissals() != dismissals {
        match authorize(&hub, &ends, &headers).await {
            Ok(Some(now)) if now.id == principal.id && now.kind == principal.kind => {}
            Ok(_) => return unauthorized(&hub, &ends),
            Err(refused) => return refused,
        }
    }
    let now = clock::now();
    if let Some(seconds) = hub.posts.take(&principal.id, bytes.len(), now.boot_ms) {
        let response = refusal(
            StatusCode::TOO_MANY_REQUESTS,
            "Too much from this token: wait, then send less at a time.",
        );
        return with(response, header::RETRY_AFTER, seconds);
    }
    let hints = about.map_err(|error| error.body_text()).and_then(|Query(about)| checked(about));
    let parsed = hints.and_then(|hints| parse(&id, &bytes, now.wall_ms, hints));
    let parsed = match parsed {
        Ok(parsed) if parsed.readings.values.is_empty() => Err(parsed.not_taken.told(0)),
        other => other,
    };
    match parsed {
        Ok(parsed) => publish(&hub, &principal, parsed, now.boot_ms, bytes.len()),
        Err(sentence) => refusal(StatusCode::BAD_REQUEST, &sentence),
    }
}

fn may_publish(principal: &Principal, id: &DeviceId) -> bool {
    match principal.kind {
        PrincipalKind::Admin => true,
        PrincipalKind::Device => principal.id.0 == id.as_str(),
        PrincipalKind::Person => false,
    }
}

/// Publishes readings and answers with the outcome. `bytes` is the size of the request body.
fn publish(hub: &Hub, principal: &Principal, parsed: Parsed, now: BootMs, bytes: usize) -> Response {
    let Parsed { readings, hints, mut not_taken } = parsed;
    let told = readings.values.len() as u64;
    let from = Publisher { principal, client: None };
    let (refused, taken) = hub.fleet.publish(from, readings, Some(hints), now);
    hub.metrics.readings.add(taken);
    hub.metrics.received.add(bytes as u64);
    let is_lost = |answer: &HubAnswer| {
        matches!(answer, HubAnswer::Device(HubDeviceAnswer::Refused { code: NOT_KEPT, .. }))
    };
    if refused.iter().any(is_lost) {
        hub.metrics.refuse(Refused::Unavailable);
        let sentence = "The server's disk is not writable at the moment: whoever watches has seen these readings, but they \
                        were not kept. Send them again later.";
        return with(refusal(StatusCode::SERVICE_UNAVAILABLE, sentence), header::RETRY_AFTER, BUSY_S);
    }
    not_taken.count += told.saturating_sub(taken);
    for refused in refused {
        if let HubAnswer::Device(HubDeviceAnswer::Refused { detail, .. }) = refused
            && not_taken.sentences.len() < MAX_SENTENCES
        {
            not_taken.sentences.push(format!("{detail}."));
        }
    }
    match not_taken.count {
        0 => StatusCode::NO_CONTENT.into_response(),
        _ => refusal(StatusCode::BAD_REQUEST, &not_taken.told(taken)),
    }
}

/// Counts what a body may be: those that never end use as much memory as messages that never do.
pub(super) fn hold(ends: &Ends, headers: &HeaderMap) {
    let most = MAX_BODY_BYTES as u64;
    ends.slot.hold(told_bytes(headers).map_or(most, |told| told.min(most)) as usize);
}

/// Receives a body.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Box<Response>> {
    let refuse = |status, sentence| Err(Box::new(refusal(status, sentence)));
    let too_large = "A body has at most 64 KiB; send it in several requests.";
    let told = told_bytes(headers);
    // The body is not read then; a client that waits for `100 Continue` sends nothing.
    if told.is_some_and(|told| told > MAX_BODY_BYTES as u64) {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, too_large);
    }
    match timeout(BODY_DEADLINE, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) if is_too_large(&error) => refuse(StatusCode::PAYLOAD_TOO_LARGE, too_large),
        Ok(Err(_)) => refuse(
            StatusCode::BAD_REQUEST,
            "The body is shorter than its Content-Length: send it again, whole.",
        ),
        Err(_) => refuse(
            StatusCode::REQUEST_TIMEOUT,
            "The body did not arrive within 10 seconds: send it again, or in smaller requests.",
        ),
    }
}

pub(super) fn told_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
}

/// axum reports it as the source of an error.
fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"))
}

fn checked(about: About) -> Result<DeviceHints, String> {
    let short = |what: &str, text: Option<String>| match text {
        Some(text) if text.chars().count() > MAX_TEXT_CHARS || text.chars().any(char::is_control) => {
            Err(format!("The {what} has at most {MAX_TEXT_CHARS} characters, no control characters."))
        }
        text => Ok(text),
    };
    let seconds = |text: String| {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
        number.ok_or_else(|| "expect_every_s is a number of seconds above 0.".to_owned())
    };
    Ok(DeviceHints {
        name: short("name", about.name)?,
        kind: short("kind", about.kind)?,
        expect_every_s: about.expect_every_s.map(seconds).transpose()?,
        units: Vec::new(),
    })
}

/// A parsed body.
struct Parsed {
    readings: Readings,
    hints: DeviceHints,
    not_taken: NotTaken,
}

/// Rejected readings: their number, and a sentence of explanation for the first of them.
#[derive(Default)]
struct NotTaken {
    count: u64,
    sentences: Vec<String>,
}

impl NotTaken {
    fn add(&mut self, sentence: String) {
        self.count += 1;
        if self.sentences.len() < MAX_SENTENCES {
            self.sentences.push(sentence);
        }
    }

    /// The text of the answer, after `taken` readings were stored.
    fn told(&self, taken: u64) -> String {
        let mut text = match taken {
            0 => "Nothing was taken.".to_owned(),
            _ => format!("Taken: {taken}. Not taken: {}.", self.count),
        };
        for sentence in &self.sentences {
            text.push('\n');
            text.push_str(sentence);
        }
        if self.count > self.sentences.len() as u64 && !self.sentences.is_empty() {
            text.push_str("\n…");
        }
        text
    }
}

/// A body whose values are parsed one at a time: a bad value does not affect the others.
type Object<'a> = BTreeMap<String, &'a RawValue>;

/// Parses a flat object, or a list of `{"metric", "value", "unit", "at"}`. The error is a sentence that names the
/// place.
fn parse(id: &DeviceId, bytes: &[u8], now: WallMs, hints: DeviceHints) -> Result<Parsed, String> {
    let not_json = |error: serde_json::Error| {
        format!(
            "The body is not JSON: {error}. Send {{\"metric\": value}}, or a list of {{\"metric\", \"value\"}}."
        )
    };
    let body: &RawValue = serde_json::from_slice(bytes).map_err(not_json)?;
    let mut parsed = Parsed { readings: Readings::default(), hints, not_taken: NotTaken::default() };
    match body.get().as_bytes().first() {
        Some(b'{') => {
            let object: Object<'_> = serde_json::from_str(body.get()).map_err(not_json)?;
            for (name, value) in object {
                let here = |error| format!("{:?}: {error}", shown(&name));
                match metric(&name).and_then(|metric| Ok((metric, reading(value)?))).map_err(here) {
                    Ok((metric, value)) => parsed.add(id, now, (now, metric, value)),
                    Err(sentence) => parsed.not_taken.add(sentence),
                }
            }
        }
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(body.get()).map_err(not_json)?;
            for (place, item) in list.into_iter().enumerate() {
                match item_of(item, now) {
                    Ok(item) => {
                        if let Some(unit) = item.unit {
                            parsed.hints.units.push((item.metric.clone(), unit));
                        }
                        parsed.add(id, now, (item.at, item.metric, item.value));
                    }
                    Err(error) => parsed.not_taken.add(format!("Item {}: {error}", place + 1)),
                }
            }
        }
        _ => return Err("The body is an object of readings, or a list of them.".to_owned()),
    }
    if parsed.readings.values.is_empty() && parsed.not_taken.count == 0 {
        return Err("There is no reading in the body.".to_owned());
    }
    Ok(parsed)
}

impl Parsed {
    fn add(&mut self, id: &DeviceId, now: WallMs, (at, metric, value): (WallMs, MetricName, Value)) {
        match self.readings.samples.last_mut() {
            Some(sample) if sample.at == at => sample.count += 1,
            _ => self.readings.samples.push(Sample { device: id.clone(), at, received: now, count: 1 }),
        }
        self.readings.values.push((metric, value));
    }
}

struct Item {
    metric: MetricName,
    value: Value,
    unit: Option<String>,
    at: WallMs,
}

fn item_of(item: &RawValue, now: WallMs) -> Result<Item, String> {
    let object: Result<Object<'_>, _> = serde_json::from_str(item.get());
    let object = object.map_err(|_| "it is an object with \"metric\" and \"value\".".to_owned())?;
    // A key that is `null` counts as absent.
    let told = |key: &str| object.get(key).map(|raw| raw.get()).filter(|raw| *raw != "null");
    let name = told("metric").and_then(|name| serde_json::from_str::<String>(name).ok());
    let name = metric(&name.ok_or_else(|| "\"metric\" is missing, or no text.".to_owned())?)?;
    let here = |error: String| format!("{:?}: {error}", name.as_str());
    let value = object.get("value").ok_or_else(|| here("\"value\" is missing.".to_owned()))?;
    let value = reading(value).map_err(here)?;
    let unit = told("unit").map(|unit| {
        let unit =
            serde_json::from_str::<String>(unit).ok().filter(|unit| unit.chars().count() <= MAX_UNIT_CHARS);
        unit.ok_or_else(|| here(format!("\"unit\" is a text of at most {MAX_UNIT_CHARS} characters.")))
    });
    let at = told("at").map(|at| {
        let at = serde_json::from_str::<WallMs>(at);
        at.map_err(|_| here("\"at\" is Unix time in whole milliseconds.".to_owned()))
    });
    Ok(Item { metric: name, value, unit: unit.transpose()?, at: at.transpose()?.unwrap_or(now) })
}

fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}

fn metric(name: &str) -> Result<MetricName, String> {
    let rule = "is no name of a metric: 1 to 64 characters, no control characters, no blank at either end.";
    MetricName::new(name).map_err(|_| format!("{:?} {rule}", shown(name)))
}

fn reading(raw: &RawValue) -> Result<Value, String> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => {
            let cut: String = text.chars().take(MAX_UNIT_CHARS).collect();
            let told = if cut.len() < text.len() { format!("{cut}…") } else { cut };
            Value::parse_number(text).map_err(|why| format!("{told} is {why}."))
        }
        Some(b'{' | b'[') => Err("a reading is a number, true, false, a text or null.".to_owned()),
        _ => serde_json::from_str(text).map_err(|error| format!("it cannot be read: {error}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<Parsed, String> {
        parse(&DeviceId::new("shed").unwrap(), body.as_bytes(), WallMs(1_000), DeviceHints::default())
    }

    #[test]
    fn an_object_has_one_time_and_list_items_have_their_own() {
        let Parsed { readings, .. } =
            parsed(r#"{"temperature": 21.5, "relay": true, "mode": "auto", "x": null}"#).unwrap();
        assert_eq!(readings.samples.len(), 1);
        assert_eq!((readings.samples[0].at, readings.samples[0].count), (WallMs(1_000), 4));
        let list = r#"[{"metric":"t","value":1,"unit":"°C","at":5},{"metric":"h","value":2,"at":5},
            {"metric":"t","value":3}]"#;
        let Parsed { readings, hints, .. } = parsed(list).unwrap();
        let times: Vec<_> = readings.samples.iter().map(|sample| (sample.at, sample.count)).collect();
        assert_eq!(times, [(WallMs(5), 2), (WallMs(1_000), 1)]);
        assert_eq!(hints.units, [(MetricName::new("t").unwrap(), "°C".to_owned())]);
    }

    #[test]
    fn errors_in_a_body_name_the_place() {
        for (body, says) in [
            ("temperature=21", "not JSON: expected ident at line 1 column 2"),
            (r#"{"temperature": NaN}"#, "line 1 column 17"),
            ("7", "an object of readings, or a list"),
            ("{}", "no reading"),
            ("[]", "no reading"),
        ] {
            let error = parsed(body).err().unwrap();
            assert!(error.contains(says), "{body}: {error}");
        }
    }

    #[test]
    fn a_bad_reading_is_reported_and_does_not_affect_the_others() {
        for (bad, says) in [
            (r#"{"a": {"b": 1}, "t": 1}"#, r#""a": a reading is a number"#),
            (r#"{"a": [], "t": 1}"#, r#""a": a reading is a number"#),
            (r#"{" a": 1, "t": 1}"#, r#"" a" is no name"#),
            (r#"{"a": 1e400, "t": 1}"#, r#""a": 1e400 is out of range"#),
            (r#"{"a": -1e400, "t": 1}"#, r#""a": -1e400 is out of range"#),
            (r#"{"a": 18446744073709551616, "t": 1}"#, r#""a": 18446744073709551616 is out of range"#),
            (r#"{"a": -9223372036854775809, "t": 1}"#, "from -9223372036854775808 to 18446744073709551615"),
            (r#"[{"metric":"t","value":1},{"metric":"t"}]"#, r#"Item 2: "t": "value" is missing"#),
            (r#"[{"metric":"t","value":1},{"value":1}]"#, r#"Item 2: "metric" is missing"#),
            (r#"[{"metric":"t","value":1},{"metric":"t","value":1,"at":"now"}]"#, r#"Item 2: "t": "at" is"#),
            (r#"[{"metric":"t","value":1},{"metric":"t","value":1,"unit":7}]"#, r#"Item 2: "t": "unit" is"#),
            (r#"[{"metric":"t","value":1},7]"#, "Item 2: it is an object"),
        ] {
            let Parsed { readings, not_taken, .. } = parsed(bad).ok().unwrap();
            assert_eq!(readings.values, [(MetricName::new("t").unwrap(), Value::Number(1.0))], "{bad}");
            let told = not_taken.told(1);
            assert!(told.starts_with("Taken: 1. Not taken: 1.") && told.contains(says), "{bad}: {told}");
        }
        let many: Vec<String> = (0..100).map(|n| format!("\"m{n}\": 1e999")).collect();
        let told = parsed(&format!("{{{}}}", many.join(","))).ok().unwrap().not_taken.told(0);
        assert!(told.starts_with("Nothing was taken.") && told.ends_with("…"), "{told}");
        assert!(told.lines().count() == MAX_SENTENCES + 2);
    }

    #[test]
    fn integers_keep_all_digits() {
        let told = r#"{"a":1724442618569203714,"b":9007199254740993,"c":18446744073709551615,"d":-9223372036854775808}"#;
        let Parsed { readings, .. } = parsed(told).ok().unwrap();
        let values: Vec<String> =
            readings.values.iter().map(|(_, value)| serde_json::to_string(value).unwrap()).collect();
        assert_eq!(
            values,
            ["1724442618569203714", "9007199254740993", "18446744073709551615", "-9223372036854775808"]
        );
    }
}
