//! Readings over HTTP, and the tokens of devices.

use duplex::hub::{HubError, add_device, remove_device};
use duplex::model::Value;
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
async fn a_line_of_shell_makes_a_device() {
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
    let at = 1_700_000_000_000;
    assert_eq!(
        values,
        [(at, Value::Number(22.0)), (at, Value::Number(23.0))],
        "a repeated time is not one less"
    );
}

#[tokio::test]
async fn who_may_not_and_what_is_wrong_is_said_by_a_status_and_a_sentence() {
    let (dir, hub) = hub().await;
    let token = add_device(dir.path(), "shed", "").unwrap();
    let (_ben, ben) = Client::join(&dir, &hub.url, "Ben").await;
    let admin = hub.admin_token.reveal();
    let body = r#"{"temperature": 21.5}"#;
    let told = async |path: &str, token: &str, body: &str| status(&post(hub.addr, path, token, body).await);
    assert_eq!(told(PATH, "1234", body).await, 401);
    assert_eq!(told(PATH, &ben, body).await, 403);
    assert_eq!(told("/v1/devices/pump/readings", token.reveal(), body).await, 403);
    assert_eq!(told("/v1/devices/pump/readings", admin, body).await, 204, "an admin's token makes it");
    assert_eq!(told("/v1/devices/%7Elink/readings", admin, body).await, 404);
    assert_eq!(told(&format!("/v1/devices/{}/readings", "x".repeat(65)), admin, body).await, 404);
    assert_eq!(told(PATH, token.reveal(), &"x".repeat(65 * 1024)).await, 413);
    assert_eq!(told(&format!("{PATH}?expect_every_s=never"), token.reveal(), body).await, 400);
    let answer = post(hub.addr, PATH, token.reveal(), r#"[{"metric":"t","value":1},{"metric":"t"}]"#).await;
    assert!(status(&answer) == 400 && answer.contains("Item 2: \"value\" is missing."), "{answer}");
    let answer = post(hub.addr, PATH, token.reveal(), "temperature=21.5").await;
    assert!(status(&answer) == 400 && answer.contains("line 1 column"), "{answer}");
    let list = Client::admin(&hub).await.watch().await;
    assert_eq!(list.iter().map(|state| state.spec.id.as_str()).collect::<Vec<_>>(), ["pump"]);
}

#[tokio::test]
async fn a_body_is_asked_for_before_it_is_sent() {
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
async fn a_flood_over_http_is_told_when_to_come_back() {
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
    // In bursts on one connection, until the hub has had enough.
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
    assert!(answers.contains("HTTP/1.1 429") && answers.contains("retry-after: 1"), "a rate holds");
}

#[tokio::test]
async fn a_device_has_one_token_and_loses_it() {
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
    assert!(matches!(taken, Err(HubError::IdTaken { .. })), "nobody is taken over");
    assert!(!remove_device(dir.path(), &welcome.me.id.0).unwrap());
    assert_eq!(told(hub.admin_token.reveal()).await, 204);
    for bad in ["", " shed", "~shed", "a\nb"] {
        assert!(matches!(add_device(dir.path(), bad, ""), Err(HubError::BadDeviceId { .. })), "{bad:?}");
    }
}
