//! Listening: plain, and over TLS with a redirection to it where the file says so.

use std::io;
use std::net::IpAddr;

use service_kit::hosts::AllowedHosts;
use service_kit::serve::redirect::Redirect;
use service_kit::serve::tls::{CertificateFiles, Certificates};
use service_kit::serve::{self, Listener, ServeLimits, Workers};
use service_kit::shutdown::Shutdown;
use tokio::net::TcpListener;

use crate::gateway::App;
use crate::operators::HealthDetails;
use crate::routes::{self, Acme, Listen, TlsFile};

/// The open listeners of a gateway.
pub struct Listeners {
    app: App,
    plain: TcpListener,
    secure: Option<Secure>,
}

struct Secure {
    listener: TcpListener,
    certificates: Certificates,
    redirect: Option<(TcpListener, Redirect)>,
    acme: Option<Acme>,
}

impl Listeners {
    /// Opens what the file says of TLS, beside the plain listener.
    ///
    /// # Errors
    /// When a listener cannot be had, or a certificate cannot be used.
    pub async fn open(app: App, plain: TcpListener) -> io::Result<Self> {
        let every = plain.local_addr()?.ip();
        let secure = match app.tls() {
            Some(tls) => Some(Secure::open(&tls, every, app.allowed_hosts()).await?),
            None => None,
        };
        Ok(Self { app, plain, secure })
    }

    /// The gateway's health in full, to be served where only operators are.
    #[must_use]
    pub fn health_details(&self) -> HealthDetails {
        HealthDetails::of(self.app.gateway())
    }

    /// Serves until `shutdown` is requested and the requests in progress are answered.
    ///
    /// # Errors
    /// When a listener becomes unusable.
    pub async fn serve(self, limits: ServeLimits, shutdown: Shutdown) -> io::Result<()> {
        let Self { app, plain, secure } = self;
        let workers = Workers::start()?;
        let behind_tls = async {
            match secure {
                Some(secure) => secure.serve(app.clone(), &workers, limits, shutdown.clone()).await,
                None => Ok(()),
            }
        };
        let plain = Listener::from(plain).on(workers.clone());
        let plain = serve::serve(plain, app.clone(), limits, shutdown.clone());
        let (plain, secure) = tokio::join!(plain, behind_tls);
        if shutdown.is_requested() {
            app.gateway().has_left().await;
        }
        plain.and(secure)
    }
}

impl Secure {
    async fn open(tls: &TlsFile, every: IpAddr, hosts: AllowedHosts) -> io::Result<Self> {
        let certificates = certificates(tls)?;
        let listener = bind(tls.listen, every).await?;
        let own_port = listener.local_addr()?.port();
        let redirect = match tls.redirect {
            Some(routes::Redirect { listen, public_port }) => {
                Some((bind(listen, every).await?, Redirect::new(hosts, public_port.unwrap_or(own_port))))
            }
            None => None,
        };
        Ok(Self { listener, certificates, redirect, acme: tls.acme.clone() })
    }

    async fn serve(self, app: App, workers: &Workers, limits: ServeLimits, shutdown: Shutdown) -> io::Result<()> {
        let Self { listener, certificates, redirect, acme } = self;
        tokio::spawn(certificates.clone().watch(shutdown.clone()));
        if let Some(acme) = acme {
            tokio::spawn(app.acme(acme, certificates.clone()).run(shutdown.clone()));
        }
        tokio::spawn(app.expiry(certificates.clone()).run(shutdown.clone()));
        let redirecting = async {
            match redirect {
                Some((listener, service)) => serve::serve(listener, service, limits, shutdown.clone()).await,
                None => Ok(()),
            }
        };
        let listener = Listener::from(listener).with_tls(certificates).on(workers.clone());
        let secure = serve::serve(listener, app, limits, shutdown.clone());
        let (secure, redirecting) = tokio::join!(secure, redirecting);
        secure.and(redirecting)
    }
}

async fn bind(listen: Listen, every: IpAddr) -> io::Result<TcpListener> {
    let address = listen.address(every);
    let bound = TcpListener::bind(address).await;
    bound.map_err(|cause| io::Error::new(cause.kind(), format!("[tls]: cannot listen on {address}: {cause}")))
}

fn certificates(tls: &TlsFile) -> io::Result<Certificates> {
    let files = tls.certificates.iter().map(|one| CertificateFiles { chain: one.cert.clone(), key: one.key.clone() });
    Certificates::load(&files.collect::<Vec<_>>()).map_err(io::Error::other)
}
