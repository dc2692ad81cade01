//! Readings over HTTP, and device tokens.

use duplex::hub::{HubError, add_device, remove_device};
use duplex::model::Value;
use duplex::model::time::WallMs;
use duplex::wire::duplex::message::HubMessage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::{Client, hub, post, refused, within};
use super::devices::name;

fn status(answer: &str) -> u16 {
    answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest[..3].parse().ok())
        .unwrap_or_else(|| panic!("{answer}"))
}

const PATH: &str = "/v1/devices/shed/readings";

#[tokio::test]
async fn one_shell_command_creates_a_device() {
    let (dir, hub) = hub().await;
    let token = add_device(dir.path(), "shed", "The shed").unwrap();
    let mut watcher = Client::admin(&hub).await;
    watcher.watch().await;
    let answer = post(hub.addr, PATH, token.reveal(), r#"{"temperature": 21.5, "relay": true}"#).await;
    assert_eq!(status(&answer), 204, "{answer}");
    let shed = watcher.device().await;
    assert!(shed.online && shed.spec.title() == "The shed" && shed.spec.metrics.len() == 2);
    let (samples, _) = watcher.readings().await;
    assert_eq!(samples[0].values[&name("temperature")], Value::Number(21.5));
    assert_eq!(samples[0].values[&name("relay")], Value::Flag(true));
    assert_eq!(samples[0].at, samples[0].received);

    let list = r#"[{"metric":"temperature","value":22,"unit":"°C","at":1700000000000},
        {"metric":"temperature","value":23,"unit":"°C","at":1700000000000}]"#;
    let about = format!("{PATH}?name=Gartenhaus%20%C3%9C&kind=shed&expect_every_s=2.5");
    assert_eq!(status(&post(hub.addr, &about, token.reveal(), list).await), 204);
    let shed = watcher.device().await;
    assert_eq!((shed.spec.name.as_str(), shed.spec.kind.as_str()), ("Gartenhaus Ü", "shed"));
    assert_eq!((shed.every_ms, shed.spec.metric("temperature").unwrap().unit.as_str()), (Some(2_500), "°C"));
    let (samples, _) = watcher.readings().await;
    let values: Vec<_> = samples.iter().map(|s| (s.at, s.values[&name("temperature")].clone())).collect();
    let at = WallMs(1_700_000_000_000);
    assert_eq!(
        values,
        [(at, Value::Number(22.0)), (at, Value::Number(23.0))],
        "a repeated time counts as well"
    );
}

#[tokio::test]
async fn errors_have_a_status_and_an_explanation() {
    let (dir, hub) = hub().await;
    let token = add_device(dir.path(), "shed", "").unwrap();
    let (_ben, ben) = Client::join(&dir, &hub.url, "Ben").await;
    let admin = hub.admin_token.reveal();
    let body = r#"{"temperature": 21.5}"#;
    let told = async |path: &str, token: &str, body: &str| status(&post(hub.addr, path, token, body).await);
    assert_eq!(told(PATH, "1234", body).await, 401);
    assert_eq!(told(PATH, &ben, body).await, 403);
    assert_eq!(told("/v1/devices/pump/readings", token.reveal(), body).await, 403);
    assert_eq!(told("/v1/devices/pump/readings", admin, body).await, 204, "an admin's token creates it");
    assert_eq!(told("/v1/devices/%7Elink/readings", admin, body).await, 404);
    assert_eq!(told(&format!("/v1/devices/{}/readings", "x".repeat(65)), admin, body).await, 404);
    assert_eq!(told(PATH, token.reveal(), &"x".repeat(65 * 1024)).await, 413);
    assert_eq!(told(&format!("{PATH}?expect_every_s=never"), token.reveal(), body).await, 400);
    let answer = post(hub.addr, PATH, token.reveal(), r#"[{"metric":"t","value":1},{"metric":"t"}]"#).await;
    assert!(
        status(&answer) == 400
            && answer.contains("Taken: 1. Not taken: 1.\nItem 2: \"t\": \"value\" is missing."),
        "{answer}"
    );
    let answer = post(hub.addr, PATH, token.reveal(), "temperature=21.5").await;
    assert!(status(&answer) == 400 && answer.contains("line 1 column"), "{answer}");
    let list = Client::admin(&hub).await.watch().await;
    assert_eq!(list.iter().map(|state| state.spec.id.as_str()).collect::<Vec<_>>(), ["pump", "shed"]);
}

#[tokio::test]
async fn integers_keep_all_digits_over_http_and_a_restart() {
    let (dir, hub) = hub().await;
    let token = add_device(dir.path(), "shed", "").unwrap();
    let mut watcher = Client::admin(&hub).await;
    watcher.watch().await;
    let body = r#"{"serial":1724442618569203714,"id":9007199254740993,"top":18446744073709551615,"low":-9223372036854775808}"#;
    assert_eq!(status(&post(hub.addr, PATH, token.reveal(), body).await), 204);
    let mut expected = serde_json::from_str::<std::collections::BTreeMap<_, Value>>(body).unwrap();
    assert_eq!(
        serde_json::to_value(&expected).unwrap(),
        serde_json::from_str::<serde_json::Value>(body).unwrap()
    );
    watcher.device().await;
    let (samples, _) = watcher.readings().await;
    let told: std::collections::BTreeMap<_, _> =
        samples[0].values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    assert_eq!(told, expected);

    // The rest of a body is accepted, as over the socket.
    let body = r#"{"id":9007199254740995,"huge":18446744073709551616,"more":1e400,"nested":{}}"#;
    let answer = post(hub.addr, PATH, token.reveal(), body).await;
    assert_eq!(status(&answer), 400);
    for part in [
        "Taken: 1. Not taken: 3.",
        r#""huge": 18446744073709551616 is out of range"#,
        r#""more": 1e400"#,
        r#""nested""#,
    ] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    let over = r#"{"type":"publish","samples":[{"device":"shed","values":{"id":9007199254740995,"huge":18446744073709551616,"more":1e400}}]}"#;
    let (mut socket, _) = Client::enter(&hub.url, token.reveal(), None).await;
    socket.raw_text(over.to_owned()).await;
    let refused = socket
        .find(|message| match message {
            HubMessage::PublishRefused { code, detail, .. } => Some((code.clone(), detail.clone())),
            _ => None,
        })
        .await;
    assert_eq!(refused.0, "out_of_range");
    assert!(
        refused.1.contains("`huge` (out_of_range)") && refused.1.contains("`more` (out_of_range)"),
        "{refused:?}"
    );

    expected.insert("id".to_owned(), Value::from(9_007_199_254_740_995_u64));
    drop((watcher, socket));
    hub.shutdown().await;
    let hub = duplex::hub::start(duplex::hub::Options::embedded(dir.path())).await.unwrap();
    let list = Client::admin(&hub).await.watch().await;
    let kept: std::collections::BTreeMap<_, _> =
        list[0].values.iter().map(|last| (last.metric.to_string(), last.value.clone())).collect();
    assert_eq!(kept, expected, "and nothing that was refused");
}

#[tokio::test]
async fn every_status_says_what_to_do() {
    let (dir, hub) = hub().await;
    let token = add_device(dir.path(), "shed", "").unwrap();
    let ask = async |method: &str, path: &str, more: &str| {
        let mut stream = TcpStream::connect(hub.addr).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Length: 7\r\n{more}\r\n{{\"t\":1}}",
            token.reveal()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        within("the answer", stream.read_to_string(&mut answer)).await.unwrap();
        answer
    };
    for (method, path, code, says) in [
        ("POST", "/v1/readings", 404, "/v1/devices/ID/readings"),
        ("POST", "/v1/devices/a/b/readings", 404, "percent-encoded"),
        ("POST", "/v1/devices//readings", 404, "device's id"),
        ("POST", "/v1/devices/shed/reading", 404, "/v1/devices/ID/readings"),
        ("GET", "/", 404, "/v1/socket"),
        ("GET", "/v2/socket", 404, "/v1/socket"),
        ("PUT", "/v1/devices/shed/readings", 405, "POST"),
        ("GET", "/v1/devices/shed/readings", 405, "POST"),
        ("DELETE", "/v1/devices/shed/readings", 405, "POST"),
        ("POST", "/healthz", 405, "GET"),
        ("POST", "/v1/socket", 405, "GET"),
        ("GET", "/v1/socket", 426, "WebSocket"),
        ("GET", "/metrics", 403, "admin"),
    ] {
        let answer = ask(method, path, "").await;
        let (head, sentence) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(status(&answer), code, "{method} {path}: {answer}");
        assert!(sentence.contains(says) && sentence.ends_with(".\n"), "{method} {path}: {answer}");
        let head = head.to_lowercase();
        assert_eq!(head.contains("\r\nallow: "), code == 405, "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn a_device_works_with_the_printed_command_or_is_not_created() {
    let (dir, hub) = hub().await;
    for bad in [".", ".."] {
        assert!(matches!(add_device(dir.path(), bad, ""), Err(HubError::UnreachableId { .. })), "{bad}");
    }
    for id in ["a%2Fb", "a/b", "a?b", "a#b", "a b", "...", "창고", "a;b=c", "a\\b", "%", "/", "+"] {
        let token = add_device(dir.path(), id, "").unwrap();
        let line = duplex::model::publish::command(
            &hub.url,
            duplex::model::publish::Trust::System,
            id,
            token.reveal(),
        );
        let path = line.split_whitespace().nth(1).and_then(|url| url.splitn(4, '/').nth(3)).unwrap();
        let answer = post(hub.addr, &format!("/{path}"), token.reveal(), "{\"t\":1}").await;
        assert_eq!(status(&answer), 204, "{id}: {line}: {answer}");
    }
    let mut known: Vec<String> =
        Client::admin(&hub).await.watch().await.iter().map(|state| state.spec.id.to_string()).collect();
    known.sort();
    assert!(known.contains(&"a/b".to_owned()) && known.len() == 12, "{known:?}");
}

#[tokio::test]
async fn expect_continue_is_answered() {
    let (_dir, hub) = hub().await;
    let (head, body) = (hub.admin_token.reveal(), format!("{{\"text\": \"{}\"}}", "x".repeat(900)));
    for (length, token, expected) in
        [(body.len(), head, "100"), (body.len(), "1234", "401"), (1024 * 1024, head, "413")]
    {
        let mut stream = TcpStream::connect(hub.addr).await.unwrap();
        let request = format!(
            "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut first = [0; 12];
        within("the interim answer", stream.read_exact(&mut first)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&first), format!("HTTP/1.1 {expected}"));
        if expected == "100" {
            stream.write_all(body.as_bytes()).await.unwrap();
            let mut answer = [0; 64];
            let mut read = String::new();
            while !read.contains("204") {
                let count = within("the answer", stream.read(&mut answer)).await.unwrap();
                assert!(count > 0, "{read}");
                read.push_str(&String::from_utf8_lossy(&answer[..count]));
            }
        }
    }
}

#[tokio::test]
async fn a_flood_over_http_gets_retry_after() {
    let (dir, hub) = hub().await;
    let token = add_device(dir.path(), "shed", "").unwrap();
    let body = "{\"t\": 1}";
    let one = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
        token.reveal(),
        body.len()
    );
    let mut stream = TcpStream::connect(hub.addr).await.unwrap();
    let mut answers = String::new();
    let mut buffer = vec![0; 64 * 1024];
    // In bursts on one connection, until the hub refuses.
    for _ in 0..200 {
        stream.write_all(one.repeat(50).as_bytes()).await.unwrap();
        let mut count = 0;
        while count < 50 {
            let bytes = within("answers", stream.read(&mut buffer)).await.unwrap();
            assert!(bytes > 0);
            let text = String::from_utf8_lossy(&buffer[..bytes]);
            count += text.matches("HTTP/1.1 ").count();
            answers.push_str(&text);
        }
        if answers.contains("HTTP/1.1 429") {
            break;
        }
    }
    assert!(answers.contains("HTTP/1.1 204"));
    assert!(answers.contains("HTTP/1.1 429") && answers.contains("retry-after: 1"), "the rate applies");
}

#[tokio::test]
async fn a_device_has_one_token_which_can_be_revoked() {
    let (dir, hub) = hub().await;
    let body = r#"{"temperature": 1}"#;
    let told = async |token: &str| status(&post(hub.addr, PATH, token, body).await);
    let first = add_device(dir.path(), "shed", "").unwrap();
    assert_eq!(told(first.reveal()).await, 204);
    let second = add_device(dir.path(), "shed", "Shed").unwrap();
    assert_eq!((told(first.reveal()).await, told(second.reveal()).await), (401, 204));
    assert!(remove_device(dir.path(), "shed").unwrap());
    assert!(!remove_device(dir.path(), "shed").unwrap());
    assert_eq!(told(second.reveal()).await, 401);
    let header = format!("Bearer {}", second.reveal());
    assert_eq!(refused(&hub.url, &[("authorization", &header)]).await.status(), 401);

    let (_anna, welcome) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let taken = add_device(dir.path(), &welcome.me.id.0, "");
    assert!(matches!(taken, Err(HubError::IdTaken { .. })), "a person's id cannot be taken");
    assert!(!remove_device(dir.path(), &welcome.me.id.0).unwrap());
    assert_eq!(told(hub.admin_token.reveal()).await, 204);
    for bad in ["", " shed", "~shed", "a\nb"] {
        assert!(matches!(add_device(dir.path(), bad, ""), Err(HubError::BadDeviceId { .. })), "{bad:?}");
    }
}
