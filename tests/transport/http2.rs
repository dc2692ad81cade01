//! Requests over HTTP/2, and which version of HTTP a server is spoken to in.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use data_encoding::HEXUPPER;
use duplex::model::profile::Socket;
use duplex::model::proxy::{Proxy as Written, ProxyChoice};
use duplex::model::route::{HttpVersion, Route, RouteChoice};
use duplex::transport::channel::{RoutePlan, RouteTimes};
use duplex::transport::{Connection, Endpoint, dial};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::channel_server::{Http2, Secure, before_secure};
use crate::proxies::{Proxy, Rules};
use crate::{next_frame, server, text, within};

const ROUTES: [Route; 4] = [Route::Sse, Route::Stream, Route::LongPoll, Route::Poll];

/// The certificate of this program's servers, and its key.
fn identity() -> &'static (CertificateDer<'static>, Vec<u8>) {
    static IDENTITY: OnceLock<(CertificateDer<'static>, Vec<u8>)> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let pair = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        (pair.cert.der().clone(), pair.signing_key.serialize_der())
    })
}

pub fn fingerprint() -> String {
    HEXUPPER.encode(&Sha256::digest(&identity().0))
}

/// Servers with this certificate that choose one of these protocols.
pub fn acceptor(protocols: &[&[u8]]) -> TlsAcceptor {
    let (certificate, key) = identity();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.clone()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

fn target(url: String, route: Route) -> Endpoint {
    let times = RouteTimes { min_poll_ms: 20, max_poll_ms: 20, ..RouteTimes::default() };
    let routes = Some(RoutePlan { choice: RouteChoice::Only(route), known: None, times });
    Endpoint { fingerprint: Some(fingerprint()), routes, ..Endpoint::new(url) }
}

fn version(connection: &Connection) -> Option<HttpVersion> {
    connection.route.expect("a route").http
}

/// Sends numbers to an echo server at this pace, while what comes back is checked to be all of them, once and in order.
async fn count(connection: &mut Connection, numbers: u32, pace: Duration) {
    let outgoing = connection.outgoing.clone();
    let sending = async move {
        for number in 0..numbers {
            let frame = duplex::transport::Outgoing::Frame(text(number.to_string()));
            outgoing.send(frame).await.expect("open");
            tokio::time::sleep(pace).await;
        }
    };
    let receiving = async {
        for number in 0..numbers {
            assert_eq!(next_frame(connection).await, text(number.to_string()));
        }
    };
    tokio::join!(sending, receiving);
}

#[tokio::test]
async fn all_requests_share_one_connection() {
    within(async {
        let echo = server::websocket(server::echo).await;
        for route in ROUTES {
            let secure = Secure::new(acceptor(&[b"h2", b"http/1.1"]));
            let url = before_secure(&echo, secure.clone()).await;
            let mut connection = dial(Socket::Tungstenite, target(url, route)).await.expect("a connection");
            assert_eq!(version(&connection), Some(HttpVersion::Http2));
            count(&mut connection, 50, Duration::from_millis(1)).await;
            assert_eq!(secure.connections.load(Ordering::SeqCst), 1, "{}", route.name());
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_know_http_2_is_spoken_to_in_http_1() {
    within(async {
        let echo = server::websocket(server::echo).await;
        for protocols in [&[&b"http/1.1"[..]][..], &[]] {
            for route in ROUTES {
                let url = before_secure(&echo, Secure::new(acceptor(protocols))).await;
                let mut connection =
                    dial(Socket::Tungstenite, target(url, route)).await.expect("a connection");
                assert_eq!(version(&connection), Some(HttpVersion::Http1));
                count(&mut connection, 10, Duration::ZERO).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn where_http_2_is_offered_but_not_carried_http_1_is_used() {
    within(async {
        let echo = server::websocket(server::echo).await;
        let trials =
            [Http2::Cut, Http2::Swallowed].into_iter().flat_map(|http2| ROUTES.map(|route| (http2, route)));
        let trying = trials.map(|(http2, route)| {
            let echo = echo.clone();
            async move {
                let secure = Secure { http2, ..Secure::new(acceptor(&[b"h2", b"http/1.1"])) };
                let url = before_secure(&echo, secure).await;
                let mut connection =
                    dial(Socket::Tungstenite, target(url, route)).await.expect("a connection");
                assert_eq!(version(&connection), Some(HttpVersion::Http1), "{http2:?} {}", route.name());
                count(&mut connection, 10, Duration::ZERO).await;
            }
        });
        futures_util::future::join_all(trying).await;
    })
    .await;
}

#[tokio::test]
async fn connections_that_end_in_the_midst_of_it_lose_and_double_nothing() {
    within(async {
        let echo = server::websocket(server::echo).await;
        let counting = ROUTES.map(|route| {
            let echo = echo.clone();
            async move {
                let mut secure = Secure::new(acceptor(&[b"h2"]));
                secure.ends_after = Some(Duration::from_millis(150));
                let url = before_secure(&echo, secure.clone()).await;
                let mut connection =
                    dial(Socket::Tungstenite, target(url, route)).await.expect("a connection");
                count(&mut connection, 600, Duration::from_millis(4)).await;
                let connections = secure.connections.load(Ordering::SeqCst);
                assert!(connections > 8, "{}: {connections}", route.name());
            }
        });
        futures_util::future::join_all(counting).await;
    })
    .await;
}

#[tokio::test]
async fn a_tunnel_through_a_proxy_carries_it() {
    within(async {
        let echo = server::websocket(server::echo).await;
        let url = before_secure(&echo, Secure::new(acceptor(&[b"h2"]))).await;
        let place = url.trim_start_matches("wss://").split('/').next().unwrap().parse().unwrap();
        let http = Proxy::http(Rules::of("hub.test", place)).await;
        let socks = Proxy::socks5(Rules::of("hub.test", place)).await;
        for proxy in [format!("http://{}", http.address), format!("socks5h://{}", socks.address)] {
            let mut target = target("wss://hub.test:7870/v1/socket".to_owned(), Route::Sse);
            target.proxy = ProxyChoice::At(Written::parse(&proxy).unwrap().address);
            let mut connection = dial(Socket::Tungstenite, target).await.expect("a connection");
            assert_eq!(version(&connection), Some(HttpVersion::Http2), "{proxy}");
            count(&mut connection, 10, Duration::ZERO).await;
        }
    })
    .await;
}
