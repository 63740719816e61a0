//! Certificates that the gateway orders itself (RFC 8555), for one gateway that stands alone: each of several would order
//! its own, and the authority would ask one for the proof that another has.
//!
//! What is kept is used at once; an order is made when nothing is kept or it is due, and a failed one again and again,
//! ever later. Serving never waits for any of it.

mod failure;
mod held;
mod http;
mod order;
mod schedule;
mod storage;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use instant_acme::{Account, NewAccount};
use service_kit::clock::Clock;
use service_kit::serve::tls::Certificates;
use service_kit::shutdown::Shutdown;

use crate::routes::Acme;
use failure::{Failure, Kind};
use held::Held;
use http::Client;
use storage::Storage;

/// For a whole order, which polls for minutes at most.
const LONGEST_ORDER: Duration = Duration::from_secs(10 * 60);
/// What an authority that counted too many orders is left in peace for, at least.
const PEACE: Duration = Duration::from_secs(60 * 60);

/// Keeps the listener in certificates.
pub struct Keeper {
    config: Acme,
    certificates: Certificates,
    extra_roots: Option<Vec<u8>>,
    clock: Clock,
    held: Option<Held>,
    /// What could not be written down yet.
    unsaved: Option<String>,
    failures: u32,
    last_failure: Option<Failure>,
}

/// What came of an attempt that did not fail.
enum Attempt {
    Done,
    /// So long no order may be made.
    NotYet(Duration),
}

impl Keeper {
    /// Uses what is kept, before anybody connects.
    pub fn start(mut config: Acme, certificates: Certificates, extra_roots: Option<Vec<u8>>, clock: Clock) -> Self {
        // Authorities refuse an order that says a name twice.
        let mut said = HashSet::new();
        config.domains.retain(|domain| said.insert(domain.clone()));
        let (held, unsaved, last_failure) = (None, None, None);
        let mut keeper = Self { config, certificates, extra_roots, clock, held, unsaved, failures: 0, last_failure };
        let kept = keeper.storage().and_then(|storage| storage.certificate().map_err(Failure::storage));
        match kept.map(|pem| pem.map(|pem| Held::parse(&pem))) {
            Ok(Some(Ok(held))) => keeper.hold(held),
            Ok(Some(Err(reason))) => {
                tracing::warn!("the kept certificate cannot be used: {reason}; another one is ordered");
            }
            Ok(None) => {}
            // The first attempt meets the same, and says so.
            Err(failure) => tracing::debug!("{}", failure.reason),
        }
        keeper
    }

    /// Orders what is due, until `shutdown`.
    pub async fn run(mut self, shutdown: Shutdown) {
        let keeping = async {
            loop {
                let wait = self.attend().await;
                tokio::time::sleep(wait).await;
            }
        };
        tokio::select! {
            () = shutdown.requested() => {}
            () = keeping => {}
        }
    }

    /// Does what is to be done now; how long nothing is.
    async fn attend(&mut self) -> Duration {
        let attempt = if self.is_due() { self.replace().await } else { self.save().map(|()| Attempt::Done) };
        match attempt {
            Ok(Attempt::Done) => {
                (self.failures, self.last_failure) = (0, None);
                schedule::LOOK
            }
            Ok(Attempt::NotYet(wait)) => {
                tracing::info!(
                    "no more certificates are ordered within the hour; the next one in {} s",
                    wait.as_secs()
                );
                wait
            }
            Err(failure) => self.after(failure),
        }
    }

    /// Orders a certificate and uses it.
    async fn replace(&mut self) -> Result<Attempt, Failure> {
        let (storage, now) = (self.storage()?, self.now());
        let mut orders = schedule::within_hour(&storage.orders().map_err(Failure::storage)?, now);
        if let Some(wait) = schedule::wait_for_turn(&orders, now) {
            return Ok(Attempt::NotYet(wait));
        }
        // Also to see that the folder can be written, before the authority makes what would be lost.
        storage.keep_orders(&orders).map_err(Failure::storage)?;
        let account = self.account(&storage).await?;
        orders.push(now);
        storage.keep_orders(&orders).map_err(Failure::storage)?;
        let ordering = order::order(&account, &self.config.domains, &self.certificates);
        let outcome = tokio::time::timeout(LONGEST_ORDER, ordering).await;
        // An order that was given up has left them.
        self.certificates.set_challenges(HashMap::new());
        let pem = outcome.unwrap_or_else(|_| Err(Failure::internal(&"the authority took too long")))?;
        self.hold(Held::parse(&pem).map_err(|reason| Failure::internal(&reason))?);
        tracing::info!("a certificate for {} was issued, and is in use", self.config.domains.join(", "));
        self.unsaved = Some(pem);
        self.save().map(|()| Attempt::Done)
    }

    /// The account: made once, and kept.
    async fn account(&self, storage: &Storage) -> Result<Account, Failure> {
        let client = Client::new(self.extra_roots.as_deref()).map_err(Failure::roots)?;
        let builder = Account::builder_with_http(Box::new(client));
        if let Some(known) = storage.account().map_err(Failure::storage)? {
            return Ok(builder.from_credentials(known).await?);
        }
        let contact: Vec<&str> = self.config.contact.as_deref().into_iter().collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder.create(&new, self.config.directory.to_string(), None).await?;
        storage.keep_account(&credentials).map_err(Failure::storage)?;
        Ok(account)
    }

    fn save(&mut self) -> Result<(), Failure> {
        let Some(pem) = &self.unsaved else { return Ok(()) };
        self.storage()?.keep_certificate(pem).map_err(Failure::storage)?;
        self.unsaved = None;
        Ok(())
    }

    /// Tells it once as long as it stays the same; the wait until the next attempt.
    fn after(&mut self, failure: Failure) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let wait = schedule::back_off(self.failures);
        let wait = match failure.kind {
            Kind::Passing => wait,
            Kind::TooMany => wait.max(PEACE),
            Kind::NoAccount => self.forget_account(wait),
        };
        if self.last_failure.as_ref() != Some(&failure) {
            let until = match &self.held {
                Some(_) => "until then the present certificate stays in use",
                None => "until then no TLS comes about for these names, unless a certificate file is for them",
            };
            let (names, Failure { reason, advice, .. }) = (self.config.domains.join(", "), &failure);
            let wait = wait.as_secs();
            tracing::error!("ACME for {names}: {reason}; {advice}; next attempt in {wait} s; {until}");
        }
        self.last_failure = Some(failure);
        wait
    }

    /// Makes room for another account, at once unless that was of no use just now.
    fn forget_account(&self, wait: Duration) -> Duration {
        match self.storage().and_then(|storage| storage.forget_account().map_err(Failure::storage)) {
            Ok(()) if self.failures == 1 => Duration::ZERO,
            Ok(()) => wait,
            Err(Failure { reason, .. }) => {
                tracing::error!("{reason}");
                wait
            }
        }
    }

    fn hold(&mut self, held: Held) {
        self.certificates.set(vec![held.key.clone()]);
        self.held = Some(held);
    }

    fn is_due(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.is_due(&self.config.domains, self.now()))
    }

    fn storage(&self) -> Result<Storage, Failure> {
        Storage::open(&self.config.storage, &self.config.directory).map_err(Failure::storage)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.unix_seconds()).unwrap_or(0)
    }
}
