//! WebSocket by tokio-tungstenite, with all capabilities of a native client.

use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::connect::{ByteStream, Opened};
use super::metered::Metered;
use super::packing::Packing;
use super::ping::Pings;
use super::{
    Capabilities, Connection, Endpoint, UrlParts, channels, connect, pump, redirect, scheme, tls, upgrade,
};
use crate::model::link_state::{Phase, Why};

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    close_code: true,
    own_ca: true,
    fingerprint: true,
    headers: true,
    retry_after: true,
    timeout_phase: true,
    flush: true,
    agreement: true,
    ping: true,
    proxy: true,
};

/// Size of the read and write buffers, in bytes. tungstenite clears the read buffer before each read.
const BUFFER: usize = 64 * 1024;

pub(super) async fn dial(mut target: Endpoint) -> Result<Connection, Why> {
    let deadline = Instant::now() + target.deadline;
    for _ in 0..redirect::MAX_FOLLOWED {
        let why = match dial_once(&target, deadline).await {
            Err(why @ Why::Redirected { .. }) => why,
            dialed => return dialed,
        };
        let Why::Redirected { status, location: Some(location) } = &why else { return Err(why) };
        match redirect::followed(&target.url, *status, location) {
            Some(url) if url != target.url => {
                log::debug!("the server redirects the handshake within its host");
                target.url = url;
            }
            _ => return Err(why),
        }
    }
    dial_once(&target, deadline).await
}

async fn dial_once(target: &Endpoint, deadline: Instant) -> Result<Connection, Why> {
    let pings = Pings::new()?;
    let timed_out = |during| move |_| Why::TimedOut { during };
    let place = UrlParts::parse(&target.url)?;
    if !place.secure && target.has_certificates() {
        return Err(Why::BadUrl {
            detail: "a certificate is to be checked or shown, but ws:// has none; use wss://".to_owned(),
        });
    }
    let open = async {
        let connector = if place.secure { Some(tls::connector(target).await?) } else { None };
        Ok((connector, connect::open(&place, target).await?))
    };
    let (connector, opened) = timeout_at(deadline, open).await.map_err(timed_out(Phase::Dial))??;
    let Opened { stream, proxy, .. } = opened;
    let stream = Metered::new(stream, target.meter.clone());
    target.trace.reached();
    let greet = async {
        let mut stream = match connector {
            Some(connector) => {
                MaybeTlsStream::Rustls(Box::pin(tls::greet(&connector, &place.host, stream)).await?)
            }
            None => MaybeTlsStream::Plain(stream),
        };
        let upgraded = upgrade::upgrade(&mut stream, &place, target).await?;
        Ok((stream, upgraded))
    };
    let greeted = timeout_at(deadline, greet).await.map_err(timed_out(Phase::Handshake))?;
    let (stream, upgraded) = match greeted {
        Ok(greeted) => greeted,
        Err(why) => return Err(scheme::explain(why, &place, target).await),
    };
    let socket: WebSocketStream<MaybeTlsStream<Metered<ByteStream>>> = WebSocketStream::from_partially_read(
        stream,
        upgraded.tail,
        Role::Client,
        Some(config(target.max_frame)),
    )
    .await;
    let (mut connection, port) = channels(upgraded.subprotocol, target.report_flushed);
    connection.proxy = proxy;
    let packing = Packing::new(target.compression, target.max_frame);
    tokio::spawn(pump::run(socket, port, pings, packing));
    Ok(connection)
}

fn config(max_frame: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_frame_size(Some(max_frame))
        .max_message_size(Some(max_frame))
}
