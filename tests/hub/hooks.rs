//! Messages over HTTP, with the token of a hook.

use duplex::hub::{HubError, Running, hooks, make_hook, remove_hook};
use duplex::model::Sender;

use super::client::{Client, hub, new_id, post};

const PATH: &str = "/v1/rooms/general/messages";

fn status(answer: &str) -> u16 {
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest[..3].parse().ok());
    status.unwrap_or_else(|| panic!("{answer}"))
}

async fn posted(hub: &Running, path: &str, token: &str, body: &str) -> u16 {
    status(&post(hub.addr, path, token, body).await)
}

fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/data/hooks/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[tokio::test]
async fn a_message_is_delivered_once_by_a_sender_of_its_own() {
    let (dir, hub) = hub().await;
    let mut reader = Client::admin(&hub).await;
    let (hook, token) = make_hook(dir.path(), "general", "Backup").unwrap();
    let token = token.reveal();
    let id = new_id();
    let body = format!("{{\"id\": \"{id}\", \"body\": \"The backup is done. 끝.\"}}");
    let answer = post(hub.addr, PATH, token, &body).await;
    assert!(status(&answer) == 200 && answer.contains(&id.to_string()), "{answer}");
    let entry = reader.messages(1).await.remove(0);
    assert_eq!((entry.draft.id, entry.draft.content.body()), (id, "The backup is done. 끝."));
    let sender =
        Sender { id: duplex::model::PrincipalId(format!("hook:{}", hook.id)), name: "Backup".into() };
    assert_eq!(entry.sender, sender, "no person is ever called so");
    // Sent again because no answer came.
    let again = post(hub.addr, PATH, token, &body).await;
    assert_eq!(again.lines().last(), answer.lines().last(), "it has the same place");
    // An id need not be a UUID.
    for _ in 0..2 {
        assert_eq!(posted(&hub, PATH, token, r#"{"id": "build 7", "body": "built"}"#).await, 200);
    }
    // Plain text, as often as it is sent; a report of the same content is a retry.
    for _ in 0..2 {
        assert_eq!(posted(&hub, PATH, token, "tick").await, 200);
        assert_eq!(posted(&hub, PATH, token, &sample("alertmanager.json")).await, 200);
    }
    let bodies: Vec<String> =
        reader.messages(4).await.iter().map(|entry| entry.draft.content.body().to_owned()).collect();
    assert_eq!((bodies[0].as_str(), bodies[1].as_str()), ("built", "tick"));
    assert!(bodies[2].starts_with("**[FIRING:1] PumpPressureLow**") && bodies[3] == "tick", "{bodies:?}");
}

#[tokio::test]
async fn a_token_is_good_for_its_room_until_it_is_removed() {
    let (dir, hub) = hub().await;
    let (hook, token) = make_hook(dir.path(), "general", "Alerts").unwrap();
    let token = token.reveal();
    assert_eq!(posted(&hub, PATH, token, "one").await, 200);
    assert_eq!(posted(&hub, "/v1/rooms/lab/messages", token, "x").await, 403);
    assert_eq!(posted(&hub, "/v1/devices/shed/readings", token, "{}").await, 401, "it is nobody elsewhere");
    assert_eq!(posted(&hub, PATH, hub.admin_token.reveal(), "x").await, 401, "and nobody is it");
    assert_eq!(
        posted(&hub, &format!("{PATH}?token={token}"), "wrong", "x").await,
        401,
        "the header goes before"
    );
    assert_eq!(hooks(dir.path()).unwrap(), std::slice::from_ref(&hook));
    let file = std::fs::read_to_string(dir.path().join("hooks.json")).unwrap();
    assert!(!file.contains(token), "only its hash is stored");
    assert!(matches!(make_hook(dir.path(), "nowhere", "x"), Err(HubError::NoSuchRoom { .. })));
    assert!(remove_hook(dir.path(), &hook.id).unwrap());
    assert_eq!(posted(&hub, PATH, token, "two").await, 401);
    assert!(!remove_hook(dir.path(), &hook.id).unwrap());
}

#[tokio::test]
async fn a_token_in_the_address_is_for_those_who_can_set_no_header() {
    let (dir, hub) = hub().await;
    let mut reader = Client::admin(&hub).await;
    let (_, token) = make_hook(dir.path(), "general", "Code").unwrap();
    let body = sample("github-push.json");
    let request = |delivery: &str| {
        format!(
            "POST {PATH}?token={} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-GitHub-Event: push\r\n\
             X-GitHub-Delivery: {delivery}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            token.reveal(),
            hub.addr,
            body.len()
        )
    };
    let first = new_id().to_string();
    for delivery in [&first, &first, &new_id().to_string()] {
        let answer = super::client::exchange(hub.addr, &request(delivery)).await;
        assert_eq!(status(&answer), 200, "{answer}");
    }
    assert_eq!(posted(&hub, &format!("{PATH}?token=wrong"), "", "x").await, 401);
    let entries = reader.messages(2).await;
    assert!(entries[0].draft.content.body().starts_with("mina pushed 2 commits to main"));
    assert_ne!(entries[0].draft.id, entries[1].draft.id, "another delivery is another message");
}

#[tokio::test]
async fn what_is_too_much_or_makes_no_sense_is_refused_with_a_sentence() {
    let (dir, hub) = hub().await;
    let (_, token) = make_hook(dir.path(), "general", "Flood").unwrap();
    let token = token.reveal();
    for (body, refused) in [
        (String::new(), 400),
        (r#"{"text": "x"}"#.to_owned(), 400),
        (r#"{"id": "", "body": "x"}"#.to_owned(), 400),
        (format!(r#"{{"id": "{}", "body": "x"}}"#, "x".repeat(300)), 400),
        ("x".repeat(64 * 1024 + 1), 413),
    ] {
        assert_eq!(posted(&hub, PATH, token, &body).await, refused, "{:.40}", body);
    }
    // It is limited like everybody who posts.
    let mut refused = 0;
    for _ in 0..600 {
        let answer = post(hub.addr, PATH, token, "flood").await;
        match status(&answer) {
            200 => {}
            429 => {
                assert!(answer.to_lowercase().contains("retry-after: "), "{answer}");
                refused += 1;
                break;
            }
            _ => panic!("{answer}"),
        }
    }
    assert_eq!(refused, 1, "600 at once are too many");
}
