//! The console at WebSocket servers that know nothing of Duplex: `tail` and `send` with `--protocol websocket`.

use std::future::Future;
use std::io::Write as _;
use std::pin::Pin;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use duplex::model::profile::Secret;
use duplex::model::upgrade;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, StatusCode};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::ws_server;

type Socket = WebSocketStream<TcpStream>;
/// How a server ends a connection.
type End = fn(Socket) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
const SECRET: &str = "5ecret-of-jun-5ecret-of-jun";

/// Runs until its test ends: a runtime of its own, on a thread of its own.
fn serve<F>(start: F) -> String
where
    F: Future<Output = String> + Send + 'static,
{
    let (url, urls) = mpsc::sync_channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::Builder::new()
        .name("server".into())
        .spawn(move || {
            runtime.block_on(async {
                url.send(start.await).unwrap();
                std::future::pending::<()>().await;
            });
        })
        .unwrap();
    urls.recv_timeout(PATIENCE).unwrap()
}

/// A server that does this with each connection. Returns its URL.
fn server<F, R>(talk: F) -> String
where
    F: Fn(Socket) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    serve(ws_server::websocket(talk))
}

/// A server that looks at each handshake first.
fn server_at_door<D, F, R>(door: D, talk: F) -> String
where
    D: Fn(&HeaderMap, &mut Response) -> Result<(), StatusCode> + Clone + Send + Unpin + 'static,
    F: Fn(Socket) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    serve(async move {
        let address = ws_server::tcp(move |stream| {
            let (door, talk) = (door.clone(), talk.clone());
            async move {
                #[allow(clippy::result_large_err, reason = "tungstenite's")]
                let look = move |request: &Request, mut response: Response| match door(
                    request.headers(),
                    &mut response,
                ) {
                    Ok(()) => Ok(response),
                    Err(status) => {
                        let mut refused = ErrorResponse::new(None);
                        *refused.status_mut() = status;
                        Err(refused)
                    }
                };
                if let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, look).await {
                    talk(socket).await;
                }
            }
        });
        format!("ws://{}/any/path?x=1", address.await)
    })
}

async fn close(mut socket: Socket, code: Option<u16>, reason: &'static str) {
    let frame = code.map(|code| CloseFrame { code: code.into(), reason: reason.into() });
    let _ = socket.close(frame).await;
    // Until the client has answered.
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
}

/// Runs the console, with a token in the environment that no such server is to get.
fn run(words: &[&str], environment: &[(&str, &str)], input: &str) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_duplexctl"))
        .args(words)
        .env("HOME", home.path())
        .env("DUPLEX_TOKEN", "t0ken-of-another-server")
        .env_remove("DUPLEX_PASSWORD")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may not read it at all.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap()
}

/// The exit code, standard output and standard error.
fn ran(words: &[&str]) -> (i32, String, String) {
    split(run(words, &[], ""))
}

fn split(output: Output) -> (i32, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn tail<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["tail", url, "--protocol", "websocket"], more].concat()
}

fn send<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["send", url, "--protocol", "websocket"], more].concat()
}

/// Says everything that a terminal would mind, and goodbye.
async fn greet(mut socket: Socket) {
    let said = [
        Message::text("안녕, \u{1b}[2J\u{202e}\r\nsecond line"),
        Message::binary(vec![0, 1, 254, 255, b'a']),
        Message::text(""),
        Message::text("{\"a\": 1}"),
    ];
    for message in said {
        socket.send(message).await.unwrap();
    }
    close(socket, Some(1000), "Bye!").await;
}

#[test]
fn every_message_is_printed_as_it_came_and_the_socket_apart_from_it() {
    let url = server(greet);
    let (code, out, said) = ran(&tail(&url, &["--no-reconnect"]));
    assert_eq!(code, 0, "{said}");
    // Behind the local time.
    let lines: Vec<&str> = out.lines().map(|line| line.get(9..).unwrap_or(line)).collect();
    assert_eq!(
        lines,
        [
            "text: 안녕, ␛[2J⟨U+202E⟩",
            &out.lines().nth(1).unwrap()[9..],
            "binary, 5 bytes: 00 01 fe ff 61  |....a|",
            "text: ",
            "text: {\"a\": 1}",
        ]
    );
    assert_eq!(out.lines().nth(1), Some("    second line"));
    let connected = said.find("duplexctl: connected").unwrap();
    let closed =
        said.find("duplexctl: closed by the server: 1000 (normal closure), clean. It said: Bye!").unwrap();
    assert!(connected < closed, "{said}");
}

#[test]
fn scripts_get_objects() {
    let url = server(greet);
    let (code, out, said) = ran(&tail(&url, &["--no-reconnect", "--json"]));
    assert_eq!((code, &*said), (0, ""));
    let mut events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for event in &mut events {
        let fields = event.as_object_mut().unwrap();
        let at = fields.remove("at").and_then(|at| at.as_u64());
        assert!(fields["event"] == "link" || at.is_some_and(|at| at > 1_700_000_000_000), "{out}");
    }
    let is_link = |event: &&Value| event["event"] == "link";
    let states: Vec<&Value> = events.iter().filter(is_link).map(|event| &event["state"]).collect();
    assert_eq!(states, ["connecting", "online"], "none that promises another try");
    events.retain(|event| !is_link(&event));
    let message =
        |field: &str, value: &str| json!({"event": "message", "direction": "received", field: value});
    assert_eq!(
        events,
        [
            json!({"event": "socket", "is": "opened", "subprotocol": null, "extensions": ""}),
            message("text", "안녕, \u{1b}[2J\u{202e}\r\nsecond line"),
            message("hex", "0001feff61"),
            message("text", ""),
            message("text", "{\"a\": 1}"),
            json!({"event": "socket", "is": "closed", "code": 1000, "meaning": "normal closure", "reason": "Bye!",
                   "clean": true, "by": "server"}),
        ]
    );
}

#[test]
fn without_reconnecting_the_exit_code_tells_a_clean_end_from_others() {
    for (end, exit, said) in [
        (Some(1000), 0, "1000 (normal closure), clean"),
        (Some(1001), 0, "1001 (going away), clean"),
        (None, 0, "1005 (no code), clean"),
        (Some(4001), 1, "4001 (the server's own code), clean. It said: kicked: 규칙"),
        (Some(1011), 1, "1011 (internal error), clean"),
        (Some(3999), 1, "closed by the server: 3999, clean"),
    ] {
        let url = server(move |socket| close(socket, end, "kicked: 규칙"));
        let (code, _, error) = ran(&tail(&url, &["--no-reconnect"]));
        assert!(code == exit && error.contains(said), "{end:?}: {code} {error}");
        assert!(
            exit == 0 || error.ends_with('\n') && error.contains("the server closed the connection with"),
            "{error}"
        );
    }
    // It hangs up without a close frame.
    let url = server(|socket| async { drop(socket) });
    let (code, out, error) = ran(&tail(&url, &["--no-reconnect"]));
    assert!(
        code == 1 && out.is_empty() && error.contains("connection lost: 1006 (no close frame)"),
        "{error}"
    );
    let (code, out, _) = ran(&tail(&url, &["--no-reconnect", "--json"]));
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert!(code == 1 && last["is"] == "lost" && last["code"] == 1006, "{last}");
}

#[test]
fn an_ended_connection_is_dialed_again_until_the_count_is_there() {
    let url = server(|mut socket| async move {
        socket.send(Message::text("hello")).await.unwrap();
        close(socket, Some(1000), "").await;
    });
    let (code, out, said) = ran(&tail(&url, &["--count", "3"]));
    assert_eq!((code, out.matches("text: hello").count()), (0, 3), "{out} {said}");
    assert!(
        said.matches("duplexctl: closed by the server").count() >= 2 && said.contains("reconnecting in"),
        "{said}"
    );
}

/// A server that passes on what it gets, and then ends the connection as `end` does.
fn listener<F, R>(end: F) -> (String, mpsc::Receiver<Message>)
where
    F: Fn(Socket) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let (got, messages) = mpsc::sync_channel(64);
    let url = server(move |mut socket| {
        let (got, end) = (got.clone(), end.clone());
        async move {
            while let Some(Ok(message)) = socket.next().await {
                if message.is_text() || message.is_binary() {
                    // The test may be over.
                    let _ = got.send(message);
                    break;
                }
            }
            end(socket).await;
        }
    });
    (url, messages)
}

/// Reads on and says nothing but what WebSocket itself asks for.
async fn keep_quiet(mut socket: Socket) {
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
}

#[test]
fn what_was_sent_is_unconfirmed_and_goes_out_as_it_is() {
    let (url, got) = listener(keep_quiet);
    let message = || got.recv_timeout(PATIENCE).unwrap();
    for (words, input, sent) in [
        (&["{\"a\":  1}\t한글 "][..], "", Message::text("{\"a\":  1}\t한글 ")),
        (&["-"], "two\nlines\n", Message::text("two\nlines\n")),
        (&[""], "", Message::text("")),
        (&["--hex", "00 01\nFE ff"], "", Message::binary(vec![0, 1, 254, 255])),
        (&["--hex", "-"], "68 69\n", Message::binary(b"hi".to_vec())),
        (&["--hex", ""], "", Message::binary(Vec::new())),
    ] {
        let (code, out, said) = split(run(&send(&url, words), &[], input));
        assert_eq!((code, &*out), (6, ""), "{words:?}: {said}");
        assert!(said.starts_with("duplexctl: sent, unconfirmed"), "{said}");
        assert_eq!(message(), sent);
    }
    for (words, why) in [
        (["--hex", "0g"], "'g' is no hexadecimal digit"),
        (["--hex", "012"], "two hexadecimal digits"),
        (["--hex", "0x12"], "'x' is no hexadecimal digit"),
    ] {
        let (code, _, said) = ran(&send(&url, &words));
        assert!(code == 1 && said.contains(why), "{said}");
    }
    let long = "x".repeat(1024 * 1024 + 1);
    let (code, _, said) = split(run(&send(&url, &["-"]), &[], &long));
    assert!(code == 1 && said.contains("at most 1048576 bytes"), "{said}");
    assert!(got.try_recv().is_err(), "what is wrong is found before anything is sent");
    let (code, ..) = split(run(&send(&url, &["-"]), &[], &long[1..]));
    assert_eq!((code, message().len()), (6, 1024 * 1024));
}

#[test]
fn a_connection_that_ends_before_the_server_said_anything_leaves_it_open() {
    let endings: [(&str, End); 3] = [
        ("4001 (the server's own code). It said: kicked", |socket| {
            Box::pin(close(socket, Some(4001), "kicked"))
        }),
        ("1000 (normal closure)", |socket| Box::pin(close(socket, Some(1000), ""))),
        ("connection lost", |socket| Box::pin(async { drop(socket) })),
    ];
    for (why, end) in endings {
        let (url, got) = listener(end);
        let (code, _, said) = ran(&send(&url, &["hello"]));
        assert!(code == 5 && said.contains("may not have arrived") && said.contains(why), "{code} {said}");
        assert!(!said.contains("--id"), "there is no way to send it twice safely: {said}");
        assert_eq!(got.recv_timeout(PATIENCE).unwrap(), Message::text("hello"));
        assert!(got.try_recv().is_err(), "it is sent once");
    }
    // One that agrees to the upgrade and never reads again.
    let url = serve(ws_server::upgraded(|stream| async move {
        let _open = stream;
        std::future::pending().await
    }));
    let (code, _, said) = ran(&send(&url, &["hello", "--timeout", "2s"]));
    assert!(code == 5 && said.contains("said nothing since"), "{code} {said}");
}

#[test]
fn what_was_never_sent_is_told_from_what_was_refused() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    drop(listener);
    let (code, _, said) = ran(&send(&url, &["hello", "--timeout", "1s"]));
    assert!(code == 4 && said.contains("not sent: no server is listening"), "{code} {said}");
    let (code, _, said) = ran(&tail(&url, &["--no-reconnect"]));
    assert!(code == 1 && said.contains("no server is listening"), "{code} {said}");

    for (status, words) in
        [(401, "--user"), (403, "--user"), (404, "no WebSocket at this path"), (400, "--subprotocol")]
    {
        let url = server_at_door(move |_, _| Err(StatusCode::from_u16(status).unwrap()), keep_quiet);
        for command in [send(&url, &["hello"]), tail(&url, &[]), tail(&url, &["--no-reconnect"])] {
            let (code, _, said) = ran(&command);
            assert!(
                code == 3 && said.contains(words) && said.contains(&format!("HTTP {status}")),
                "{code} {said}"
            );
            assert!(!said.contains("token"), "{said}");
        }
    }
}

/// A server that says which headers it got, and agrees to "v1.chat".
fn door() -> (String, mpsc::Receiver<HeaderMap>) {
    let (seen, headers) = mpsc::sync_channel(64);
    let door = move |headers: &HeaderMap, response: &mut Response| {
        let offered = headers.get("sec-websocket-protocol").map(|value| value.to_str().unwrap());
        if offered.is_some_and(|offered| offered.contains("v1.chat")) {
            response.headers_mut().insert("sec-websocket-protocol", "v1.chat".parse().unwrap());
        }
        seen.send(headers.clone()).unwrap();
        Ok(())
    };
    (server_at_door(door, greet), headers)
}

#[test]
fn a_handshake_carries_what_the_flags_say_and_no_token() {
    let (url, seen) = door();
    let headers = || seen.recv_timeout(PATIENCE).unwrap();
    let basic = |user: &str, password: &str| upgrade::basic(user, &Secret::new(password)).unwrap();

    let more = [
        "--no-reconnect",
        "--subprotocol",
        "v9",
        "--subprotocol",
        "v1.chat",
        "--header",
        "X-Key: a: b",
        "--header=Origin:x",
    ];
    let (code, _, said) = ran(&tail(&url, &more));
    assert!(code == 0 && said.contains("connected, subprotocol v1.chat"), "{code} {said}");
    let got = headers();
    assert_eq!((&got["x-key"], &got["origin"]), (&"a: b".parse().unwrap(), &"x".parse().unwrap()));
    assert_eq!(got["sec-websocket-protocol"], "v9, v1.chat");
    assert!(!got.contains_key("authorization"), "{got:?}");

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), " of the file \n").unwrap();
    let file = file.path().to_str().unwrap();
    let with_user = url.replace("ws://", "ws://jun@");
    let with_both = url.replace("ws://", "ws://jun:p%40ss@");
    let variable = ("DUPLEX_PASSWORD", SECRET);
    for (url, more, environment, input, sent) in [
        (&url, &["--user", "mina"][..], &[variable][..], "", Some(basic("mina", SECRET))),
        (
            &url,
            &["--user", "mina", "--password-file", file],
            &[variable],
            "",
            Some(basic("mina", " of the file ")),
        ),
        (&url, &["--user", "mina", "--password-file", "-"], &[], "typed\r\n", Some(basic("mina", "typed"))),
        (&with_user, &[], &[variable], "", Some(basic("jun", SECRET))),
        (&with_both, &[], &[variable], "", Some(basic("jun", "p@ss"))),
        (&with_both, &["--user", "mina"], &[], "", Some(basic("mina", "p@ss"))),
        (&url, &["--user", "mina"], &[], "", Some(basic("mina", ""))),
        // A password that is for other servers.
        (&url, &[], &[variable], "", None),
    ] {
        let words = [&tail(url, &["--no-reconnect"])[..], more].concat();
        let (code, out, said) = split(run(&words, &[environment, &[("RUST_LOG", "trace")]].concat(), input));
        assert_eq!(code, 0, "{words:?}: {said}");
        assert_eq!(headers().get("authorization"), sent.as_ref(), "{words:?}");
        for secret in [SECRET, "p%40ss", "of the file", "t0ken-of-another-server"] {
            assert!(!out.contains(secret) && !said.contains(secret), "{secret}: {said}");
        }
    }
}

#[test]
fn a_server_must_choose_a_subprotocol_that_was_offered() {
    let (url, _seen) = door();
    for command in [tail(&url, &["--subprotocol", "v9"]), send(&url, &["hi", "--subprotocol", "v9"])] {
        let (code, _, said) = ran(&command);
        assert!(code == 3 && said.contains("none of the subprotocols offered (v9)"), "{code} {said}");
    }
}

#[test]
fn no_password_and_no_header_goes_to_another_computer_in_the_clear_unless_it_is_asked_for() {
    // A name that nobody has (RFC 6761).
    let url = "ws://server.invalid/feed";
    let with_password = format!("ws://jun:{SECRET}@server.invalid/feed");
    let header = format!("X-Key: {SECRET}");
    for command in [
        tail(url, &["--user", "jun"]),
        tail(url, &["--header", &header]),
        tail(&with_password, &[]),
        send(&with_password, &["hi"]),
    ] {
        let (code, _, said) = split(run(&command, &[("DUPLEX_PASSWORD", SECRET)], ""));
        assert!(code == 3 && said.contains("not encrypted") && said.contains("--insecure"), "{code} {said}");
        assert!(!said.contains(SECRET), "{said}");
    }
    let (code, _, said) = ran(&send(&with_password, &["hi", "--insecure", "--timeout", "1s"]));
    assert!(code == 4 && said.contains("is not encrypted") && !said.contains(SECRET), "{code} {said}");
    let (code, _, said) = ran(&send(url, &["hi", "--timeout", "1s"]));
    assert!(code == 4 && !said.contains("not encrypted"), "there is nothing to protect: {code} {said}");
}

#[test]
fn where_no_duplex_server_answers_websocket_is_proposed() {
    let (echo, greeter) = (server(ws_server::echo), server(greet));
    for url in [&echo, &greeter] {
        for command in [&["tail", url][..], &["send", url, "--room", "general", "hi"]] {
            let (code, _, said) = ran(command);
            assert!(code == 3 && said.contains("--protocol websocket"), "{code} {said}");
            let (code, _, said) = split(run(command, &[("DUPLEX_TOKEN", "")], ""));
            assert!(
                code == 3 && said.contains("token is needed") && said.contains("--protocol websocket"),
                "{said}"
            );
        }
        let (code, _, said) = ran(&["command", url, "shed", "relay", "on"]);
        assert!(code == 3 && said.contains("Duplex server") && !said.contains("--protocol"), "{code} {said}");
    }
}
