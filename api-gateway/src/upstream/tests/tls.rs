use std::fs;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::peer::OK;
use super::{ask, config, get};
use crate::upstream::{Failure, ServerUrl, TlsOptions, Upstream, UpstreamConfig};

/// An authority, and what it signed, in files.
pub(super) struct Certificates {
    folder: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Certificates {
    pub fn new() -> Self {
        Self::of("authority")
    }

    fn of(authority: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, authority);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Self { folder, authority }
    }

    /// A certificate and its key.
    fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        (params.signed_by(&key, &self.authority).unwrap().pem(), key.serialize_pem())
    }

    pub fn trusting(&self) -> TlsOptions {
        TlsOptions { ca: Some(self.folder.path().join("ca.pem")), ..TlsOptions::default() }
    }

    fn with_client(&self, name: &str) -> TlsOptions {
        let (certificate, key) = self.issue(name, ExtendedKeyUsagePurpose::ClientAuth);
        let paths = (self.folder.path().join("client.pem"), self.folder.path().join("client.key"));
        fs::write(&paths.0, certificate).unwrap();
        fs::write(&paths.1, key).unwrap();
        TlsOptions { client: Some(paths), ..self.trusting() }
    }

    pub fn server(&self, name: &str, clients: Clients, alpn: &[&str]) -> TlsAcceptor {
        let (certificate, key) = self.issue(name, ExtendedKeyUsagePurpose::ServerAuth);
        let certificate = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = builder.unwrap();
        let builder = match clients {
            Clients::Anyone => builder.with_no_client_auth(),
            Clients::Certified => {
                let mut roots = RootCertStore::empty();
                roots.add(self.authority.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let mut config = builder.with_single_cert(certificate, key).unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }
}

#[derive(Clone, Copy)]
pub(super) enum Clients {
    Anyone,
    Certified,
}

/// Answers one request after the other; its port.
async fn serve(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut bytes = [0; 4096];
                while stream.read(&mut bytes).await.is_ok_and(|length| length > 0) {
                    stream.write_all(OK.as_bytes()).await.unwrap();
                }
            });
        }
    });
    port
}

pub(super) fn over_tls(port: u16, tls: TlsOptions) -> UpstreamConfig {
    let servers = vec![ServerUrl { tls: true, host: "127.0.0.1".to_owned(), port }];
    UpstreamConfig { servers, tls, ..config(&[]) }
}

async fn failure(config: UpstreamConfig, extra_roots: Option<&[u8]>) -> String {
    match Upstream::open(config, extra_roots).unwrap().send(get("/"), 0).await {
        Err(failure @ Failure::Connect(..)) => failure.to_string(),
        Err(failure) => panic!("{failure}"),
        Ok(answer) => panic!("{}", answer.status()),
    }
}

#[tokio::test]
async fn certificate_of_a_trusted_authority_for_the_right_name_is_accepted() {
    let certificates = Certificates::new();
    let port = serve(certificates.server("127.0.0.1", Clients::Anyone, &[])).await;
    let upstream = Upstream::open(over_tls(port, certificates.trusting()), None).unwrap();
    assert_eq!(ask(&upstream, get("/")).await, "ok");
    assert_eq!(ask(&upstream, get("/")).await, "ok");
    let named = serve(certificates.server("orders.internal", Clients::Anyone, &["http/1.1"])).await;
    let tls = TlsOptions { server_name: Some("orders.internal".to_owned()), ..certificates.trusting() };
    assert_eq!(ask(&Upstream::open(over_tls(named, tls), None).unwrap(), get("/")).await, "ok");
}

#[tokio::test]
async fn certificate_for_another_name_is_refused() {
    let certificates = Certificates::new();
    let port = serve(certificates.server("other.example", Clients::Anyone, &[])).await;
    let told = failure(over_tls(port, certificates.trusting()), None).await;
    assert!(told.contains("not valid for name"), "{told}");
}

#[tokio::test]
async fn certificate_of_an_unknown_authority_is_refused() {
    let (ours, theirs) = (Certificates::new(), Certificates::of("somebody else"));
    let port = serve(theirs.server("127.0.0.1", Clients::Anyone, &[])).await;
    let told = failure(over_tls(port, ours.trusting()), Some(theirs.authority.pem().as_bytes())).await;
    assert!(told.contains("of an unknown authority"), "{told}");
}

#[tokio::test]
async fn additional_roots_are_trusted_beside_those_of_the_system() {
    let certificates = Certificates::new();
    let port = serve(certificates.server("127.0.0.1", Clients::Anyone, &[])).await;
    let config = over_tls(port, TlsOptions::default());
    let upstream = Upstream::open(config, Some(certificates.authority.pem().as_bytes())).unwrap();
    assert_eq!(ask(&upstream, get("/")).await, "ok");
}

#[tokio::test]
async fn client_certificate_is_shown() {
    let certificates = Certificates::new();
    let port = serve(certificates.server("127.0.0.1", Clients::Certified, &[])).await;
    let upstream = Upstream::open(over_tls(port, certificates.with_client("gateway")), None).unwrap();
    assert_eq!(ask(&upstream, get("/")).await, "ok");
    let without = Upstream::open(over_tls(port, certificates.trusting()), None).unwrap();
    assert!(without.send(get("/"), 0).await.is_err());
}

#[tokio::test]
async fn file_that_cannot_be_used_is_named() {
    let certificates = Certificates::new();
    let empty = certificates.folder.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let missing = certificates.folder.path().join("missing.pem");
    for path in [empty, missing] {
        let tls = TlsOptions { ca: Some(path.clone()), ..TlsOptions::default() };
        let told = Upstream::open(over_tls(1, tls), None).err().unwrap();
        assert!(told.contains(path.to_str().unwrap()), "{told}");
    }
}
