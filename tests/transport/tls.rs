//! Certificate verification: the system's authorities, a CA file, or one pinned certificate.

use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::HEXUPPER;
use duplex::model::link_state::Why;
use duplex::model::profile::{ClientCertificate, Socket};
use duplex::transport::{Endpoint, capabilities, dial};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::{next_frame, server, text};

crate::over_both_sockets![
    a_self_signed_certificate_is_not_trusted,
    a_ca_file_is_trusted_for_what_it_signed,
    only_the_pinned_certificate_is_trusted,
];

/// A CA and its certificate in PEM format.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Authority {
        Authority::named("authority")
    }

    fn named(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }
}

/// A server's certificate and key.
struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Identity {
    fn signed_by(authority: &Authority, name: &str, last_year: i32) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority.issuer).unwrap().der().clone();
        Identity { certificate, key }
    }

    fn self_signed() -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Identity { certificate, key }
    }

    fn fingerprint(&self) -> String {
        HEXUPPER.encode(&Sha256::digest(&self.certificate))
    }

    /// An echo server with this certificate.
    async fn serve(&self) -> Endpoint {
        Identity::serve_by(self.acceptor()).await
    }

    async fn serve_by(acceptor: TlsAcceptor) -> Endpoint {
        let address = server::tcp(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                if let Ok(stream) = acceptor.accept(stream).await
                    && let Ok(stream) = tokio_tungstenite::accept_async(stream).await
                {
                    server::echo(stream).await;
                }
            }
        });
        Endpoint::new(format!("wss://{}/socket", address.await))
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// The same, which wants a client certificate of this authority.
    fn acceptor_for_clients_of(
        &self,
        authority: &Authority,
        version: &'static SupportedProtocolVersion,
    ) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![self.certificate.clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// The certificate in PEM.
    fn pem(&self) -> String {
        let digits = data_encoding::BASE64.encode(&self.certificate);
        format!("-----BEGIN CERTIFICATE-----\n{digits}\n-----END CERTIFICATE-----\n")
    }

    /// The same as a stream, without WebSocket.
    async fn serve_stream(&self) -> Endpoint {
        let acceptor = self.acceptor();
        let address = server::tcp(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    assert_eq!(stream.get_ref().1.alpn_protocol(), None, "it is not HTTP");
                    let (mut reader, mut writer) = tokio::io::split(stream);
                    let _ = tokio::io::copy(&mut reader, &mut writer).await;
                }
            }
        });
        Endpoint::new(format!("stomps://{}", address.await))
    }
}

/// A directory with a CA file.
fn ca_file(pem: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    std::fs::write(&path, pem).unwrap();
    (directory, path)
}

async fn echoes(target: Endpoint) {
    let mut connection = dial(Socket::Tungstenite, target).await.expect("a connection");
    connection.send(text("over TLS")).await;
    assert_eq!(next_frame(&mut connection).await, text("over TLS"));
}

async fn untrusted(socket: Socket, target: Endpoint) -> String {
    match dial(socket, target).await {
        Err(why @ Why::TlsUntrusted { .. }) => {
            assert!(!why.is_retryable());
            let Why::TlsUntrusted { detail } = why else { unreachable!() };
            detail
        }
        other => panic!("not refused as untrusted but {:?}", other.map(drop)),
    }
}

async fn a_self_signed_certificate_is_not_trusted(socket: Socket) {
    untrusted(socket, Identity::self_signed().serve().await).await;
}

async fn a_ca_file_is_trusted_for_what_it_signed(socket: Socket) {
    let authority = Authority::new();
    let (_directory, path) = ca_file(&authority.pem);
    let with_ca = |mut target: Endpoint| {
        target.ca_file = Some(path.clone());
        target
    };
    let good = with_ca(Identity::signed_by(&authority, "127.0.0.1", 2099).serve().await);
    if !capabilities(socket).own_ca {
        assert!(matches!(dial(socket, good).await, Err(Why::Unsupported { .. })));
        return;
    }
    echoes(good).await;
    untrusted(socket, with_ca(Identity::signed_by(&Authority::new(), "127.0.0.1", 2099).serve().await)).await;
    untrusted(socket, with_ca(Identity::self_signed().serve().await)).await;
    let expired =
        untrusted(socket, with_ca(Identity::signed_by(&authority, "127.0.0.1", 2021).serve().await)).await;
    assert!(expired.contains("expired"), "{expired}");
    let elsewhere =
        untrusted(socket, with_ca(Identity::signed_by(&authority, "hub.example", 2099).serve().await)).await;
    assert!(elsewhere.contains("hub.example"), "{elsewhere}");
}

async fn only_the_pinned_certificate_is_trusted(socket: Socket) {
    let identity = Identity::self_signed();
    let mut target = identity.serve().await;
    target.fingerprint = Some(identity.fingerprint());
    if !capabilities(socket).fingerprint {
        assert!(matches!(dial(socket, target).await, Err(Why::Unsupported { .. })));
        return;
    }
    echoes(target.clone()).await;
    let mut other = Identity::self_signed().serve().await;
    other.fingerprint = target.fingerprint.clone();
    let detail = untrusted(socket, other).await;
    assert!(detail.contains("not the pinned one"), "{detail}");
    target.fingerprint = Some("0f".repeat(31));
    assert!(matches!(dial(socket, target).await, Err(Why::BadUrl { .. })));
}

#[tokio::test]
async fn a_stream_trusts_by_the_same_rules() {
    let authority = Authority::new();
    let (_directory, path) = ca_file(&authority.pem);
    let socket = Socket::Tungstenite;
    let mut good = Identity::signed_by(&authority, "127.0.0.1", 2099).serve_stream().await;
    untrusted(socket, good.clone()).await;
    good.ca_file = Some(path.clone());
    echoes(good).await;
    let mut elsewhere = Identity::signed_by(&authority, "hub.example", 2099).serve_stream().await;
    elsewhere.ca_file = Some(path);
    assert!(untrusted(socket, elsewhere).await.contains("hub.example"));
    let identity = Identity::self_signed();
    let mut pinned = identity.serve_stream().await;
    pinned.fingerprint = Some(identity.fingerprint());
    echoes(pinned.clone()).await;
    let mut other = Identity::self_signed().serve_stream().await;
    other.fingerprint = pinned.fingerprint;
    assert!(untrusted(socket, other).await.contains("not the pinned one"));
}

#[tokio::test]
async fn an_unusable_ca_file_is_reported() {
    let refused = |path: PathBuf| async {
        let mut target = Endpoint::new("wss://127.0.0.1:1/");
        target.ca_file = Some(path);
        dial(Socket::Tungstenite, target).await.unwrap_err()
    };
    let (directory, path) = ca_file("no certificate");
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let (_other_directory, damaged) = ca_file(damaged);
    for bad in [path, damaged, directory.path().join("missing"), directory.path().to_owned()] {
        let why = refused(bad.clone()).await;
        assert!(matches!(&why, Why::BadCaFile { path, .. } if *path == bad), "{why:?}");
        assert!(!why.is_retryable());
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_asks_for_one() {
    let (authority, stranger) = (Authority::new(), Authority::named("stranger"));
    let server = Identity::self_signed();
    let [own, foreign] = [&authority, &stranger].map(|by| Identity::signed_by(by, "client", 2099));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let both = file("both.pem", own.pem() + &own.key.serialize_pem());
    let (certificate, key) = (file("own.pem", own.pem()), file("own.key", own.key.serialize_pem()));
    let unknown = file("foreign.pem", foreign.pem() + &foreign.key.serialize_pem());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut target = Identity::serve_by(server.acceptor_for_clients_of(&authority, version)).await;
        target.fingerprint = Some(server.fingerprint());
        let with = |certificate: &PathBuf, key: Option<&PathBuf>| {
            let own = ClientCertificate { certificate: certificate.clone(), key: key.cloned() };
            Endpoint { client_certificate: Some(own), ..target.clone() }
        };
        echoes(with(&both, None)).await;
        echoes(with(&certificate, Some(&key))).await;
        let why = dial(Socket::Tungstenite, target.clone()).await.unwrap_err();
        let is_said = matches!(why, Why::NoClientCertificate | Why::ClientCertificateRefused { .. });
        assert!(is_said && !why.is_retryable(), "{version:?}: {why:?}");
        let why = dial(Socket::Tungstenite, with(&unknown, None)).await.unwrap_err();
        assert!(matches!(why, Why::ClientCertificateRefused { .. }), "{version:?}: {why:?}");
        let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let (locked, missing) = (file("locked.key", locked.to_owned()), folder.path().join("missing"));
        for (target, named, said) in [
            (with(&certificate, None), &certificate, "no private key"),
            (with(&certificate, Some(&locked)), &locked, "openssl pkey"),
            (with(&key, None), &key, "no PEM certificate"),
            (with(&missing, None), &missing, "No such file"),
            (with(&certificate, Some(&unknown)), &certificate, ""),
        ] {
            let why = dial(Socket::Tungstenite, target).await.unwrap_err();
            let is_said = matches!(&why, Why::BadClientCertificate { path, detail } if path == named && detail.contains(said));
            assert!(is_said && !why.is_retryable(), "{why:?}");
        }
    }
    let mut plain = Endpoint::new("ws://127.0.0.1:1/");
    plain.client_certificate = Some(ClientCertificate { certificate: both, key: None });
    assert!(matches!(dial(Socket::Tungstenite, plain.clone()).await, Err(Why::BadUrl { .. })));
    plain.url = "wss://127.0.0.1:1/".to_owned();
    assert!(matches!(dial(Socket::Ewebsock, plain).await, Err(Why::Unsupported { .. })));
}

#[tokio::test]
async fn a_certificate_cannot_be_checked_without_tls() {
    let mut target = Endpoint::new("ws://127.0.0.1:1/");
    target.fingerprint = Some("0f".repeat(32));
    assert!(matches!(dial(Socket::Tungstenite, target).await, Err(Why::BadUrl { .. })));
}

#[tokio::test]
async fn a_server_without_tls_fails_the_handshake() {
    let address = server::tcp(|mut stream| async move {
        use tokio::io::AsyncWriteExt;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let why =
        dial(Socket::Tungstenite, Endpoint::new(format!("wss://{}/", address.await))).await.unwrap_err();
    assert!(matches!(why, Why::TlsFailed { .. }), "{why:?}");
}
