//! From a server's address to a stream of bytes: a TCP connection, or a way through a proxy.

use super::proxy::{self, Purpose};
use super::{Endpoint, UrlParts};
use crate::model::link_state::Why;

pub(super) use super::proxy::{ByteStream, Opened};
pub(super) use super::reach::{connect_where, look_up, why};

/// Opens a stream to a server, by way of its proxy if there is one. Has no deadline of its own.
pub(super) async fn open(place: &UrlParts, target: &Endpoint) -> Result<Opened, Why> {
    proxy::open(place, target, Purpose::Stream).await
}

/// The same for HTTP requests, which a proxy may forward one by one: [`Opened::forward`].
pub(super) async fn open_for_requests(place: &UrlParts, target: &Endpoint) -> Result<Opened, Why> {
    proxy::open(place, target, Purpose::Requests).await
}
