//! What programs post, as a message's text: our own JSON, plain text, and the JSON of Alertmanager, Grafana and GitHub.
//! Pure. What is not known of a format is left out, never an error.

use percent_encoding::percent_decode;
use serde_json::Value;

/// Maximum length of the text made of a report, in bytes.
const MAX_REPORT_BYTES: usize = 8 * 1024;
/// Maximum number of alerts or commits that are listed.
const MAX_ITEMS: usize = 20;
/// Maximum length of one value in a report, in characters.
const MAX_VALUE_CHARS: usize = 500;
/// Maximum number of labels of one alert that are shown.
const MAX_LABELS: usize = 12;

/// A posted message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    /// The id that its sender chose.
    pub id: Option<String>,
    /// The text.
    pub body: String,
    /// Whether it is another program's report, which is sent again if no answer comes, with the same content.
    pub is_report: bool,
}

/// Reads a body. `event`: the header `X-GitHub-Event`.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn read(bytes: &[u8], event: Option<&str>) -> Result<Incoming, String> {
    let form = bytes.strip_prefix(b"payload=").filter(|_| event.is_some()).map(|form| {
        let form: Vec<u8> = form.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_decode(&form).collect::<Vec<u8>>()
    });
    let bytes = form.as_deref().unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| "The body is not UTF-8.".to_owned())?;
    let is_json = text.trim_start().starts_with('{');
    let json: Option<Value> = serde_json::from_str(text).ok().filter(Value::is_object);
    let report = |body: String| Incoming { id: None, body: cut(&body), is_report: true };
    let incoming = match &json {
        Some(json) => match (json.get("body"), event) {
            (_, Some(event)) => report(github(event, json)),
            (Some(Value::String(body)), None) => {
                let id = match json.get("id") {
                    None | Some(Value::Null) => None,
                    Some(Value::String(id)) => Some(id.clone()),
                    Some(_) => return Err("\"id\" is a text; a UUID is best.".to_owned()),
                };
                Incoming { id, body: body.clone(), is_report: false }
            }
            _ if json.get("alerts").is_some_and(Value::is_array) => report(alerts(json)),
            _ => {
                let sentence = "The JSON is not understood: send {\"id\", \"body\"}, or plain text.";
                return Err(sentence.to_owned());
            }
        },
        None if is_json && event.is_some() => return Err("The JSON is damaged.".to_owned()),
        None => Incoming { id: None, body: text.trim_end().to_owned(), is_report: false },
    };
    if incoming.body.trim().is_empty() {
        Err("There is no text in the body.".to_owned())
    } else {
        Ok(incoming)
    }
}

/// A value in one line, and not too long.
fn line(text: &str) -> String {
    let mut out: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = out.char_indices().nth(MAX_VALUE_CHARS) {
        out.truncate(at);
        out.push('…');
    }
    out
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_REPORT_BYTES);
    if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() }
}

/// The text at a path of keys; none where there is none or it is empty.
fn at<'a>(json: &'a Value, path: &[&str]) -> Option<&'a str> {
    let found = path.iter().try_fold(json, |json, key| json.get(key))?;
    found.as_str().filter(|text| !text.trim().is_empty())
}

fn link(json: &Value, path: &[&str]) -> String {
    let is_web = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
    at(json, path).filter(is_web).map(|url| format!("\n{}", line(url))).unwrap_or_default()
}

/// Alertmanager's webhook (version 4), and Grafana's, which is built on it and has a title, a state and links besides.
fn alerts(json: &Value) -> String {
    let all = json.get("alerts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_firing = |alert: &&Value| at(alert, &["status"]) != Some("resolved");
    let firing = all.iter().filter(is_firing).count();
    let state = if firing > 0 { "FIRING" } else { "RESOLVED" };
    let name = at(json, &["commonLabels", "alertname"])
        .or_else(|| at(json, &["groupLabels", "alertname"]))
        .or_else(|| all.first().and_then(|alert| at(alert, &["labels", "alertname"])))
        .unwrap_or("alert");
    let count = if firing > 0 { firing } else { all.len() };
    let mut out = match at(json, &["title"]) {
        // Grafana's says state and number itself.
        Some(title) => format!("**{}**", line(title)),
        None => format!("**[{state}:{count}] {}**", line(name)),
    };
    for alert in all.iter().take(MAX_ITEMS) {
        let is_resolved = at(alert, &["status"]) == Some("resolved");
        let said =
            ["summary", "description", "message"].iter().find_map(|key| at(alert, &["annotations", key]));
        let said = said.or_else(|| at(alert, &["labels", "alertname"])).unwrap_or(name);
        out.push_str(&format!("\n- {}{}", if is_resolved { "resolved: " } else { "" }, line(said)));
        let labels = labels(alert);
        if !labels.is_empty() {
            out.push_str(&format!(" ({labels})"));
        }
    }
    more(&mut out, all.len(), json.get("truncatedAlerts").and_then(Value::as_u64).unwrap_or(0));
    let first = all.first().unwrap_or(&Value::Null);
    let links = [link(first, &["panelURL"]), link(first, &["generatorURL"]), link(json, &["externalURL"])];
    out.push_str(links.iter().find(|link| !link.is_empty()).map_or("", String::as_str));
    out
}

/// Adds how many alerts are not listed: those beyond the maximum, and those that the sender left out itself.
fn more(out: &mut String, count: usize, left_out: u64) {
    let rest = count.saturating_sub(MAX_ITEMS) as u64 + left_out;
    if rest > 0 {
        out.push_str(&format!("\n- and {rest} more"));
    }
}

/// The labels of an alert but its name.
fn labels(alert: &Value) -> String {
    let labels = alert.get("labels").and_then(Value::as_object);
    let shown = labels.into_iter().flatten().filter(|(key, _)| *key != "alertname").take(MAX_LABELS);
    let shown = shown.filter_map(|(key, value)| Some(format!("{}={}", line(key), line(value.as_str()?))));
    shown.collect::<Vec<_>>().join(", ")
}

/// GitHub's webhooks: the events that people talk about in a sentence of their own, others by name.
fn github(event: &str, json: &Value) -> String {
    let who = line(at(json, &["sender", "login"]).unwrap_or("someone"));
    let repo = line(at(json, &["repository", "full_name"]).unwrap_or("a repository"));
    let action = line(&at(json, &["action"]).unwrap_or_default().replace('_', " "));
    let of = |key: &str| {
        let number = json.get(key).and_then(|of| of.get("number")).and_then(Value::as_u64);
        let number = number.map(|number| format!("#{number} ")).unwrap_or_default();
        format!("{number}{}", line(at(json, &[key, "title"]).unwrap_or_default()))
    };
    let quoted = |key: &str| match at(json, &[key, "body"]) {
        Some(body) => format!("\n> {}", line(body)),
        None => String::new(),
    };
    match event {
        "ping" => format!("GitHub is connected: {repo}{}", link(json, &["repository", "html_url"])),
        "push" => push(json, &who, &repo),
        "issues" => {
            format!("{who} {action} issue {} in {repo}{}", of("issue"), link(json, &["issue", "html_url"]))
        }
        "issue_comment" => format!(
            "{who} commented on {} in {repo}{}{}",
            of("issue"),
            quoted("comment"),
            link(json, &["comment", "html_url"])
        ),
        "pull_request" => {
            let is_merged = json.get("pull_request").and_then(|it| it.get("merged")).and_then(Value::as_bool)
                == Some(true);
            let action = if action == "closed" && is_merged { "merged".to_owned() } else { action };
            let (what, link) = (of("pull_request"), link(json, &["pull_request", "html_url"]));
            format!("{who} {action} pull request {what} in {repo}{link}")
        }
        "pull_request_review" => format!(
            "{who} reviewed pull request {} in {repo}: {}{}{}",
            of("pull_request"),
            line(&at(json, &["review", "state"]).unwrap_or("commented").replace('_', " ")),
            quoted("review"),
            link(json, &["review", "html_url"])
        ),
        "release" => {
            let name = at(json, &["release", "name"]).or_else(|| at(json, &["release", "tag_name"]));
            let name = line(name.unwrap_or_default());
            format!("{who} {action} release {name} of {repo}{}", link(json, &["release", "html_url"]))
        }
        "workflow_run" => {
            let name = line(at(json, &["workflow_run", "name"]).unwrap_or("a workflow"));
            let state = at(json, &["workflow_run", "conclusion"]).map(|state| state.replace('_', " "));
            let branch =
                at(json, &["workflow_run", "head_branch"]).map(|branch| format!(" on {}", line(branch)));
            let link = link(json, &["workflow_run", "html_url"]);
            format!("{name}{} in {repo}: {}{link}", branch.unwrap_or_default(), state.unwrap_or(action))
        }
        other => {
            let event = line(&other.replace('_', " "));
            let action = if action.is_empty() { String::new() } else { format!(" {action}") };
            format!("{event}{action} by {who} in {repo}{}", link(json, &["repository", "html_url"]))
        }
    }
}

fn push(json: &Value, who: &str, repo: &str) -> String {
    let name = at(json, &["ref"]).unwrap_or_default();
    let name = name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/")).unwrap_or(name);
    let name = line(name);
    if json.get("deleted").and_then(Value::as_bool) == Some(true) {
        return format!("{who} deleted {name} in {repo}");
    }
    let commits = json.get("commits").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let noun = if commits.len() == 1 { "commit" } else { "commits" };
    let mut out = format!("{who} pushed {} {noun} to {name} in {repo}", commits.len());
    for commit in commits.iter().take(MAX_ITEMS) {
        let id: String = at(commit, &["id"]).unwrap_or_default().chars().take(7).collect();
        let message = at(commit, &["message"]).unwrap_or_default();
        out.push_str(&format!("\n- `{}` {}", line(&id), line(message.lines().next().unwrap_or_default())));
    }
    more(&mut out, commits.len(), 0);
    out.push_str(&link(json, &["compare"]));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples in the shape that the programs' public documentation describes, with values of our own: "Webhook receiver"
    /// of Alertmanager's configuration, "Configure the webhook notifier" of Grafana's alerting, "Webhook events and
    /// payloads" of GitHub.
    fn sample(name: &str, event: Option<&str>) -> Incoming {
        let path = format!("{}/tests/data/hooks/{name}", env!("CARGO_MANIFEST_DIR"));
        read(&std::fs::read(path).unwrap(), event).unwrap()
    }

    #[test]
    fn reports_become_what_a_person_wants_to_know() {
        assert_eq!(
            sample("alertmanager.json", None).body,
            "**[FIRING:1] PumpPressureLow**\n\
             - Pressure of pump-3 is below 1.5 bar (instance=pump-3, severity=critical)\n\
             - resolved: Pressure of pump-4 is below 1.5 bar (instance=pump-4, severity=critical)\n\
             https://metrics.example/graph?g0.expr=pressure"
        );
        assert_eq!(
            sample("grafana.json", None).body,
            "**[FIRING:1] Boiler too hot (plant north)**\n\
             - Boiler 2 is at 96 °C (plant=north)\n\
             https://dash.example/d/abc?viewPanel=4"
        );
        assert_eq!(
            sample("github-push.json", Some("push")).body,
            "mina pushed 2 commits to main in acme/pump\n\
             - `1a2b3c4` Measure the flow twice\n\
             - `9f8e7d6` Say why the valve closes\n\
             https://code.example/acme/pump/compare/0000001...9f8e7d6"
        );
        assert_eq!(
            sample("github-pull-request.json", Some("pull_request")).body,
            "mina merged pull request #12 Close the valve in acme/pump\nhttps://code.example/acme/pump/pull/12"
        );
        for (name, event) in [("alertmanager.json", None), ("github-push.json", Some("push"))] {
            let sample = sample(name, event);
            assert!(sample.is_report && sample.id.is_none());
        }
    }

    #[test]
    fn our_own_json_and_plain_text_are_taken_as_they_are() {
        let own = |text: &str| read(text.as_bytes(), None);
        let taken = |id: Option<&str>, body: &str| {
            Ok(Incoming { id: id.map(str::to_owned), body: body.to_owned(), is_report: false })
        };
        assert_eq!(own(r#"{"id": "7", "body": "두 줄\n text"}"#), taken(Some("7"), "두 줄\n text"));
        assert_eq!(own(r#"{"body": "x"}"#), taken(None, "x"));
        assert_eq!(own("backup done\n"), taken(None, "backup done"));
        assert_eq!(own("{not json}"), taken(None, "{not json}"));
        for bad in
            ["", " \n", r#"{"body": ""}"#, r#"{"text": "x"}"#, r#"{"body": 5}"#, r#"{"id": 5, "body": "x"}"#]
        {
            assert!(own(bad).is_err(), "{bad}");
        }
        assert!(read(&[0xff, 0xfe], None).is_err());
    }

    #[test]
    fn a_form_is_read_like_json_and_unknown_events_are_named() {
        let json =
            r#"{"action":"created","sender":{"login":"mina+kim"},"repository":{"full_name":"acme/pump"}}"#;
        let form: String =
            percent_encoding::utf8_percent_encode(json, percent_encoding::NON_ALPHANUMERIC).to_string();
        let posted = read(format!("payload={form}").as_bytes(), Some("star")).unwrap();
        assert_eq!(posted.body, "star created by mina+kim in acme/pump");
        assert_eq!(read(b"{}", Some("deploy_key")).unwrap().body, "deploy key by someone in a repository");
    }

    #[test]
    fn reports_are_bounded_whatever_is_in_them() {
        let alert = serde_json::json!({"annotations": {"summary": "긴 ".repeat(5_000)}, "labels": {"a": "b".repeat(9_000)}});
        let many = serde_json::json!({"alerts": vec![alert; 300], "truncatedAlerts": 7}).to_string();
        let body = read(many.as_bytes(), None).unwrap().body;
        assert!(body.len() <= MAX_REPORT_BYTES + 3, "{}", body.len());
        let few = serde_json::json!({"alerts": vec![serde_json::json!({"labels": {"alertname": "x"}}); 25], "truncatedAlerts": 7});
        let body = read(few.to_string().as_bytes(), None).unwrap().body;
        assert!(body.contains("\n- and 12 more"), "{body}");
        // Anything may be missing or of another type.
        for odd in [r#"{"alerts": []}"#, r#"{"alerts": [5, null, {"labels": 7, "annotations": []}]}"#] {
            assert!(read(odd.as_bytes(), None).is_ok(), "{odd}");
        }
        for event in [
            "push",
            "issues",
            "issue_comment",
            "pull_request",
            "pull_request_review",
            "release",
            "workflow_run",
        ] {
            assert!(read(br#"{"commits": 5, "issue": [], "ref": {}}"#, Some(event)).is_ok(), "{event}");
        }
        // Only links of the web are passed on.
        let link = r#"{"alerts": [{"generatorURL": "javascript:alert(1)"}]}"#;
        assert!(!read(link.as_bytes(), None).unwrap().body.contains("javascript"));
    }
}
