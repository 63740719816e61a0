//! TLS towards the servers: whom we trust, and who we are.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use service_kit::redis::system_roots_pem;

use super::config::{ServerUrl, TlsOptions};

/// Settings for both protocols. They differ in what is offered by ALPN only.
pub(super) struct ClientTls {
    pub http1: Arc<ClientConfig>,
    pub http2: Arc<ClientConfig>,
}

impl ClientTls {
    /// # Errors
    /// One sentence that names the file.
    pub fn read(options: &TlsOptions, extra_roots_pem: Option<&[u8]>) -> Result<Self, String> {
        let roots = match &options.ca {
            Some(path) => only_roots(path)?,
            None => system_roots(extra_roots_pem)?,
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .with_root_certificates(roots);
        let mut config = match &options.client {
            Some((chain, key)) => {
                let (chain_der, key_der) = (read_certificates(chain)?, read_key(key)?);
                builder
                    .with_client_auth_cert(chain_der, key_der)
                    .map_err(|error| format!("{} and {} do not fit: {error}", chain.display(), key.display()))?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let http1 = Arc::new(config.clone());
        config.alpn_protocols.insert(0, b"h2".to_vec());
        Ok(Self { http1, http2: Arc::new(config) })
    }
}

/// The name that a server's certificate must have, if it speaks TLS.
///
/// # Errors
/// One sentence, when that is no name.
pub(super) fn expected_name(url: &ServerUrl, options: &TlsOptions) -> Result<Option<ServerName<'static>>, String> {
    if !url.tls {
        return Ok(None);
    }
    let name = options.server_name.clone().unwrap_or_else(|| url.host.clone());
    ServerName::try_from(name.clone()).map(Some).map_err(|_| format!("{name} is no name that a certificate can have"))
}

/// Why no TLS came about, for the operator, who is the one to say whom to trust.
pub(super) fn explain(error: &io::Error) -> String {
    let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref());
    match of_tls {
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "TLS: the certificate is of an unknown authority: name it by tls.ca of the upstream or by SSL_CERT_FILE"
                .to_owned()
        }
        Some(_) | None => format!("TLS: {error}"),
    }
}

fn only_roots(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(path)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(roots)
}

/// The system's roots and more.
///
/// # Errors
/// One sentence.
pub(crate) fn system_roots(extra_pem: Option<&[u8]>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some of the system's root certificates cannot be read");
    }
    // Systems ship a few that no longer parse; those are of no use to anyone.
    roots.add_parsable_certificates(found.certs);
    if extra_pem.is_some() || roots.is_empty() {
        // The variable that names more roots, SSL_CERT_FILE, made the crate look nowhere else, even when it is empty.
        let system = system_roots_pem();
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&system).filter_map(Result::ok));
    }
    for certificate in extra_pem.map(CertificateDer::pem_slice_iter).into_iter().flatten() {
        let certificate = certificate.map_err(|error| format!("the additional root certificates: {error}"))?;
        roots.add(certificate).map_err(|error| format!("the additional root certificates: {error}"))?;
    }
    if roots.is_empty() {
        return Err(
            "the system has no root certificates; install them, or name some by SSL_CERT_FILE or tls.ca".to_owned()
        );
    }
    Ok(roots)
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    if certificates.is_empty() {
        return Err(format!("{} holds no certificate", path.display()));
    }
    Ok(certificates)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let pem = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| format!("{}: {error}", path.display()))
}
