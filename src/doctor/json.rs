//! A report as JSON, for scripts.

use serde_json::{Value, json};

use super::{Said, SayWhy, Words, reason};
use crate::model::diagnosis::{Answer, Found, Login, Report, RouteReport, Step, Trust};
use crate::model::route::{HttpVersion, Route};

/// One object: the verdict, the transports in a fixed order with `null` for what is not known, and the steps. `said`: the verdict
/// in words.
pub fn json(words: &Words, report: &Report, said: &Said, say: SayWhy) -> Value {
    let sentence = format!("{} {}", said.what, said.then).trim().to_owned();
    let transports: Vec<Value> = Route::ALL
        .into_iter()
        .map(|route| {
            let unknown = RouteReport::unknown(route);
            transport(words, report, report.route(route).unwrap_or(&unknown), say)
        })
        .collect();
    let steps: Vec<Value> = report.steps.iter().map(|one| step(one, say)).collect();
    json!({
        "verdict": sentence,
        "verdict_code": report.verdict().code(),
        "address": report.address,
        "login": login(&report.login),
        "took_ms": report.took_ms,
        "transports": transports,
        "steps": steps,
    })
}

fn login(login: &Login) -> Option<&'static str> {
    match login {
        Login::Unknown => None,
        Login::In => Some("in"),
        Login::NoCredentials => Some("no_credentials"),
        Login::Refused(_) => Some("refused"),
    }
}

/// Microseconds as milliseconds.
fn ms(us: Option<u64>) -> Option<f64> {
    us.map(|us| us as f64 / 1_000.0)
}

fn transport(words: &Words, report: &Report, route: &RouteReport, say: SayWhy) -> Value {
    json!({
        "transport": route.route.name(),
        "works": route.works,
        "http": route.http.map(HttpVersion::name),
        "why": reason(words, report, route, say),
        "first_message_ms": ms(route.first_message_us),
        "rtt_p50_ms": ms(route.rtt_p50_us),
        "rtt_p99_ms": ms(route.rtt_p99_us),
        "bytes_up": route.bytes_up,
        "bytes_down": route.bytes_down,
        "idle_requests_per_min": route.idle_requests_per_hour.map(|hourly| f64::from(hourly) / 60.0),
    })
}

fn step(step: &Step, say: SayWhy) -> Value {
    let mut object = json!({
        "step": step.kind().code(),
        "works": step.failed.is_none(),
        "why": step.failed.as_ref().map(|why| say(why).what),
        "took_ms": step.took_us as f64 / 1_000.0,
    });
    let more = match &step.found {
        Found::Proxy(used) => json!({
            // Without its user.
            "proxy": used.as_ref().map(|used| used.address.to_string()),
        }),
        Found::Name { host, addresses } => json!({"host": host, "addresses": addresses}),
        Found::Tcp(dials) => {
            let dials = dials.iter().map(|dial| {
                json!({
                    "address": dial.address,
                    "works": dial.failed.is_none(),
                    "why": dial.failed.as_ref().map(|why| say(why).what),
                    "took_ms": dial.took_us as f64 / 1_000.0,
                })
            });
            json!({"addresses": dials.collect::<Vec<_>>()})
        }
        Found::Tls(tls) => {
            let chain = tls.chain.iter().map(|certificate| {
                json!({
                    "subject": certificate.subject,
                    "issuer": certificate.issuer,
                    "names": certificate.names,
                    "from": certificate.from,
                    "until": certificate.until,
                    "sha256": certificate.fingerprint,
                })
            });
            json!({
                "version": tls.version,
                "trusted": tls.trust.is_some(),
                "distrust": tls.distrust.as_ref().map(|distrust| distrust.code()),
                "root": match &tls.trust {
                    Some(Trust::System(root) | Trust::File(root)) => Some(root),
                    _ => None,
                },
                "chain": chain.collect::<Vec<_>>(),
            })
        }
        Found::Http(answer) => json!({"answer": answer.as_ref().map(of_answer)}),
        Found::Handshake { answer, subprotocol, extensions } => json!({
            "answer": answer.as_ref().map(of_answer),
            "subprotocol": subprotocol,
            "extensions": extensions,
        }),
    };
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

fn of_answer(answer: &Answer) -> Value {
    json!({
        "status": answer.status,
        "from_duplex": answer.is_of_duplex,
        "web_page": answer.is_page,
        "server": answer.server,
        "via": answer.via,
        "location": answer.location,
    })
}
