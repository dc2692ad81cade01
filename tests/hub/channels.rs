//! Clients over HTTP requests instead of a WebSocket.

use duplex::wire::duplex::message::{ClientMessage, HubMessage};
use hyper::{Method, StatusCode, Version};

use super::channel_client::{Caller, Http, ROUTES, Route, Way, text};
use super::client::{Client, dial, get, hello, hub, within};

#[tokio::test]
async fn each_route_carries_a_conversation() {
    let (dir, hub) = hub().await;
    for (place, route) in ROUTES.into_iter().enumerate() {
        let (_, token) = Client::join(&dir, &hub.url, &format!("{route:?}")).await;
        let (mut other, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
        let (mut caller, welcome) = Caller::enter(hub.addr, &token, route).await;
        assert_eq!(welcome.me.name, format!("{route:?}"));
        let sent = caller.send("from the channel").await;
        caller.acked(sent).await;
        let theirs = other.send("from the socket").await;
        other.acked(theirs).await;
        let bodies = caller.bodies(2 * (place + 1)).await;
        assert_eq!(bodies[2 * place..], ["from the channel", "from the socket"], "{route:?}");
        // The token may also come in the hello, as over a WebSocket.
        let mut late = Caller::open(hub.addr, None, route).await;
        late.hello(duplex::wire::duplex::message::Hello { token: Some(token), ..hello() }).await;
        assert!(matches!(late.hear().await, HubMessage::Welcome(_)));
    }
}

#[tokio::test]
async fn a_request_that_is_cut_or_repeated_loses_and_doubles_nothing() {
    let (_dir, hub) = hub().await;
    let (mut caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::LongPoll).await;
    let sent = caller.send("one").await;
    caller.acked(sent).await;
    // The answer to this post is lost: the next one repeats it.
    let first = caller.core.sent() + 1;
    let two = frame_of_send("two", 2);
    caller.core.send(two);
    let post = caller.core.post().unwrap();
    let (number, id) = (post.first.to_string(), caller.id.clone());
    let headers = [("duplex-channel", id.as_str()), ("duplex-first", &number)];
    let (status, _) = caller.up.ask(Method::POST, "/v1/channels/send", &headers, post.body).await;
    assert_eq!((status, post.first), (StatusCode::OK, first));
    caller.core.post_failed();
    caller.core.send(frame_of_send("three", 3));
    let (status, body) = caller.post().await.unwrap();
    assert_eq!((status, body), (StatusCode::OK, format!("{{\"received\":{}}}", first + 1)));
    // A poll whose answer is lost is asked again.
    let from = caller.core.ask().from;
    let path = format!("/v1/channels/poll?from={from}&wait_ms=20000");
    let headers = [("duplex-channel", id.as_str())];
    let lost = text(caller.down.call(Method::GET, &path, &headers, "").await).await;
    assert!(!lost.is_empty());
    assert_eq!(caller.bodies(3).await, ["one", "two", "three"]);
    let (mut other, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    assert_eq!(other.messages(3).await.len(), 3, "nothing was stored twice");
}

fn frame_of_send(body: &str, seq: u64) -> duplex::frame::Frame {
    use duplex::model::RoomId;
    use duplex::model::content::{Content, Draft};
    let draft = Draft {
        id: super::client::new_id(),
        room: RoomId::general(),
        content: Content::text(body),
        at: duplex::model::time::WallMs(7),
    };
    duplex::frame::Frame::Text(super::client::frame(&ClientMessage::Send { draft, seq, retry: false }))
}

#[tokio::test]
async fn a_websocket_takes_over_and_is_lost_again_under_traffic() {
    let (_dir, hub) = hub().await;
    let (mut other, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    for route in ROUTES {
        let (mut caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), route).await;
        let before = 2 * 60 * ROUTES.iter().position(|known| *known == route).unwrap();
        let mut expected = Vec::new();
        for round in 0..60 {
            let (mine, theirs) = (format!("{route:?} {round}"), format!("other {round}"));
            let sent = caller.send(&mine).await;
            caller.acked(sent).await;
            match round % 4 {
                1 => caller.join(hub.addr).await,
                3 => caller.leave(),
                _ => {}
            }
            let sent = other.send(&theirs).await;
            other.acked(sent).await;
            expected.extend([mine, theirs]);
        }
        let bodies = caller.bodies(before + expected.len()).await;
        assert_eq!(bodies[before..], expected, "{route:?}: each once, in order");
    }
}

#[tokio::test]
async fn presence_and_incarnation_survive_a_change_of_route() {
    let (dir, hub) = hub().await;
    let (_, token) = Client::join(&dir, &hub.url, "Ben").await;
    let (mut other, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let (mut caller, _) = Caller::enter(hub.addr, &token, Route::LongPoll).await;
    let online = |message: &HubMessage| match message {
        HubMessage::Presence { who, online, .. } if who.name == "Ben" => Some(*online),
        _ => None,
    };
    while !other.find(online).await {}
    caller.join(hub.addr).await;
    let sent = caller.send("over the WebSocket").await;
    caller.acked(sent).await;
    caller.leave();
    let sent = caller.send("by a post").await;
    caller.acked(sent).await;
    let sent = other.send("done").await;
    other.acked(sent).await;
    let (status, _) =
        caller.up.ask(Method::DELETE, "/v1/channels", &[("duplex-channel", &caller.id.clone())], "").await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(!other.find(online).await, "the first thing heard of Ben since is that they went");
}

/// A request, with its headers and body, and the status that refuses it.
type Refused<'a> = (&'a Method, &'a str, &'a [(&'a str, &'a str)], &'a str, u16);

#[tokio::test]
async fn foreigners_and_bad_requests_are_refused_with_an_explanation() {
    let (_dir, hub) = hub().await;
    let (caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::Poll).await;
    let mut http = Http::open(hub.addr).await;
    let id = caller.id.as_str();
    let other = "0".repeat(64);
    let (get, post) = (Method::GET, Method::POST);
    let poll = "/v1/channels/poll?from=1";
    let large = "x".repeat(1024 * 1024 + 100);
    let cases: [Refused<'_>; 16] = [
        (&post, "/v1/channels", &[("origin", "https://evil.example")], "", 403),
        (&get, poll, &[("duplex-channel", id), ("origin", "https://evil.example")], "", 403),
        (&post, "/v1/channels", &[("host", "evil.example")], "", 421),
        (&get, poll, &[("duplex-channel", id), ("host", "evil.example")], "", 421),
        (&post, "/v1/channels", &[("authorization", "Bearer 1234")], "", 401),
        (&get, poll, &[], "", 400),
        (&get, poll, &[("duplex-channel", &other)], "", 404),
        (&get, "/v1/channels/poll", &[("duplex-channel", id)], "", 400),
        (&get, "/v1/channels/events?from=99", &[("duplex-channel", id)], "", 409),
        (&get, "/v1/channels/stream?from=0", &[("duplex-channel", id)], "", 409),
        (&get, poll, &[("duplex-channel", id), ("duplex-turn", "x")], "", 400),
        (&post, "/v1/channels/send", &[("duplex-channel", id)], "{}", 400),
        (&post, "/v1/channels/send", &[("duplex-channel", id), ("duplex-first", "9")], "{}", 409),
        (&post, "/v1/channels/send", &[("duplex-channel", id), ("duplex-first", "2")], &large, 413),
        (&get, "/v1/channels", &[("duplex-channel", id)], "", 405),
        (&get, "/v1/channels/other", &[("duplex-channel", id)], "", 404),
    ];
    for (method, path, headers, body, expected) in cases {
        let (status, answer) = http.ask(method.clone(), path, headers, body.to_owned()).await;
        assert_eq!(status.as_u16(), expected, "{method} {path}: {answer}");
        assert!(answer.len() > 20 && !answer.contains(id), "it says what is wrong, and no secret: {answer}");
    }
    for headers in
        [[("duplex-channel", id), ("duplex-from", "99")], [("duplex-channel", &other), ("duplex-from", "1")]]
    {
        let refused = dial(&hub.url, &headers).await;
        assert!(refused.is_err(), "{headers:?}");
    }
}

#[tokio::test]
async fn what_comes_late_from_before_a_change_of_route_is_refused() {
    let (_dir, hub) = hub().await;
    let (mut caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::LongPoll).await;
    caller.join(hub.addr).await;
    let from = caller.core.received() + 1;
    let path = format!("/v1/channels/poll?from={from}");
    let id = caller.id.clone();
    let late = [("duplex-channel", id.as_str()), ("duplex-turn", "0")];
    let (status, body) = caller.down.ask(Method::GET, &path, &late, "").await;
    assert!(status == StatusCode::CONFLICT && body.contains("\"refused\":\"late\""), "{body}");
    // The WebSocket goes on.
    let sent = caller.send("still there").await;
    caller.acked(sent).await;
}

#[tokio::test]
async fn a_newer_request_ends_the_older_one() {
    let (_dir, hub) = hub().await;
    let (mut caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::LongPoll).await;
    // Until nothing more comes by itself.
    let mut from = caller.core.received() + 1;
    let id = caller.id.clone();
    let headers = [("duplex-channel", id.as_str())];
    loop {
        let path = format!("/v1/channels/poll?from={from}&wait_ms=0");
        let (_, body) = caller.down.ask(Method::GET, &path, &headers, "").await;
        match body.lines().count() {
            0 => break,
            count => from += count as u64,
        }
    }
    let path = format!("/v1/channels/stream?from={from}");
    let older = caller.down.call(Method::GET, &path, &headers, "").await;
    let mut newer = Http::open(hub.addr).await;
    let _newer = newer.call(Method::GET, &path, &headers, "").await;
    assert!(text(older).await.starts_with('\n'), "it ends, whatever came before");
}

#[tokio::test]
async fn an_ended_channel_says_why() {
    let (dir, hub) = hub().await;
    for route in ROUTES {
        let name = format!("{route:?}");
        let (_, token) = Client::join(&dir, &hub.url, &name).await;
        let (mut caller, welcome) = Caller::enter(hub.addr, &token, route).await;
        let remove = duplex::model::rights::ManageRequest::Remove { who: welcome.me.id };
        let (mut admin, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
        admin.say(&ClientMessage::Manage { id: 1, what: remove }).await;
        let mut last = None;
        let (status, body) = loop {
            match within("the end", caller.try_hear()).await {
                Ok(message) => last = Some(message),
                Err(ended) => break ended,
            }
        };
        assert_eq!(status, StatusCode::GONE, "{body}");
        let told: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(told["code"], 4501, "{body}");
        let Some(HubMessage::Bye { code, reason, .. }) = last else { panic!("no bye: {last:?}") };
        assert_eq!(
            (told["code"].as_u64(), told["reason"].as_str()),
            (Some(code.into()), Some(reason.as_str()))
        );
        let (status, _) = caller.post().await.unwrap_or((StatusCode::GONE, String::new()));
        assert_eq!(status, StatusCode::GONE);
    }
    // A violation, and a hub that stops.
    let mut bad = Caller::open(hub.addr, None, Route::LongPoll).await;
    bad.core.send(duplex::frame::Frame::Text("{}".to_owned()));
    bad.post().await;
    let ended = loop {
        if let Err(ended) = within("the end", bad.try_hear()).await {
            break ended;
        }
    };
    assert!(ended.0 == StatusCode::GONE && ended.1.contains("4504"), "{ended:?}");
    let (mut caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::Stream).await;
    let stopping = tokio::spawn(hub.shutdown());
    loop {
        if let HubMessage::Bye { code, .. } = caller.hear().await {
            break assert_eq!(code, 1001);
        }
    }
    within("the hub to stop", stopping).await.unwrap();
}

#[tokio::test]
async fn before_the_welcome_little_is_taken() {
    let (_dir, hub) = hub().await;
    for (body, code) in [("{}\n".repeat(20), 4504), ("x".repeat(9_000), 1009)] {
        let caller = Caller::open(hub.addr, None, Route::LongPoll).await;
        let mut http = Http::open(hub.addr).await;
        let headers = [("duplex-channel", caller.id.as_str()), ("duplex-first", "1")];
        http.ask(Method::POST, "/v1/channels/send", &headers, body).await;
        let ended = ended(&mut http, &caller.id).await;
        assert!(ended.contains(&code.to_string()) || ended.contains("1008"), "{ended}");
    }
    let caller = Caller::open(hub.addr, None, Route::LongPoll).await;
    let mut http = Http::open(hub.addr).await;
    let headers = [("duplex-channel", caller.id.as_str()), ("duplex-first", "1")];
    let (status, _) = http.ask(Method::POST, "/v1/channels/send", &headers, "x".repeat(17_000)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    // Nothing was said: the hub ends it as it ends a silent WebSocket.
    assert!(ended(&mut http, &caller.id).await.contains("4400"));
}

/// Polls until the channel has ended.
async fn ended(http: &mut Http, id: &str) -> String {
    let mut from = 1;
    within("the end", async {
        loop {
            let path = format!("/v1/channels/poll?from={from}&wait_ms=20000");
            let (status, body) = http.ask(Method::GET, &path, &[("duplex-channel", id)], "").await;
            if status == StatusCode::GONE {
                return body;
            }
            from += body.lines().count() as u64;
        }
    })
    .await
}

#[tokio::test]
async fn one_principal_has_a_share_of_channels() {
    let (dir, hub) = hub().await;
    let (_, token) = Client::join(&dir, &hub.url, "Ben").await;
    let mut http = Http::open(hub.addr).await;
    let bearer = format!("Bearer {token}");
    let mut opened = 0;
    let refused = loop {
        let answer = http.ask(Method::POST, "/v1/channels", &[("authorization", &bearer)], "").await;
        match answer.0 {
            StatusCode::OK => opened += 1,
            _ => break answer,
        }
    };
    assert_eq!((opened, refused.0), (128, StatusCode::SERVICE_UNAVAILABLE), "{}", refused.1);
    let (_, welcome) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::Poll).await;
    assert!(!welcome.me.name.is_empty(), "others have theirs");
}

#[tokio::test]
async fn newcomers_cannot_crowd_each_other_out() {
    let (_dir, hub) = hub().await;
    let (mut caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::LongPoll).await;
    let mut http = Http::open(hub.addr).await;
    for _ in 0..700 {
        let (status, body) = http.ask(Method::POST, "/v1/channels", &[], "").await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }
    let channels = figure(&hub, "duplex_connections").await;
    assert!(channels <= 513, "{channels} of 701 are left");
    let sent = caller.send("undisturbed").await;
    caller.acked(sent).await;
}

#[tokio::test]
async fn a_post_that_never_ends_is_given_up() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (_dir, hub) = hub().await;
    let (caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::LongPoll).await;
    let mut stream = tokio::net::TcpStream::connect(hub.addr).await.unwrap();
    let head = format!(
        "POST /v1/channels/send HTTP/1.1\r\nHost: {}\r\nDuplex-Channel: {}\r\nDuplex-First: 2\r\nContent-Length: 100\r\n\r\n{{",
        hub.addr, caller.id
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 16];
    within("the answer", stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408 Req");
}

#[tokio::test]
async fn a_client_that_never_asks_costs_little() {
    let (dir, hub) = hub().await;
    let (mut other, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let body = "x".repeat(60_000);
    for _ in 0..40 {
        let sent = other.send(&body).await;
        other.acked(sent).await;
    }
    let (_, token) = Client::join(&dir, &hub.url, "Ben").await;
    let mut slow = Caller::open(hub.addr, Some(&token), Route::Poll).await;
    slow.hello(duplex::wire::duplex::message::Hello { since: Some(duplex::model::Offset(0)), ..hello() })
        .await;
    slow.hear().await;
    let held = figure(&hub, "duplex_channel_bytes").await;
    assert!(held < 1_300_000, "2.4 MB are to be replayed, {held} bytes are kept");
    assert_eq!(slow.bodies(40).await.len(), 40, "and all of it comes when it asks");
}

pub async fn figure(hub: &duplex::hub::Running, name: &str) -> u64 {
    let headers = format!("Host: {}\r\nAuthorization: Bearer {}\r\n", hub.addr, hub.admin_token.reveal());
    let text = get(hub.addr, "/metrics", &headers).await;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} is missing in\n{text}")).parse().unwrap()
}

/// A stream's connection belongs to its client for as long as it goes on, also where a proxy made it.
#[tokio::test]
async fn streams_through_a_trusted_proxy_count_for_their_client() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = duplex::hub::Options::embedded(dir.path());
    options.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let hub = duplex::hub::start(options).await.unwrap();
    let strangers = async |wanted: u64| {
        within("the connections to be counted", async {
            while figure(&hub, "duplex_strangers").await != wanted {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    let (caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::Stream).await;
    // The proxy's connection that posted counts for nobody until its next request.
    strangers(1).await;
    drop(caller);
    strangers(0).await;
    // Over HTTP/2 the proxy's connection counts for nobody, and its requests for their clients.
    let way = Way(Route::Stream, Version::HTTP_2);
    let (caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), way).await;
    strangers(1).await;
    drop(caller);
    strangers(0).await;
}

#[tokio::test]
async fn the_metrics_tell_clients_by_transport() {
    let (_dir, hub) = hub().await;
    let token = hub.admin_token.reveal().to_owned();
    let mut callers = Vec::new();
    for route in ROUTES {
        callers.push(Caller::enter(hub.addr, &token, route).await.0);
    }
    for name in ["sse", "stream", "longpoll", "poll"] {
        let label = format!("{{transport=\"{name}\"}}");
        assert_eq!(figure(&hub, &format!("duplex_clients{label}")).await, 1, "{name}");
        assert!(figure(&hub, &format!("duplex_channel_requests_total{label}")).await > 0);
    }
    callers[0].join(hub.addr).await;
    let (_socket, _) = Client::enter(&hub.url, &token, None).await;
    assert_eq!(figure(&hub, "duplex_clients{transport=\"websocket\"}").await, 2);
    assert_eq!(figure(&hub, "duplex_clients{transport=\"sse\"}").await, 0);
    assert_eq!(figure(&hub, "duplex_connections").await, 5);
}
