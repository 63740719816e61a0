//! TLS on a listener: 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN, the certificate by the name that the client asks for.

mod certificates;
mod files;
mod validity;

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use certificates::ACME_TLS;

pub use certificates::Certificates;
pub use files::{CertificateFiles, names};
pub use validity::Validity;

/// Ends TLS with these certificates; when they change, so do those of the next handshake.
pub(super) fn acceptor(certificates: &Certificates) -> io::Result<TlsAcceptor> {
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(certificates.clone()));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec(), ACME_TLS.to_vec()];
    // Clients that come back save a handshake's signature, and the server keeps nothing for them.
    config.ticketer = Ticketer::new().map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Whether the client was an authority, which wanted to see a certificate and has seen it.
pub(super) fn was_challenge<S>(stream: &TlsStream<S>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(ACME_TLS)
}
