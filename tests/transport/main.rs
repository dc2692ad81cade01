//! One test suite for every implementation of the transport, and for every route of a Duplex server: what a connection carries, how it
//! opens and ends, and what it trusts. If an implementation lacks a capability, its documented fallback is asserted. Behind a route
//! other than WebSocket, the same servers are reached by way of a server of channels.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

#[path = "../common/channel_server.rs"]
mod channel_server;
#[path = "../common/middleboxes.rs"]
mod middleboxes;
#[path = "../common/proxies.rs"]
mod proxies;
#[path = "../common/ws_server.rs"]
mod server;

mod between;
mod carry;
mod end;
mod engine_io;
mod flush;
mod http2;
mod open;
mod ping;
mod proxy;
mod real;
mod sockjs;
mod stream;
mod tls;

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use duplex::frame::Frame;
use duplex::model::link_state::{Closing, Why};
use duplex::model::profile::Socket;
use duplex::model::route::{Route, RouteChoice};
use duplex::transport::channel::{RoutePlan, RouteTimes};
use duplex::transport::{Capabilities, Connection, Endpoint, Incoming, capabilities, dial};

/// Runs each case with each implementation.
macro_rules! over_both_sockets {
    ($($case:ident),* $(,)?) => {
        mod tungstenite {
            $(#[tokio::test] async fn $case() {
                crate::within(super::$case(duplex::model::profile::Socket::Tungstenite)).await;
            })*
        }
        mod ewebsock {
            $(#[tokio::test] async fn $case() {
                crate::within(super::$case(duplex::model::profile::Socket::Ewebsock)).await;
            })*
        }
    };
}
pub(crate) use over_both_sockets;

/// Runs each case with each implementation, and over each route.
macro_rules! over_every_way {
    ($($case:ident),* $(,)?) => {
        mod every_way {
            use super::*;
            use crate::Way;
            use duplex::model::profile::Socket;
            use duplex::model::route::Route;

            crate::over_every_way!(@ tungstenite, Way::Socket(Socket::Tungstenite), $($case),*);
            crate::over_every_way!(@ ewebsock, Way::Socket(Socket::Ewebsock), $($case),*);
            crate::over_every_way!(@ sse, Way::Route(Route::Sse), $($case),*);
            crate::over_every_way!(@ stream, Way::Route(Route::Stream), $($case),*);
            crate::over_every_way!(@ long_poll, Way::Route(Route::LongPoll), $($case),*);
            crate::over_every_way!(@ poll, Way::Route(Route::Poll), $($case),*);
            crate::over_every_way!(@ sse_http2, Way::Http2(Route::Sse), $($case),*);
            crate::over_every_way!(@ stream_http2, Way::Http2(Route::Stream), $($case),*);
            crate::over_every_way!(@ long_poll_http2, Way::Http2(Route::LongPoll), $($case),*);
            crate::over_every_way!(@ poll_http2, Way::Http2(Route::Poll), $($case),*);
        }
    };
    (@ $way:ident, $value:expr, $($case:ident),*) => {
        mod $way {
            use super::*;

            $(#[tokio::test] async fn $case() {
                crate::within(super::$case($value)).await;
            })*
        }
    };
}
pub(crate) use over_every_way;

/// How a case reaches its server.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Way {
    /// A WebSocket, by this implementation.
    Socket(Socket),
    /// This route of a Duplex server, and no other.
    Route(Route),
    /// The same over TLS with HTTP/2.
    Http2(Route),
}

impl From<Socket> for Way {
    fn from(socket: Socket) -> Way {
        Way::Socket(socket)
    }
}

impl Way {
    async fn dial(self, mut target: Endpoint) -> Result<Connection, Why> {
        target.url = self.at(&target.url);
        match self {
            Way::Socket(socket) => dial(socket, target).await,
            Way::Route(route) | Way::Http2(route) => {
                if target.url.starts_with("wss") {
                    target.fingerprint = Some(http2::fingerprint());
                }
                let times = RouteTimes { min_poll_ms: 20, max_poll_ms: 20, ..RouteTimes::default() };
                target.routes = Some(RoutePlan { choice: RouteChoice::Only(route), known: None, times });
                dial(Socket::Tungstenite, target).await
            }
        }
    }

    /// Opens a connection to a WebSocket server.
    async fn open(self, url: &str) -> Connection {
        self.dial(Endpoint::new(self.before(url).await)).await.expect("a connection")
    }

    /// Where a WebSocket server is reached this way.
    async fn before(self, url: &str) -> String {
        match self {
            Way::Socket(_) => url.to_owned(),
            Way::Route(_) => channel_server::before(url).await,
            Way::Http2(_) => {
                let secure = channel_server::Secure::new(http2::acceptor(&[b"h2", b"http/1.1"]));
                channel_server::before_secure(url, secure).await
            }
        }
    }

    /// The URL of a server, with the path that a route needs.
    fn at(self, url: &str) -> String {
        match self {
            Way::Socket(_) => url.to_owned(),
            Way::Route(_) | Way::Http2(_) => {
                let end = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
                format!("{}{}", &url[..end], duplex::model::address::SOCKET_PATH)
            }
        }
    }

    fn capabilities(self) -> Capabilities {
        match self {
            Way::Socket(socket) => capabilities(socket),
            // The routes have signs of life of their own.
            Way::Route(_) | Way::Http2(_) => {
                Capabilities { ping: false, ..capabilities(Socket::Tungstenite) }
            }
        }
    }
}

/// Turns a hang into a failure.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("in time")
}

async fn open(socket: Socket, url: &str) -> Connection {
    dial(socket, Endpoint::new(url)).await.expect("a connection")
}

fn text(text: impl Into<String>) -> Frame {
    Frame::Text(text.into())
}

async fn next_frame(connection: &mut Connection) -> Frame {
    match connection.recv().await {
        Some(Incoming::Frame(frame)) => frame,
        other => panic!("no frame but {other:?}"),
    }
}

/// The reason of the end; frames before it are skipped.
async fn ending(connection: &mut Connection) -> Why {
    loop {
        match connection.recv().await {
            Some(Incoming::Frame(_) | Incoming::Flushed(_) | Incoming::Pong | Incoming::Route(_)) => {}
            Some(Incoming::Closed(why)) => {
                assert_eq!(connection.recv().await, None, "the reason comes last");
                return why;
            }
            None => panic!("no reason"),
        }
    }
}

fn closed(code: Option<u16>, reason: &str, closing: Closing) -> Why {
    Why::Closed { code, reason: reason.to_owned(), retry_after_ms: None, closing }
}

/// Records the largest allocation in this process.
struct Watched;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Watched = Watched;

// SAFETY: everything is passed to the system's allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}
