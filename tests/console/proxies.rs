//! The console through proxies: a hub whose name only the proxy resolves.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use duplex::hub::{self, Options};

use crate::proxies::{Proxy, Rules};

const URL: &str = "ws://hub.test:7870/v1/socket";

/// Proxies on a thread of their own, as long as the test.
fn start(make: impl AsyncFnOnce() -> Vec<Proxy> + Send + 'static) -> Vec<Proxy> {
    let (ready, started) = std::sync::mpsc::sync_channel(1);
    let serve = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            ready.send(make().await).unwrap();
            std::future::pending::<()>().await;
        });
    };
    std::thread::Builder::new().name("proxies".to_owned()).spawn(serve).unwrap();
    started.recv().unwrap()
}

/// Sends a message, with these words and variables.
fn send(dir: &Path, words: &[&str], variables: &[(&str, &str)]) -> Output {
    let token = hub::token(dir).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_duplexctl"));
    command.args(["send", URL, "--room", "general", "through", "--insecure", "--timeout", "20s"]).args(words);
    for name in
        ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"]
    {
        command.env_remove(name).env_remove(name.to_ascii_lowercase());
    }
    command.env("HOME", dir.join("home")).env("DUPLEX_TOKEN", token.reveal());
    command.envs(variables.iter().copied()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_message_goes_through_a_proxy_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let hub =
        hub::spawn(Options { allowed_hosts: vec!["hub.test".to_owned()], ..super::options(dir) }).unwrap();
    // It calls itself by its name; it listens on this computer.
    let port = hub.url.split([':', '/']).nth(4).unwrap().parse().unwrap();
    let place = SocketAddr::from(([127, 0, 0, 1], port));
    let all = start(async move || {
        let rules = Rules::of("hub.test", place);
        let closed = rules.clone().with_login("me", "hunter2");
        vec![Proxy::http(rules.clone()).await, Proxy::socks5(closed.clone()).await, Proxy::http(closed).await]
    });
    let [open, socks, closed] = &all[..] else { panic!() };
    let (open_url, socks_url) =
        (format!("http://{}", open.address), format!("socks5://me:hunter2@{}", socks.address));
    let closed_url = format!("http://me:hunter2@{}", closed.address);
    for (words, variables, proxy, told) in [
        (vec!["--proxy", &open_url], vec![], open, format!("http://{}", open.address)),
        (
            vec![],
            vec![("http_proxy", open_url.as_str())],
            open,
            format!("http://{} (http_proxy)", open.address),
        ),
        (
            vec![],
            vec![("ALL_PROXY", socks_url.as_str())],
            socks,
            format!("socks5://{} (ALL_PROXY)", socks.address),
        ),
        (
            vec![],
            vec![("HTTPS_PROXY", &closed_url)],
            closed,
            format!("http://{} (HTTPS_PROXY)", closed.address),
        ),
        // What is said on the command line counts.
        (
            vec!["--proxy", &socks_url],
            vec![("ALL_PROXY", &open_url)],
            socks,
            format!("socks5://{}", socks.address),
        ),
    ] {
        let before = proxy.asked().len();
        let output = send(dir, &words, &variables);
        assert!(output.status.success(), "{words:?} {variables:?}: {}", said(&output));
        let said = said(&output);
        let line = format!("duplexctl: connected through the proxy {told}\n");
        // Beside it, only that ws:// is not encrypted.
        let rest = said.replacen(&line, "", 1);
        assert!(rest != said && rest.lines().count() == 1 && !rest.contains("hunter2"), "{told}: {said}");
        assert!(proxy.asked().len() > before, "{told} was used");
    }
    hub.shutdown();
}

#[test]
fn a_redirect_within_the_host_is_followed_on_every_route() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let hub = hub::spawn(super::options(dir)).unwrap();
    let place = hub.url.split('/').nth(2).unwrap().to_owned();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let redirect = move || {
        for client in listener.incoming() {
            let (mut client, mut head) = (client.unwrap(), Vec::new());
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let path = head.split(' ').nth(1).unwrap_or_default();
            // To the same host, or by another name to the same computer.
            let to = if path.starts_with("/v1/") { &place } else { "localhost:1" };
            let answer =
                format!("HTTP/1.1 307 There\r\nLocation: http://{to}{path}\r\nContent-Length: 0\r\n\r\n");
            let _ = client.write_all(answer.as_bytes());
        }
    };
    std::thread::Builder::new().name("redirects".to_owned()).spawn(redirect).unwrap();
    let token = hub::token(dir).unwrap();
    let send = |path: &str, route: &str| {
        let url = format!("ws://127.0.0.1:{port}{path}");
        let words = [
            "send",
            &url,
            "--room",
            "general",
            "redirected",
            "--transport",
            route,
            "--token",
            token.reveal(),
        ];
        super::run(dir, &words)
    };
    for route in ["websocket", "sse", "longpoll"] {
        let output = send("/v1/socket", route);
        assert!(output.status.success(), "{route}: {}", said(&output));
    }
    let output = send("/elsewhere", "websocket");
    assert_eq!(output.status.code(), Some(3));
    assert!(
        said(&output).contains("redirects to ws://localhost:1/elsewhere")
            || said(&output).contains("redirects to http://localhost:1/elsewhere"),
        "{}",
        said(&output)
    );
    hub.shutdown();
}

#[test]
fn a_proxy_that_lets_nobody_through_is_a_clear_failure() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    hub::spawn(super::options(dir)).unwrap().shutdown();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let all = start(async move || {
        let rules = Rules::of("hub.test", nowhere);
        let strict = Rules { refuses_connect: true, ..rules.clone() };
        vec![Proxy::http(rules.with_login("me", "hunter2")).await, Proxy::http(strict).await]
    });
    let [closed, strict] = &all[..] else { panic!() };
    for (proxy, variables, expected) in [
        (format!("http://{}", closed.address), vec![], "asks for a user name and a password"),
        (
            format!("http://me:wrongpass@{}", closed.address),
            vec![],
            "doesn't accept the user name or the password",
        ),
        (format!("http://{}", strict.address), vec![], "doesn't allow connections to hub.test:7870 (403)"),
        (String::new(), vec![("ALL_PROXY", "gopher://me:hunter2@x")], "ALL_PROXY can't be used"),
    ] {
        let words = if proxy.is_empty() { vec![] } else { vec!["--proxy", proxy.as_str()] };
        let output = send(dir, &words, &variables);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.contains(expected) && !said.contains("hunter2") && !said.contains("wrongpass"),
            "{said}"
        );
    }
    let output = send(dir, &["--proxy", "ftp://me:hunter2@x"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("socks5://") && !said(&output).contains("hunter2"), "{}", said(&output));
}
