//! From a host name to a TCP connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

use crate::model::link_state::{Phase, Why};

/// RFC 8305 §5: delay before the next address is tried in parallel.
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to the first of the host's addresses that answers. Has no deadline of its own.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, Why> {
    connect_where(host, port, |_| true).await
}

/// The same with addresses of this kind alone: what is dialed is what was looked at.
pub(super) async fn connect_where(
    host: &str,
    port: u16,
    is_allowed: fn(IpAddr) -> bool,
) -> Result<TcpStream, Why> {
    let addresses = look_up(host, port).await?;
    let addresses: Vec<SocketAddr> =
        addresses.into_iter().filter(|address| is_allowed(address.ip())).collect();
    if addresses.is_empty() {
        let detail = format!("{host} is an address of this computer or of a local network");
        return Err(Why::Unreachable { detail });
    }
    let stream = first_to_answer(addresses).await.map_err(|error| why(&error))?;
    // Without Nagle's algorithm: small messages must not wait for the previous acknowledgement.
    stream.set_nodelay(true).map_err(|error| why(&error))?;
    Ok(stream)
}

/// The host's addresses, in the system's order; at least one.
pub(super) async fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, Why> {
    let addresses: Vec<SocketAddr> = match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            log::debug!("looking up {host}: {error}");
            Vec::new()
        }
    };
    match addresses.is_empty() {
        true => Err(Why::NameNotFound { host: host.to_owned() }),
        false => Ok(addresses),
    }
}

/// Tries the addresses in the system's order, each a little after the one before, or at once if that failed.
async fn first_to_answer(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut untried = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        let next = untried.next();
        let last = next.is_none();
        trying.extend(next.map(TcpStream::connect));
        tokio::select! {
            answer = trying.next() => match answer {
                Some(Ok(stream)) => return Ok(stream),
                // "Connection refused" is more useful than "no route" for an address family that this computer lacks.
                Some(Err(error)) if failure.kind() != io::ErrorKind::ConnectionRefused => failure = error,
                Some(Err(_)) => {}
                None => return Err(failure),
            },
            () = tokio::time::sleep(STAGGER), if !last => {}
        }
    }
}

/// Classifies an error that occurred before any byte was exchanged.
pub(super) fn why(error: &io::Error) -> Why {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Why::ConnectionRefused,
        io::ErrorKind::TimedOut => Why::TimedOut { during: Phase::Dial },
        _ => Why::Unreachable { detail: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refusing_address_does_not_prevent_trying_the_next() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let stream = first_to_answer(vec![closed, open]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
        let error = first_to_answer(vec![closed]).await.unwrap_err();
        assert_eq!(why(&error), Why::ConnectionRefused);
    }
}
