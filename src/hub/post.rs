//! Readings over HTTP: `POST /v1/devices/{id}/readings`, for devices that have `curl` and nothing else.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::time::timeout;

use super::device;
use super::fleet::{NOT_KEPT, Publisher, Said};
use super::http::{BUSY_S, Ends, authorize, refusal, unauthorized, with};
use super::metrics::Refused;
use super::state::Hub;
use crate::clock;
use crate::model::device::Sample;
use crate::model::time::WallMs;
use crate::model::{DeviceId, MetricName, PrincipalKind, Readings, Value};
use crate::wire::duplex::server::Answer;

/// Largest body, in bytes.
const BODY_BYTES: usize = 64 * 1024;
/// How long a body may take.
const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// Longest name and kind of a device, in characters.
const TEXT_CHARS: usize = 128;
/// Longest unit, in characters.
const UNIT_CHARS: usize = 32;

/// What may stand behind the `?`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct About {
    name: Option<String>,
    kind: Option<String>,
    expect_every_s: Option<String>,
}

/// Takes one request's readings.
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
        let sentence = "A device's id has 1 to 64 characters, no control characters, no ~ at its beginning.";
        return refusal(StatusCode::NOT_FOUND, sentence);
    };
    let may = match principal.kind {
        PrincipalKind::Admin => true,
        PrincipalKind::Device => principal.id.0 == id.as_str(),
        PrincipalKind::Person => false,
    };
    if !may {
        hub.metrics.refuse(Refused::Kind);
        let sentence = "This token does not publish for this device: use the device's own, or an admin's.";
        return refusal(StatusCode::FORBIDDEN, sentence);
    }
    // Many bodies that never end are as much as many messages that never do.
    ends.place
        .hold(told_bytes(&headers).map_or(BODY_BYTES as u64, |told| told.min(BODY_BYTES as u64)) as usize);
    let bytes = read(&headers, body).await;
    ends.place.hold(0);
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(refused) => return *refused,
    };
    // A body takes its time, and whoever sends it may have lost the right meanwhile.
    if hub.sessions.dismissals() != dismissals {
        match authorize(&hub, &ends, &headers).await {
            Ok(Some(now)) if now.id == principal.id && now.kind == principal.kind => {}
            Ok(_) => return unauthorized(&hub, &ends),
            Err(refused) => return refused,
        }
    }
    let now = clock::now();
    if let Some(seconds) = hub.posts.take(&principal.id, bytes.len(), now.boot_ms) {
        let response = refusal(StatusCode::TOO_MANY_REQUESTS, "More than the hub takes from one token.");
        return with(response, header::RETRY_AFTER, seconds);
    }
    let said = about.map_err(|error| error.body_text()).and_then(|Query(about)| checked(about));
    let parsed = said.and_then(|said| parse(&id, &bytes, now.wall_ms, said));
    let (readings, said) = match parsed {
        Ok(parsed) => parsed,
        Err(sentence) => return refusal(StatusCode::BAD_REQUEST, &sentence),
    };
    let from = Publisher { principal: &principal, station: None };
    let (refused, taken) = hub.fleet.publish(from, readings, Some(said), now.boot_ms);
    hub.metrics.readings.add(taken);
    hub.metrics.received.add(bytes.len() as u64);
    let is_lost = |answer: &Answer| matches!(answer, Answer::PublishRefused { code: NOT_KEPT, .. });
    if refused.iter().any(is_lost) {
        hub.metrics.refuse(Refused::Unavailable);
        let sentence = "The hub's disk takes nothing at the moment: whoever watches has seen this, and it is not kept. \
                        Send it again later.";
        return with(refusal(StatusCode::SERVICE_UNAVAILABLE, sentence), header::RETRY_AFTER, BUSY_S);
    }
    match refused.into_iter().next() {
        Some(Answer::PublishRefused { detail, .. }) if taken == 0 => {
            refusal(StatusCode::BAD_REQUEST, &format!("Nothing was taken: {detail}."))
        }
        Some(Answer::PublishRefused { detail, .. }) => refusal(
            StatusCode::BAD_REQUEST,
            &format!("{taken} readings were taken, the others not: {detail}."),
        ),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Box<Response>> {
    let refuse = |status, sentence| Err(Box::new(refusal(status, sentence)));
    let too_large = "A body has at most 64 KiB; send the readings in several requests.";
    let told = told_bytes(headers);
    // Nothing is read then, and whoever waits for `100 Continue` sends nothing.
    if told.is_some_and(|told| told > BODY_BYTES as u64) {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, too_large);
    }
    match timeout(BODY_DEADLINE, to_bytes(body, BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) if is_too_large(&error) => refuse(StatusCode::PAYLOAD_TOO_LARGE, too_large),
        Ok(Err(_)) => refuse(StatusCode::BAD_REQUEST, "The body ended before its time."),
        Err(_) => refuse(StatusCode::REQUEST_TIMEOUT, "The body did not come in time."),
    }
}

fn told_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
}

/// axum says it by an error within its error.
fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"))
}

fn checked(about: About) -> Result<Said, String> {
    let short = |what: &str, text: Option<String>| match text {
        Some(text) if text.chars().count() > TEXT_CHARS || text.chars().any(char::is_control) => {
            Err(format!("The {what} has at most {TEXT_CHARS} characters, no control characters."))
        }
        text => Ok(text),
    };
    let seconds = |text: String| {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
        number.ok_or_else(|| "expect_every_s is a number of seconds above 0.".to_owned())
    };
    Ok(Said {
        name: short("name", about.name)?,
        kind: short("kind", about.kind)?,
        expect_every_s: about.expect_every_s.map(seconds).transpose()?,
        units: Vec::new(),
    })
}

/// Reads a flat object, or a list of `{"metric", "value", "unit", "at"}`. An error is a sentence that says where.
fn parse(id: &DeviceId, bytes: &[u8], now: WallMs, mut said: Said) -> Result<(Readings, Said), String> {
    let body: Json =
        serde_json::from_slice(bytes).map_err(|error| format!("The body is not JSON: {error}."))?;
    let mut readings = Readings::default();
    let mut add = |at: WallMs, metric: MetricName, value: Value| {
        match readings.samples.last_mut() {
            Some(sample) if sample.at == at => sample.count += 1,
            _ => readings.samples.push(Sample { device: id.clone(), at, received: now, count: 1 }),
        }
        readings.values.push((metric, value));
    };
    match body {
        Json::Object(object) => {
            for (name, value) in object {
                add(now, metric(&name)?, reading(&format!("{name:?}"), value)?);
            }
        }
        Json::Array(list) => {
            for (place, item) in list.into_iter().enumerate() {
                let here = |error: String| format!("Item {}: {error}", place + 1);
                let item = item_of(item, now).map_err(here)?;
                if let Some(unit) = item.unit {
                    said.units.push((item.metric.clone(), unit));
                }
                add(item.at, item.metric, item.value);
            }
        }
        _ => return Err("The body is an object of readings, or a list of them.".to_owned()),
    }
    if readings.values.is_empty() {
        return Err("There is no reading in the body.".to_owned());
    }
    Ok((readings, said))
}

struct Item {
    metric: MetricName,
    value: Value,
    unit: Option<String>,
    at: WallMs,
}

fn item_of(item: Json, now: WallMs) -> Result<Item, String> {
    let Json::Object(mut object) = item else {
        return Err("it is an object with \"metric\" and \"value\".".to_owned());
    };
    let name = match object.remove("metric") {
        Some(Json::String(name)) => metric(&name)?,
        _ => return Err("\"metric\" is missing, or no text.".to_owned()),
    };
    let value = object.remove("value").ok_or_else(|| "\"value\" is missing.".to_owned())?;
    let value = reading("\"value\"", value)?;
    let unit = match object.remove("unit") {
        None | Some(Json::Null) => None,
        Some(Json::String(unit)) if unit.chars().count() <= UNIT_CHARS => Some(unit),
        Some(_) => return Err(format!("\"unit\" is a text of at most {UNIT_CHARS} characters.")),
    };
    let at = match object.remove("at") {
        None | Some(Json::Null) => now,
        Some(at) => at.as_i64().ok_or_else(|| "\"at\" is Unix time in whole milliseconds.".to_owned())?,
    };
    Ok(Item { metric: name, value, unit, at })
}

fn metric(name: &str) -> Result<MetricName, String> {
    let shown: String = name.chars().take(80).collect();
    let rule = "is no name of a metric: 1 to 64 characters, no control characters.";
    MetricName::new(name).map_err(|_| format!("{shown:?} {rule}"))
}

fn reading(what: &str, value: Json) -> Result<Value, String> {
    match value {
        Json::Null => Ok(Value::Missing),
        Json::Bool(flag) => Ok(Value::Flag(flag)),
        Json::Number(number) => Ok(number.as_f64().map_or(Value::Missing, Value::number)),
        Json::String(text) => Ok(Value::Text(text.into())),
        _ => Err(format!("{what} is a number, true, false, a text or null.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<(Readings, Said), String> {
        parse(&DeviceId::new("shed").unwrap(), body.as_bytes(), 1_000, Said::default())
    }

    #[test]
    fn an_object_is_one_moment_and_a_list_says_its_own_times() {
        let (readings, _) =
            parsed(r#"{"temperature": 21.5, "relay": true, "mode": "auto", "x": null}"#).unwrap();
        assert_eq!(readings.samples.len(), 1);
        assert_eq!((readings.samples[0].at, readings.samples[0].count), (1_000, 4));
        let list = r#"[{"metric":"t","value":1,"unit":"°C","at":5},{"metric":"h","value":2,"at":5},
            {"metric":"t","value":3}]"#;
        let (readings, said) = parsed(list).unwrap();
        let times: Vec<_> = readings.samples.iter().map(|sample| (sample.at, sample.count)).collect();
        assert_eq!(times, [(5, 2), (1_000, 1)]);
        assert_eq!(said.units, [(MetricName::new("t").unwrap(), "°C".to_owned())]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (body, says) in [
            ("temperature=21", "not JSON: expected ident at line 1 column 2"),
            (r#"{"temperature": NaN}"#, "line 1 column 17"),
            (r#"{"a": {"b": 1}}"#, r#""a" is a number"#),
            (r#"{" a": 1}"#, r#"" a" is no name"#),
            ("7", "an object of readings, or a list"),
            ("{}", "no reading"),
            (r#"[{"metric":"t","value":1},{"metric":"t"}]"#, r#"Item 2: "value" is missing"#),
            (r#"[{"metric":"t","value":1,"at":"now"}]"#, r#"Item 1: "at" is"#),
            (r#"[{"metric":"t","value":1,"unit":7}]"#, r#"Item 1: "unit" is"#),
            ("[7]", "Item 1: it is an object"),
        ] {
            let error = parsed(body).unwrap_err();
            assert!(error.contains(says), "{body}: {error}");
        }
    }
}
