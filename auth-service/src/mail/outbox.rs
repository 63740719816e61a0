//! What the senders of an instance share: how mail goes out, and the bell that wakes them.

use lettre::transport::smtp::client::TlsParameters;
use tokio::sync::Notify;

use super::{
    config::{Delivery, MailConfig, Relay},
    smtp::{self, Connection},
};

/// The way out.
pub struct Outbox {
    bell: Notify,
    pub(super) transport: Transport,
}

/// How mail goes out, with all that it takes.
pub(super) enum Transport {
    /// By a relay, which proves itself by TLS.
    Relay(Relay, TlsParameters),
    /// To the log.
    Log,
    /// Not at all.
    Nowhere,
}

impl Outbox {
    /// For this configuration.
    ///
    /// # Errors
    /// A sentence that says why TLS to the relay cannot work.
    pub fn open(config: &MailConfig, extra_roots: Option<&[u8]>) -> Result<Self, String> {
        let transport = match &config.delivery {
            Delivery::Relay(relay) => Transport::Relay(relay.clone(), smtp::tls(relay, extra_roots)?),
            Delivery::Log => Transport::Log,
            Delivery::Nowhere => Transport::Nowhere,
        };
        Ok(Self { bell: Notify::new(), transport })
    }

    /// Tries the relay as far as one can without sending anything; says what was found.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub async fn examine(relay: &Relay, config: &MailConfig, extra_roots: Option<&[u8]>) -> Result<(), String> {
        let tls = smtp::tls(relay, extra_roots)?;
        let connection = Connection::open(relay, &tls, config.from.email.domain()).await;
        connection.map_err(|refusal| refusal.reason().to_owned())?.close().await;
        Ok(())
    }

    /// Has a sender look at once, after a commit; without it what was queued goes out within a second.
    pub fn wake(&self) {
        self.bell.notify_one();
    }

    /// Waits for [`Self::wake`].
    pub(super) async fn woken(&self) {
        self.bell.notified().await;
    }
}
