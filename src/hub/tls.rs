//! TLS certificates: the owner's files, or a self-signed one that the hub creates and keeps.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use data_encoding::{BASE64, HEXLOWER};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::{HubError, Options, Tls};
use crate::settings::private_file;

pub(super) const CERT: &str = "hub-cert.pem";
pub(super) const KEY: &str = "hub-key.pem";
/// How often the owner's files are checked for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Whether and how connections are encrypted.
#[derive(Clone, Default)]
pub(super) struct Identity {
    /// `None` without TLS.
    pub acceptor: Option<TlsAcceptor>,
    /// SHA-256 of the self-signed certificate, 64 hexadecimal digits.
    pub fingerprint: Option<String>,
    /// The owner's certificate, if one is in use.
    pub renewable: Option<Arc<Renewable>>,
}

/// Loads or creates the certificate that the options require.
pub(super) fn identity(options: &Options) -> Result<Identity, HubError> {
    match &options.tls {
        Tls::Off => Ok(Identity::default()),
        Tls::Files { cert, key } => {
            let renewable = Arc::new(Renewable::load(cert, key)?);
            let acceptor = acceptor(cert, Arc::clone(&renewable) as Arc<dyn ResolvesServerCert>)?;
            Ok(Identity { acceptor: Some(acceptor), fingerprint: None, renewable: Some(renewable) })
        }
        Tls::SelfSigned => {
            let (cert, key) = own_files(&options.data_dir);
            // The certificate is written last: a key without one means that creation was interrupted.
            if !cert.exists() || !key.exists() {
                make(options, &cert, &key)?;
            }
            // Clients pin its fingerprint: it must not change while the hub runs.
            let certified = load(&cert, &key)?;
            let fingerprint = certified.cert.first().map(|first| HEXLOWER.encode(&Sha256::digest(first)));
            let acceptor = acceptor(&cert, Arc::new(SingleCertAndKey::from(certified)))?;
            Ok(Identity { acceptor: Some(acceptor), fingerprint, renewable: None })
        }
    }
}

/// Paths of the self-signed certificate and its key.
fn own_files(data_dir: &Path) -> (PathBuf, PathBuf) {
    (data_dir.join(CERT), data_dir.join(KEY))
}

/// SHA-256 of the self-signed certificate's public key, in the format of curl's `--pinnedpubkey`.
pub(super) fn public_key_pin(data_dir: &Path) -> Option<String> {
    use rcgen::PublicKeyData as _;
    let pem = std::fs::read_to_string(own_files(data_dir).1).ok()?;
    let digest = Sha256::digest(rcgen::KeyPair::from_pem(&pem).ok()?.subject_public_key_info());
    Some(format!("sha256//{}", BASE64.encode(&digest)))
}

/// SHA-256 of the first certificate in a PEM file, if there is one.
pub(super) fn fingerprint_of(cert: &Path) -> Option<String> {
    let first = CertificateDer::pem_file_iter(cert).ok()?.next()?.ok()?;
    Some(HEXLOWER.encode(&Sha256::digest(&first)))
}

/// The owner's certificate, reloaded when its files change.
#[derive(Debug)]
pub(super) struct Renewable {
    cert: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
    /// State of the files when they were last read.
    read: Mutex<Stamp>,
}

/// Modification time and size of each file. Symbolic links are followed.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Renewable {
    fn load(cert: &Path, key: &Path) -> Result<Renewable, HubError> {
        let read = Mutex::new(stamp(cert, key));
        let current = RwLock::new(load(cert, key)?);
        Ok(Renewable { cert: cert.to_owned(), key: key.to_owned(), current, read })
    }

    /// Reloads the files. If they are invalid, the previous certificate stays in use.
    pub(super) fn reload(&self) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = stamp(&self.cert, &self.key);
        match load(&self.cert, &self.key) {
            Ok(certified) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = certified;
                log::warn!("reloaded the certificate in {}", self.cert.display());
            }
            Err(error) => log::error!(
                "{error}. The previous certificate stays in use; the files are read again when they change."
            ),
        }
    }

    /// Reloads the files once they have changed and stayed unchanged for one interval: a certificate and its key are
    /// rarely written at the same moment.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut seen = None;
        loop {
            sleep(CHECK_INTERVAL).await;
            let this = Arc::clone(&self);
            let looked = spawn_blocking(move || this.look(seen)).await;
            seen = looked.unwrap_or_default();
        }
    }

    /// Returns the new state of the files, if they have changed since they were read.
    fn look(&self, seen: Option<Stamp>) -> Option<Stamp> {
        let now = stamp(&self.cert, &self.key);
        if *self.read.lock().unwrap_or_else(PoisonError::into_inner) == now {
            return None;
        }
        if seen == Some(now) {
            self.reload();
            return None;
        }
        Some(now)
    }
}

impl ResolvesServerCert for Renewable {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn stamp(cert: &Path, key: &Path) -> Stamp {
    [cert, key].map(|path| std::fs::metadata(path).and_then(|data| Ok((data.modified()?, data.len()))).ok())
}

fn load(cert: &Path, key: &Path) -> Result<Arc<CertifiedKey>, HubError> {
    let bad = |path: &Path, detail: String| HubError::Certificate { path: path.to_owned(), detail };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| bad(cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(bad(cert, "it contains no certificate".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(key, error.to_string()))?;
    // Also checks that certificate and key match.
    let certified = CertifiedKey::from_der(chain, private, &rustls::crypto::ring::default_provider());
    certified.map(Arc::new).map_err(|error| bad(cert, error.to_string()))
}

fn acceptor(cert: &Path, resolver: Arc<dyn ResolvesServerCert>) -> Result<TlsAcceptor, HubError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let bad =
        |error: rustls::Error| HubError::Certificate { path: cert.to_owned(), detail: error.to_string() };
    let mut config = builder.map_err(bad)?.with_no_client_auth().with_cert_resolver(resolver);
    // WebSocket upgrades HTTP/1.1 (RFC 6455): its clients offer nothing else, browsers over a connection of its own.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
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

/// The names and addresses that the certificate covers: all by which this computer may be reached.
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

/// This computer's host name.
pub(super) fn host_name() -> Option<String> {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    (!name.is_empty()).then_some(name)
}

/// The address at which others reach a hub that listens on `listen`. For a wildcard address it is the source address
/// of outgoing traffic; no packet is sent to find it.
pub(super) fn reachable_address(listen: SocketAddr) -> Option<IpAddr> {
    if !listen.ip().is_unspecified() {
        return Some(listen.ip());
    }
    // Documentation addresses (RFC 5737, RFC 3849): routed like any other, but in use by nobody.
    let (from, to) =
        if listen.is_ipv4() { ("0.0.0.0:0", "192.0.2.1:9") } else { ("[::]:0", "[2001:db8::1]:9") };
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|address| !address.is_unspecified())
}
