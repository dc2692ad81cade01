//! Connections through proxies, of names that only the proxy resolves.

use std::net::SocketAddr;

use duplex::frame::Frame;
use duplex::model::link_state::Why;
use duplex::model::profile::{Secret, Socket};
use duplex::model::proxy::{Proxy as Written, ProxyChoice, ProxyKind, ProxyProblem, ProxySource};
use duplex::transport::fetch::HttpConnection;
use duplex::transport::{Endpoint, dial, request};
use http::Method;
use hyper::body::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::proxies::{Proxy, Rules};
use crate::{next_frame, server, text, within};

const NAME: &str = "hub.test";

fn place(url: &str) -> SocketAddr {
    url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap()
}

/// A target behind a proxy, as somebody writes it.
fn target(scheme: &str, proxy: &str) -> Endpoint {
    let mut target = Endpoint::new(format!("{scheme}://{NAME}:7870/v1/socket"));
    if matches!(scheme, "mqtt" | "stomp") {
        target.url = format!("{scheme}://{NAME}:7870");
    }
    let Written { address, password } = Written::parse(proxy).unwrap();
    (target.proxy, target.proxy_password) = (ProxyChoice::At(address), password);
    target
}

async fn refused(target: Endpoint) -> ProxyProblem {
    match dial(Socket::Tungstenite, target).await.expect_err("no connection") {
        Why::Proxy { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_web_socket_goes_through_every_kind_of_proxy() {
    within(async {
        let hub = place(&server::websocket(server::echo).await);
        let open = || Rules::of(NAME, hub);
        let closed = || open().with_login("me", "p@ss:word");
        let http = Proxy::http(open()).await;
        let socks = Proxy::socks5(open()).await;
        let http_login = Proxy::http(closed()).await;
        let socks_login = Proxy::socks5(closed()).await;
        for (proxy, written, asked) in [
            (&http, format!("http://{}", http.address), vec!["CONNECT hub.test:7870"]),
            (&socks, format!("socks5h://{}", socks.address), vec!["SOCKS hub.test:7870"]),
            (
                &http_login,
                format!("http://me:p%40ss%3Aword@{}", http_login.address),
                vec!["CONNECT hub.test:7870", "login"],
            ),
            (
                &socks_login,
                format!("socks5://me:p@ss:word@{}", socks_login.address),
                vec!["login", "SOCKS hub.test:7870"],
            ),
        ] {
            let mut connection = dial(Socket::Tungstenite, target("ws", &written)).await.unwrap();
            connection.send(text("through")).await;
            assert_eq!(next_frame(&mut connection).await, text("through"), "{written}");
            assert_eq!(proxy.asked(), asked);
            let used = connection.proxy.unwrap();
            assert_eq!((used.source, used.address.port), (ProxySource::Chosen, proxy.address.port()));
            assert!(!used.address.to_string().contains("me"), "{}", used.address);
        }
    })
    .await;
}

#[tokio::test]
async fn streams_and_requests_go_through_it_too() {
    within(async {
        let echo = server::tcp(|mut stream| async move {
            let mut bytes = [0; 5];
            stream.read_exact(&mut bytes).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            while stream.read_u8().await.is_ok() {}
        })
        .await;
        let proxy = Proxy::socks5(Rules::of(NAME, echo)).await;
        for scheme in ["mqtt", "stomp"] {
            let written = format!("socks5://{}", proxy.address);
            let mut connection = dial(Socket::Tungstenite, target(scheme, &written)).await.unwrap();
            connection.send(text("hello")).await;
            assert_eq!(next_frame(&mut connection).await, text("hello"));
            assert!(connection.proxy.is_some());
        }
        let web = server::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        // It forwards plain requests where it tunnels to nobody.
        let rules = Rules { refuses_connect: true, ..Rules::of(NAME, place(&web)) }.with_login("me", "word");
        let proxy = Proxy::http(rules).await;
        let target = target("ws", &format!("http://me:word@{}", proxy.address));
        let answer = request::get(&target, "/healthz").await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"ok"[..]));
        let mut connection = HttpConnection::open(&target).await.unwrap();
        let patience = std::time::Duration::from_secs(30);
        let answer = connection.request(Method::GET, "/file", &[], Bytes::new(), patience).await.unwrap();
        assert_eq!(answer.whole().await.unwrap(), b"ok");
        let asked = ["GET http://hub.test:7870/healthz", "login", "GET http://hub.test:7870/file", "login"];
        assert_eq!(proxy.asked(), asked);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_says_what_is_wrong() {
    within(async {
        let hub = place(&server::websocket(server::echo).await);
        let written = |scheme: &str, proxy: &Proxy| format!("{scheme}://{}", proxy.address);
        let closed = Rules::of(NAME, hub).with_login("me", "word");
        for (scheme, proxy) in
            [("http", Proxy::http(closed.clone()).await), ("socks5", Proxy::socks5(closed).await)]
        {
            let none = refused(target("ws", &written(scheme, &proxy))).await;
            assert_eq!(none, ProxyProblem::WantsLogin { was_told: false });
            let wrong = refused(target("ws", &format!("{scheme}://me:other@{}", proxy.address))).await;
            assert_eq!(wrong, ProxyProblem::WantsLogin { was_told: true });
            assert!(!wrong.is_retryable());
        }
        let ntlm = Rules { schemes: vec!["NTLM"], ..Rules::of(NAME, hub).with_login("me", "word") };
        let unknown = refused(target("ws", &written("http", &Proxy::http(ntlm).await))).await;
        assert_eq!(unknown, ProxyProblem::UnknownLogin { wants: "NTLM".into() });
        let strict = Rules { refuses_connect: true, ..Rules::of(NAME, hub) };
        let host = || "hub.test:7870".to_owned();
        for (scheme, proxy, code) in
            [("http", Proxy::http(strict.clone()).await, 403), ("socks5", Proxy::socks5(strict).await, 2)]
        {
            let forbids = refused(target("ws", &written(scheme, &proxy))).await;
            assert_eq!(forbids, ProxyProblem::Forbids { host: host(), code });
        }
        let lost = Rules::default();
        for (scheme, proxy, code) in
            [("http", Proxy::http(lost.clone()).await, 502), ("socks5", Proxy::socks5(lost).await, 4)]
        {
            let no_way = refused(target("ws", &written(scheme, &proxy))).await;
            assert_eq!(no_way, ProxyProblem::NoWay { host: host(), code });
            assert!(no_way.is_retryable());
        }
        let socks = Proxy::socks5(Rules::of(NAME, hub)).await;
        let wrong = refused(target("ws", &written("http", &socks))).await;
        assert_eq!(wrong, ProxyProblem::WrongKind { kind: ProxyKind::Socks5 });
        let page = server::answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        let page = refused(target("ws", &format!("http://{}", place(&page)))).await;
        assert_eq!(page, ProxyProblem::NotAProxy { said: "HTTP 400".into() });
        let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let nobody = refused(target("ws", &format!("http://{nobody}"))).await;
        assert!(matches!(&nobody, ProxyProblem::Unreachable { .. }) && nobody.is_retryable(), "{nobody:?}");
        let nameless = refused(target("ws", "socks5://proxy.invalid:1")).await;
        assert_eq!(nameless, ProxyProblem::NameNotFound);
    })
    .await;
}

#[tokio::test]
async fn a_proxy_that_never_answers_is_named() {
    let silent = server::tcp(|mut stream| async move { while stream.read_u8().await.is_ok() {} }).await;
    for scheme in ["http", "socks5", "https"] {
        let mut target = target("ws", &format!("{scheme}://{silent}"));
        target.deadline = std::time::Duration::from_millis(500);
        assert_eq!(within(refused(target)).await, ProxyProblem::TimedOut);
    }
}

#[tokio::test]
async fn this_computer_is_reached_without_one() {
    let proxy = Proxy::http(Rules::default()).await;
    let mut target = target("ws", &format!("http://{}", proxy.address));
    target.url = server::websocket(server::echo).await;
    let mut connection = within(dial(Socket::Tungstenite, target)).await.unwrap();
    connection.send(Frame::Binary(vec![7])).await;
    assert_eq!(within(next_frame(&mut connection)).await, Frame::Binary(vec![7]));
    assert_eq!((proxy.asked().len(), connection.proxy), (0, None));
}

#[tokio::test]
async fn ewebsock_says_that_it_cannot() {
    let proxy = Proxy::http(Rules::default()).await;
    let target = target("ws", &format!("http://{}", proxy.address));
    let why = within(dial(Socket::Ewebsock, target)).await.unwrap_err();
    assert!(matches!(&why, Why::Unsupported { detail } if detail.contains("proxy")), "{why:?}");
}

#[tokio::test]
async fn a_password_is_never_printed() {
    let target =
        Endpoint { proxy_password: Some(Secret::new("hunter2")), ..target("ws", "http://me:hunter2@a:1") };
    assert!(!format!("{target:?}").contains("hunter2"));
}
