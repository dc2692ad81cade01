//! Certificate verification: by the system's authorities, plus a profile's CA file, or by one pinned certificate.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, OtherError,
    RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Endpoint;
use crate::model::link_state::Why;
use crate::model::profile::ClientCertificate;

/// Maximum size of a file with certificates or a key, in bytes.
const MAX_PEM_FILE: u64 = 1 << 20;

/// The same for a WebSocket and for what speaks HTTP/1.1 alone: a server that supports HTTP/2 must not choose that, because RFC 6455
/// upgrades HTTP/1.1.
pub(super) async fn connector(target: &Endpoint) -> Result<TlsConnector, Why> {
    connector_for(target, &[b"http/1.1"]).await
}

/// Loads what is needed to verify the server's certificate, on a blocking thread. `protocols`: what is offered by ALPN.
pub(super) async fn connector_for(target: &Endpoint, protocols: &[&[u8]]) -> Result<TlsConnector, Why> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Why::TlsFailed { detail: error.to_string() })?;
    let config = match Trusted::load(target).await? {
        Trusted::Pin(verifier) => builder.dangerous().with_custom_certificate_verifier(verifier),
        Trusted::Roots { roots, .. } => builder.with_root_certificates(roots),
    };
    Ok(offer(with_own_certificate(config, target).await?, protocols))
}

/// The same connector with something else offered by ALPN.
pub(super) fn offering(connector: &TlsConnector, protocols: &[&[u8]]) -> TlsConnector {
    offer(ClientConfig::clone(connector.config()), protocols)
}

fn offer(mut config: ClientConfig, protocols: &[&[u8]]) -> TlsConnector {
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// Adds the target's client certificate, if it has one, which is read on a blocking thread.
pub(super) async fn with_own_certificate(
    config: ConfigBuilder<ClientConfig, WantsClientCert>,
    target: &Endpoint,
) -> Result<ClientConfig, Why> {
    let Some(own) = target.client_certificate.clone() else { return Ok(config.with_no_client_auth()) };
    let path = own.certificate.clone();
    let (certificates, key) = blocking(move || own_certificate(&own)).await??;
    config
        .with_client_auth_cert(certificates, key)
        .map_err(|error| Why::BadClientCertificate { path, detail: error.to_string() })
}

/// Whom a target trusts.
pub(super) enum Trusted {
    /// This certificate alone.
    Pin(Arc<Verifier<Pinned>>),
    /// What these authorities signed.
    Roots {
        /// All of them.
        roots: Arc<RootCertStore>,
        /// Those of the system among them.
        system: Arc<RootCertStore>,
    },
}

impl Trusted {
    /// Reads the system's authorities and the target's own file on a blocking thread.
    pub(super) async fn load(target: &Endpoint) -> Result<Trusted, Why> {
        if let Some(fingerprint) = &target.fingerprint {
            return Ok(Trusted::Pin(Arc::new(Verifier::new(Pinned(read_fingerprint(fingerprint)?)))));
        }
        let system = system_roots().await;
        let Some(path) = target.ca_file.clone() else {
            return Ok(Trusted::Roots { roots: system.clone(), system });
        };
        let before = system.clone();
        let roots = blocking(move || with_ca_file(before, &path)).await??;
        Ok(Trusted::Roots { roots, system })
    }
}

/// Performs the TLS handshake and verifies the server's certificate.
pub(super) async fn greet<S>(connector: &TlsConnector, host: &str, stream: S) -> Result<TlsStream<S>, Why>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let name = server_name(host)?;
    connector.connect(name, stream).await.map_err(|error| failed(&error))
}

/// Why a handshake failed.
pub(super) fn failed(error: &std::io::Error) -> Why {
    match of_tls(error) {
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner)))) => {
            Why::TlsUntrusted { detail: inner.to_string() }
        }
        Some(rustls::Error::InvalidCertificate(inner)) => Why::TlsUntrusted { detail: inner.to_string() },
        Some(rustls::Error::AlertReceived(alert)) => {
            refused(*alert).unwrap_or_else(|| Why::TlsFailed { detail: error.to_string() })
        }
        Some(other) => Why::TlsFailed { detail: other.to_string() },
        None => Why::Lost { detail: error.to_string() },
    }
}

/// Why reading or writing failed. With TLS 1.3, a server that refuses the client's certificate says so only after the handshake.
pub(super) fn lost(error: &std::io::Error) -> Why {
    let why = match of_tls(error) {
        Some(rustls::Error::AlertReceived(alert)) => refused(*alert),
        _ => None,
    };
    why.unwrap_or_else(|| Why::Lost { detail: error.to_string() })
}

fn of_tls(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What a server's alert says of the client's certificate; none where it is about something else.
fn refused(alert: AlertDescription) -> Option<Why> {
    match alert {
        AlertDescription::CertificateRequired => Some(Why::NoClientCertificate),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => {
            Some(Why::ClientCertificateRefused { detail: format!("{alert:?}") })
        }
        _ => None,
    }
}

/// Reads a client's certificate and its key.
fn own_certificate(
    own: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Why> {
    let bad = |path: &Path, detail: String| Why::BadClientCertificate { path: path.to_owned(), detail };
    let path = own.certificate.as_path();
    let pem = read_pem(path).map_err(|error| bad(path, error.to_string()))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| bad(path, error.to_string()))?;
    if certificates.is_empty() {
        return Err(bad(path, "it contains no PEM certificate".to_owned()));
    }
    let path = own.key.as_deref().unwrap_or(path);
    let pem = read_pem(path).map_err(|error| bad(path, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let is_encrypted = pem.windows(9).any(|part| part == b"ENCRYPTED");
        let detail = match is_encrypted {
            true => "its key is encrypted; decrypt it with: openssl pkey -in FILE -out NEW_FILE",
            false => "it contains no private key in PEM",
        };
        bad(path, detail.to_owned())
    })?;
    Ok((certificates, key))
}

fn read_pem(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut pem = Vec::new();
    std::fs::File::open(path)?.take(MAX_PEM_FILE).read_to_end(&mut pem)?;
    Ok(pem)
}

/// The name that a server's certificate must be for.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, Why> {
    ServerName::try_from(host.to_owned())
        .map_err(|_| Why::BadUrl { detail: format!("{host} is no name that a certificate could be for") })
}

/// The system's authorities, read once per process.
async fn system_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceCell<Arc<RootCertStore>> = OnceCell::const_new();
    let load =
        || async { Arc::new(blocking(load_system_roots).await.unwrap_or_else(|_| RootCertStore::empty())) };
    ROOTS.get_or_init(load).await.clone()
}

fn load_system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        log::warn!("reading the system's certificate authorities: {error}");
    }
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    log::debug!("{added} certificate authorities of the system, {ignored} unreadable");
    if added == 0 {
        log::warn!("no certificate authorities found on this system");
    }
    roots
}

fn with_ca_file(roots: Arc<RootCertStore>, path: &Path) -> Result<Arc<RootCertStore>, Why> {
    let bad = |detail: String| Why::BadCaFile { path: path.to_owned(), detail };
    let pem = read_pem(path).map_err(|error| bad(error.to_string()))?;
    let mut roots = (*roots).clone();
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        count += 1;
    }
    if count == 0 {
        return Err(bad("it contains no PEM certificate".to_owned()));
    }
    Ok(Arc::new(roots))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Why> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Why::TlsFailed { detail: error.to_string() })
}

fn read_fingerprint(text: &str) -> Result<[u8; 32], Why> {
    let bad = || Why::BadUrl { detail: "the fingerprint is not 64 hexadecimal digits".to_owned() };
    let bytes = HEXLOWER_PERMISSIVE.decode(text.replace(':', "").as_bytes()).map_err(|_| bad())?;
    bytes.try_into().map_err(|_| bad())
}

/// What a server shows of itself.
pub(super) struct Shown<'a> {
    pub(super) certificate: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
    pub(super) name: &'a ServerName<'a>,
    pub(super) ocsp_response: &'a [u8],
    pub(super) now: UnixTime,
}

/// Decides about a server's certificates. Signatures are checked for it by [`Verifier`].
pub(super) trait Judge: fmt::Debug + Send + Sync {
    /// Whether the server is trusted.
    fn judge(&self, shown: &Shown<'_>) -> Result<ServerCertVerified, rustls::Error>;
}

/// A judge, and the check that the server holds the certificate's key.
#[derive(Debug)]
pub(super) struct Verifier<J> {
    judge: J,
    provider: Arc<CryptoProvider>,
}

impl<J: Judge> Verifier<J> {
    pub(super) fn new(judge: J) -> Self {
        Verifier { judge, provider: Arc::new(ring::default_provider()) }
    }
}

impl<J: Judge> ServerCertVerifier for Verifier<J> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.judge.judge(&Shown { certificate, intermediates, name, ocsp_response, now })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Accepts exactly one certificate, regardless of issuer, name and validity.
#[derive(Debug)]
pub(super) struct Pinned([u8; 32]);

/// The server's certificate is not the pinned one.
#[derive(Debug, thiserror::Error)]
#[error("the server's certificate is {found}, not the pinned one")]
pub(super) struct OtherCertificate {
    found: String,
}

impl Judge for Pinned {
    fn judge(&self, shown: &Shown<'_>) -> Result<ServerCertVerified, rustls::Error> {
        let digest: [u8; 32] = Sha256::digest(shown.certificate).into();
        if digest == self.0 {
            return Ok(ServerCertVerified::assertion());
        }
        let found = HEXLOWER.encode(&digest);
        Err(CertificateError::Other(OtherError(Arc::new(OtherCertificate { found }))).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_has_64_digits() {
        assert_eq!(read_fingerprint(&"0F".repeat(32)), Ok([15; 32]));
        assert_eq!(read_fingerprint(&["a0"; 32].join(":")), Ok([160; 32]));
        for bad in ["", "0f", &"0f".repeat(31), &"0g".repeat(32), &"é".repeat(32)] {
            assert!(read_fingerprint(bad).is_err(), "{bad}");
        }
    }
}
