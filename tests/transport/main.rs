//! One test suite for every implementation of the transport: what a connection carries, how it opens and ends, and
//! what it trusts. If an implementation lacks a capability, its documented fallback is asserted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

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
use duplex::transport::{Connection, Endpoint, Incoming, dial};

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
