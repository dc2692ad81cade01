//! The steps of a connection, each separately, to find out where it fails: addresses, TCP, TLS, a request, the
//! request for a WebSocket. None of them carries credentials.

mod certificate;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, header};
use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::MaybeTlsStream;

use super::connect::ByteStream;
use super::upgrade::{self, joined, read_head};
use super::{Endpoint, UrlParts, connect, proxy, scheme, tls};
use crate::model::address;
use crate::model::diagnosis::{Answer, Distrust, Tls, Trust};
use crate::model::link_state::Why;
use crate::model::proxy::ProxyUsed;
use crate::wire::duplex::channel::DUPLEX_HEADER;

/// Maximum number of a host's addresses that are looked at.
pub const MAX_ADDRESSES: usize = 16;
/// Longest text of a header that is kept, in bytes.
const MAX_TEXT_BYTES: usize = 512;

/// Where a URL leads.
pub struct Place(UrlParts);

impl Place {
    /// Reads a URL.
    ///
    /// # Errors
    /// It cannot be dialed.
    pub fn of(target: &Endpoint) -> Result<Place, Why> {
        UrlParts::parse(&target.url).map(Place)
    }

    /// The host, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Whether it is reached by TLS.
    pub fn is_secure(&self) -> bool {
        self.0.secure
    }

    /// Scheme, host, port and path. A query may hold a token, and is left out.
    pub fn shown(&self) -> String {
        let uri = &self.0.uri;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let path = if address::is_stream(&uri.to_string()) { "" } else { uri.path() };
        format!("{}://{authority}{path}", uri.scheme_str().unwrap_or_default())
    }

    /// The host's addresses of both families, in the system's order.
    ///
    /// # Errors
    /// It has none.
    pub async fn look_up(&self) -> Result<Vec<SocketAddr>, Why> {
        let mut addresses = connect::look_up(&self.0.dialed(), self.0.port).await?;
        addresses.truncate(MAX_ADDRESSES);
        Ok(addresses)
    }
}

/// Whether a connection to this target would go through a proxy.
///
/// # Errors
/// What says so cannot be read.
pub async fn is_by_proxy(target: &Endpoint, place: &Place) -> Result<bool, Why> {
    proxy::is_used(&place.0, target).await
}

/// An open stream, without TLS to the server yet.
pub struct Bare(ByteStream);

/// Connects to one address.
///
/// # Errors
/// Why it did not answer. Has no deadline of its own.
pub async fn connect(address: SocketAddr) -> Result<Bare, Why> {
    let stream = TcpStream::connect(address).await.map_err(|error| connect::why(&error))?;
    stream.set_nodelay(true).map_err(|error| connect::why(&error))?;
    Ok(Bare(MaybeTlsStream::Plain(stream)))
}

/// Opens a stream through the target's proxy, or without one where that is what works.
///
/// # Errors
/// Why it could not be opened. Has no deadline of its own.
pub async fn open(target: &Endpoint, place: &Place) -> Result<(Bare, Option<ProxyUsed>), Why> {
    let opened = connect::open(&place.0, target).await?;
    Ok((Bare(opened.stream), opened.proxy))
}

/// A stream to the server, by TLS where the address says so.
pub enum Stream {
    /// Without TLS.
    Plain(Box<Bare>),
    /// With it.
    Tls(Box<TlsStream<ByteStream>>),
}

/// Performs the TLS handshake, whatever the server's certificate is, and says what it is and whether it is trusted. Nothing is
/// sent over it, and a server that is not trusted must be sent nothing: the stream is returned only where it is.
///
/// # Errors
/// It failed before the certificate came, or the profile's own authorities cannot be read.
pub async fn greet(target: &Endpoint, place: &Place, stream: Bare) -> Result<(Tls, Option<Stream>), Why> {
    let name = tls::server_name(place.host())?;
    let trusted = tls::Trusted::load(target).await?;
    let seen = Arc::new(Mutex::new(None));
    let provider = Arc::new(ring::default_provider());
    let inner: Option<Arc<dyn ServerCertVerifier>> = match &trusted {
        tls::Trusted::Pin(pinned) => Some(pinned.clone()),
        // Without any authority there is no verifier, and nobody is trusted.
        tls::Trusted::Roots { roots, .. } => {
            WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
                .build()
                .ok()
                .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
        }
    };
    let watching = tls::Verifier::new(Watching { inner, seen: seen.clone() });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Why::TlsFailed { detail: error.to_string() })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(watching));
    let mut config = tls::with_own_certificate(config, target).await?;
    if !address::is_stream(&target.url) {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
    }
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream.0).await;
    let stream = connected.map_err(|error| tls::failed(&error))?;
    let connection = stream.get_ref().1;
    let version = connection.protocol_version().and_then(|version| version.as_str()).unwrap_or_default();
    let mut found = Tls { version: version.replace('_', ".").replace("TLSv", "TLS "), ..Tls::default() };
    let Some(Seen { chain, error }) = seen.lock().ok().and_then(|mut seen| seen.take()) else {
        return Err(Why::TlsFailed { detail: "no certificate came".to_owned() });
    };
    found.chain = chain.iter().map(certificate::read).collect();
    match error {
        None => found.trust = Some(reason(&trusted, &chain)),
        Some(error) => found.distrust = Some(certificate::distrust(&error, &found.chain)),
    }
    let is_trusted = found.trust.is_some();
    Ok((found, is_trusted.then(|| Stream::Tls(Box::new(stream)))))
}

/// Why a chain that was accepted is trusted.
fn reason(trusted: &tls::Trusted, chain: &[CertificateDer<'static>]) -> Trust {
    match trusted {
        tls::Trusted::Pin(_) => Trust::Pinned,
        tls::Trusted::Roots { roots, system } => match certificate::root_of(chain, system) {
            Some(root) => Trust::System(root),
            None => Trust::File(certificate::root_of(chain, roots).unwrap_or_default()),
        },
    }
}

/// The words for a certificate that is not trusted.
pub fn untrusted(distrust: &Distrust) -> Why {
    let detail = match distrust {
        Distrust::Other(detail) => detail.clone(),
        known => known.code().replace('_', " "),
    };
    Why::TlsUntrusted { detail }
}

/// The same failure of TLS, or that the server speaks without it.
pub async fn explain(why: Why, place: &Place, target: &Endpoint) -> Why {
    scheme::explain(why, &place.0, target).await
}

/// Requests a path without credentials and reads the head of the answer.
///
/// # Errors
/// No answer came. Has no deadline of its own.
pub async fn get(place: &Place, path: &str, stream: Stream) -> Result<Answer, Why> {
    let authority = place.0.uri.authority().map_or("", |authority| authority.as_str());
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    let (status, headers) = match stream {
        Stream::Plain(mut stream) => ask(&mut stream.0, request.as_bytes()).await,
        Stream::Tls(mut stream) => ask(&mut stream, request.as_bytes()).await,
    }?;
    Ok(answer(status, &headers, &place.0))
}

/// What a server answers to the request for a WebSocket.
pub struct Upgrade {
    /// The answer.
    pub answer: Answer,
    /// The subprotocol that it chose.
    pub subprotocol: Option<String>,
    /// Its extensions; may be empty.
    pub extensions: String,
}

/// Requests a WebSocket without credentials, and reads the head of the answer, whatever it is.
///
/// # Errors
/// No answer came. Has no deadline of its own.
pub async fn ask_upgrade(target: &Endpoint, place: &Place, stream: Stream) -> Result<Upgrade, Why> {
    let bare = Endpoint { headers: Vec::new(), ..target.clone() };
    let (request, _) = upgrade::request(&place.0, &bare)?;
    let (status, headers) = match stream {
        Stream::Plain(mut stream) => ask(&mut stream.0, &request).await,
        Stream::Tls(mut stream) => ask(&mut stream, &request).await,
    }?;
    let extensions = joined(&headers, header::SEC_WEBSOCKET_EXTENSIONS).unwrap_or_default();
    Ok(Upgrade {
        answer: answer(status, &headers, &place.0),
        subprotocol: joined(&headers, header::SEC_WEBSOCKET_PROTOCOL).map(short),
        extensions: short(extensions),
    })
}

async fn ask<S>(stream: &mut S, request: &[u8]) -> Result<(u16, HeaderMap), Why>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let sent = async {
        stream.write_all(request).await?;
        stream.flush().await
    };
    if let Err(error) = sent.await {
        // A server may refuse and close before it has read the whole request; its response is still useful.
        log::debug!("sending a request: {error}");
    }
    let (response, _) = read_head(stream, &mut Vec::with_capacity(1024)).await?;
    Ok((response.status().as_u16(), response.into_parts().0.headers))
}

fn answer(status: u16, headers: &HeaderMap, place: &UrlParts) -> Answer {
    let text = |name| joined(headers, name).filter(|text| !text.is_empty()).map(short);
    let kind = text(header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    Answer {
        status,
        is_of_duplex: headers.contains_key(DUPLEX_HEADER),
        is_page: kind.starts_with("text/html") || kind.starts_with("application/xhtml"),
        server: text(header::SERVER),
        via: text(header::VIA),
        location: (300..400)
            .contains(&status)
            .then(|| upgrade::location(headers, &place.uri.to_string()))
            .flatten()
            .map(without_query),
    }
}

/// A redirect's query often holds what was asked for, or a token of the network.
fn without_query(url: String) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn short(text: String) -> String {
    let end = (0..=text.len().min(MAX_TEXT_BYTES)).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or(0)].to_owned()
}

/// What came of a server's certificates.
#[derive(Debug)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    error: Option<rustls::Error>,
}

/// Notes what the verifier says, and goes on in any case.
#[derive(Debug)]
struct Watching {
    inner: Option<Arc<dyn ServerCertVerifier>>,
    seen: Arc<Mutex<Option<Seen>>>,
}

impl tls::Judge for Watching {
    fn judge(&self, shown: &tls::Shown<'_>) -> Result<ServerCertVerified, rustls::Error> {
        let tls::Shown { certificate, intermediates, name, ocsp_response, now } = *shown;
        let verified = match &self.inner {
            Some(inner) => inner.verify_server_cert(certificate, intermediates, name, ocsp_response, now),
            None => Err(rustls::CertificateError::UnknownIssuer.into()),
        };
        let all = std::iter::once(certificate).chain(intermediates).take(certificate::MAX_CHAIN);
        let chain = all.map(|one| one.clone().into_owned()).collect();
        if let Ok(mut seen) = self.seen.lock() {
            *seen = Some(Seen { chain, error: verified.err() });
        }
        Ok(ServerCertVerified::assertion())
    }
}
