//! Listening: plain, and over TLS with a redirection to it where the file says so.

use std::io;

use service_kit::serve::redirect::Redirect;
use service_kit::serve::tls::{CertificateFiles, Certificates};
use service_kit::serve::{self, ServeLimits};
use service_kit::shutdown::Shutdown;
use tokio::net::TcpListener;

use crate::gateway::App;
use crate::routes::{Listen, TlsFile};

/// Serves until `shutdown` is requested and the requests in progress are answered.
///
/// # Errors
/// When a listener of the file cannot be had, a certificate cannot be used, or a listener becomes unusable.
pub async fn serve(app: App, plain: TcpListener, limits: ServeLimits, shutdown: Shutdown) -> io::Result<()> {
    let Some(tls) = app.tls() else { return serve::serve(plain, app, limits, shutdown).await };
    let certificates = certificates(&tls)?;
    let every = plain.local_addr()?.ip();
    let bind = async |listen: Listen| {
        let address = listen.address(every);
        let bound = TcpListener::bind(address).await;
        bound.map_err(|cause| io::Error::new(cause.kind(), format!("[tls]: cannot listen on {address}: {cause}")))
    };
    let secure = bind(tls.listen).await?;
    let port = secure.local_addr()?.port();
    let redirect = match tls.redirect {
        Some(listen) => Some(bind(listen).await?),
        None => None,
    };
    tokio::spawn(certificates.clone().watch(shutdown.clone()));
    if let Some(acme) = tls.acme {
        tokio::spawn(app.acme(acme, certificates.clone()).run(shutdown.clone()));
    }
    tokio::spawn(app.expiry(certificates.clone()).run(shutdown.clone()));
    let redirecting = async {
        let Some(listener) = redirect else { return Ok(()) };
        let service = Redirect::new(app.allowed_hosts(), port);
        serve::serve(listener, service, limits, shutdown.clone()).await
    };
    let (plain, secure, redirecting) = tokio::join!(
        serve::serve(plain, app.clone(), limits, shutdown.clone()),
        serve::serve_tls(secure, &certificates, app.clone(), limits, shutdown.clone()),
        redirecting,
    );
    plain.and(secure).and(redirecting)
}

fn certificates(tls: &TlsFile) -> io::Result<Certificates> {
    let files = tls.certificates.iter().map(|one| CertificateFiles { chain: one.cert.clone(), key: one.key.clone() });
    Certificates::load(&files.collect::<Vec<_>>()).map_err(io::Error::other)
}
