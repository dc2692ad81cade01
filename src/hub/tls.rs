//! Certificates: the owner's files, or one that the hub signs for itself and keeps.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use super::{HubError, Options, Tls};
use crate::settings::private_file;
use crate::wire::duplex::proof;

const CERT: &str = "hub-cert.pem";
const KEY: &str = "hub-key.pem";

/// Whether and how connections are encrypted.
#[derive(Clone, Default)]
pub(super) struct Identity {
    /// None without TLS.
    pub acceptor: Option<TlsAcceptor>,
    /// SHA-256 of the certificate that the hub signed for itself, 64 hexadecimal digits.
    pub fingerprint: Option<String>,
}

/// Loads, or makes, what the options ask for.
pub(super) fn identity(options: &Options) -> Result<Identity, HubError> {
    match &options.tls {
        Tls::Off => Ok(Identity::default()),
        Tls::Files { cert, key } => {
            let (acceptor, _) = load(cert, key)?;
            Ok(Identity { acceptor: Some(acceptor), fingerprint: None })
        }
        Tls::SelfSigned => {
            let (cert, key) = (options.data_dir.join(CERT), options.data_dir.join(KEY));
            // The certificate last: a key without one means that making them was cut short.
            if !cert.exists() || !key.exists() {
                make(options, &cert, &key)?;
            }
            let (acceptor, first) = load(&cert, &key)?;
            let fingerprint = proof::hex(&Sha256::digest(&first));
            Ok(Identity { acceptor: Some(acceptor), fingerprint: Some(fingerprint) })
        }
    }
}

/// SHA-256 of the first certificate in a PEM file, if there is one.
pub(super) fn fingerprint_of(cert: &Path) -> Option<String> {
    let first = CertificateDer::pem_file_iter(cert).ok()?.next()?.ok()?;
    Some(proof::hex(&Sha256::digest(&first)))
}

fn load(cert: &Path, key: &Path) -> Result<(TlsAcceptor, CertificateDer<'static>), HubError> {
    let bad = |path: &Path, detail: String| HubError::Certificate { path: path.to_owned(), detail };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| bad(cert, error.to_string()))?;
    let first =
        chain.first().cloned().ok_or_else(|| bad(cert, "there is no certificate in it".to_owned()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| bad(cert, error.to_string()))?;
    // RFC 6455 upgrades HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), first))
}

fn make(options: &Options, cert: &Path, key: &Path) -> Result<(), HubError> {
    let bad = |error: rcgen::Error| HubError::System { detail: error.to_string() };
    let pair = rcgen::KeyPair::generate().map_err(bad)?;
    let mut params = rcgen::CertificateParams::new(names(options)).map_err(bad)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, "Duplex hub");
    let signed = params.self_signed(&pair).map_err(bad)?;
    let write = |path: &Path, pem: String| {
        private_file::write(path, pem.as_bytes()).map_err(HubError::file(PathBuf::from(path)))
    };
    write(key, pair.serialize_pem())?;
    write(cert, signed.pem())
}

/// What the certificate is good for: every name and address by which this computer may be reached.
fn names(options: &Options) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(host_name());
    names.extend(reachable_address(options.listen).map(|address| address.to_string()));
    names.extend(options.allowed_hosts.iter().cloned());
    names.retain(|name| name.is_ascii());
    names.sort();
    names.dedup();
    names
}

/// This computer's name, as the system tells it.
pub(super) fn host_name() -> Option<String> {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    (!name.is_empty()).then_some(name)
}

/// The address under which others reach a hub that listens there. For one that listens on all addresses it is the one
/// that the system would send from; nothing is sent to find it out.
pub(super) fn reachable_address(listen: SocketAddr) -> Option<IpAddr> {
    if !listen.ip().is_unspecified() {
        return Some(listen.ip());
    }
    // Addresses for documentation (RFC 5737, RFC 3849): routed like any, nobody's.
    let (from, to) =
        if listen.is_ipv4() { ("0.0.0.0:0", "192.0.2.1:9") } else { ("[::]:0", "[2001:db8::1]:9") };
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_unspecified())
}
