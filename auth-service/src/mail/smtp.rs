//! A connection to the relay, in steps: we must know when the first byte of a mail goes out.

use std::time::Duration;

use lettre::{
    Address,
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailParameter},
    },
};

use super::config::{Encryption, Relay};

/// The longest wait for each step.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest wait for the answer to a whole mail: relays look through it first.
const ANSWER_PATIENCE: Duration = Duration::from_secs(15);
const MECHANISMS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];

/// Why a mail did not go out.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another try may do.
    ForNow(String),
    /// No further try will do.
    ForGood(String),
    /// Nobody knows whether it went out.
    Unknown(String),
}

/// A connection that is ready to take mail.
pub struct Connection(AsyncSmtpConnection);

/// What a relay must prove itself with: the system's roots and those of `extra_roots`, in PEM.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn tls(relay: &Relay, extra_roots: Option<&[u8]>) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(relay.host.clone());
    if let Some(pem) = extra_roots {
        let roots = Certificate::from_pem(pem).map_err(|cause| format!("SSL_CERT_FILE: {cause}"))?;
        parameters = parameters.add_root_certificate(roots);
    }
    parameters.build_rustls().map_err(|cause| format!("TLS to the mail relay: {cause}"))
}

impl Connection {
    /// Connects, encrypts and authenticates. Whatever the relay refuses here is about us, not about a mail.
    ///
    /// # Errors
    /// [`Refusal::ForNow`].
    pub async fn open(relay: &Relay, tls: &TlsParameters, own_name: &str) -> Result<Self, Refusal> {
        let opening = Self::open_stepwise(relay, tls, own_name);
        // A relay that takes a few seconds for each step still holds up the queue.
        let outcome = tokio::time::timeout(PATIENCE * 3, opening).await;
        outcome.unwrap_or_else(|_| Err(too_long())).map_err(Refusal::into_for_now)
    }

    async fn open_stepwise(relay: &Relay, tls: &TlsParameters, own_name: &str) -> Result<Self, Refusal> {
        let own_name = ClientId::Domain(own_name.to_owned());
        let from_the_start = (relay.encryption == Encryption::Tls).then(|| tls.clone());
        let server = (relay.host.as_str(), relay.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(PATIENCE), &own_name, from_the_start, None);
        let mut connection = step(PATIENCE, connecting).await?;
        let starts_tls = match relay.encryption {
            Encryption::StartTls => true,
            Encryption::StartTlsIfOffered => connection.can_starttls(),
            Encryption::Tls | Encryption::Plain => false,
        };
        if starts_tls {
            step(PATIENCE, connection.starttls(tls.clone(), &own_name)).await?;
        }
        if let Some((user, password)) = &relay.credentials {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            step(PATIENCE, connection.auth(MECHANISMS, &credentials)).await?;
        }
        Ok(Self(connection))
    }

    /// Announces a mail, up to where the relay asks for its first byte.
    ///
    /// # Errors
    /// [`Refusal::ForGood`] when the relay will never take mail for this address, else [`Refusal::ForNow`].
    pub async fn announce(&mut self, from: &Address, to: &Address) -> Result<(), Refusal> {
        let needs_utf8 = [from, to].iter().any(|address| !AsRef::<str>::as_ref(*address).is_ascii());
        if needs_utf8 && !self.0.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Refusal::ForGood("the relay takes no addresses beyond ASCII (SMTPUTF8)".to_owned()));
        }
        let parameters = if needs_utf8 { vec![MailParameter::SmtpUtfEight] } else { Vec::new() };
        let sender = self.0.command(Mail::new(Some(from.clone()), parameters));
        // A sender that is refused is the operator's to correct: the mails wait for that.
        step(PATIENCE, sender).await.map_err(Refusal::into_for_now)?;
        step(PATIENCE, self.0.command(Rcpt::new(to.clone(), Vec::new()))).await.map_err(Refusal::into_known)?;
        step(PATIENCE, self.0.command(Data)).await.map_err(Refusal::into_known)?;
        Ok(())
    }

    /// Sends a mail that was announced.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] unless the relay said that it did not take it.
    pub async fn send(&mut self, message: &[u8]) -> Result<(), Refusal> {
        step(ANSWER_PATIENCE, self.0.message(message)).await.map(drop)
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // The mails have gone: it does not matter how this goes.
        let _ = tokio::time::timeout(PATIENCE, self.0.quit()).await;
    }
}

impl Refusal {
    /// The reason, in full.
    pub fn reason(&self) -> &str {
        match self {
            Self::ForNow(reason) | Self::ForGood(reason) | Self::Unknown(reason) => reason,
        }
    }

    /// The reason for the log: of a relay's answer the code alone, for relays repeat addresses.
    pub fn summary(&self) -> &str {
        let reason = self.reason();
        let answered = reason.starts_with("permanent error") || reason.starts_with("transient error");
        reason.split_once(':').filter(|_| answered).map_or(reason, |(code, _)| code)
    }

    fn into_for_now(self) -> Self {
        match self {
            Self::ForNow(reason) | Self::ForGood(reason) | Self::Unknown(reason) => Self::ForNow(reason),
        }
    }

    /// Before the first byte of a mail nothing is unknown: it did not go out.
    fn into_known(self) -> Self {
        match self {
            Self::Unknown(reason) => Self::ForNow(reason),
            known @ (Self::ForNow(_) | Self::ForGood(_)) => known,
        }
    }
}

async fn step<T>(patience: Duration, running: impl Future<Output = Result<T, SmtpError>>) -> Result<T, Refusal> {
    let outcome = tokio::time::timeout(patience, running).await.map_err(|_| too_long())?;
    outcome.map_err(|cause| {
        let reason = cause.to_string();
        if cause.is_permanent() {
            Refusal::ForGood(reason)
        } else if cause.is_transient() {
            Refusal::ForNow(reason)
        } else {
            Refusal::Unknown(reason)
        }
    })
}

fn too_long() -> Refusal {
    Refusal::Unknown("the relay took too long".to_owned())
}
