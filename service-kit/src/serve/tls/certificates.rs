//! The certificates in use: one for each name, replaced while connections go on.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::Notify;

use super::files::{CertificateFiles, Stamp, names};
use super::validity::Validity;
use crate::shutdown::Shutdown;

/// By ALPN, an authority that wants to see the certificate of a challenge and no other (RFC 8737).
pub(super) const ACME_TLS: &[u8] = b"acme-tls/1";

/// Whoever renews a certificate wants to see it served, and asking for the state of a few files costs microseconds.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Certificates from files and from elsewhere, such as ACME; clones are the same set.
#[derive(Clone)]
pub struct Certificates(Arc<Inner>);

struct Inner {
    files: Vec<CertificateFiles>,
    sources: Mutex<Sources>,
    /// Read at every handshake.
    table: ArcSwap<Table>,
    /// Asked for by authorities only.
    challenges: ArcSwap<HashMap<String, Arc<CertifiedKey>>>,
    wanted: Notify,
}

#[derive(Default)]
struct Sources {
    of_files: Vec<Arc<CertifiedKey>>,
    added: Vec<Arc<CertifiedKey>>,
    /// The files' state when they were last read, well or badly.
    stamps: Vec<[Stamp; 2]>,
}

#[derive(Default)]
struct Table {
    by_name: HashMap<String, Arc<CertifiedKey>>,
    first: Option<Arc<CertifiedKey>>,
}

impl Certificates {
    /// Reads the files; the first is served to whoever asks for no name or an unknown one.
    ///
    /// # Errors
    /// A sentence for the operator that names the file and what to do. An expired certificate is no error but a warning.
    pub fn load(files: &[CertificateFiles]) -> Result<Self, String> {
        let certificates = Self(Arc::new(Inner {
            files: files.to_vec(),
            sources: Mutex::default(),
            table: ArcSwap::default(),
            challenges: ArcSwap::default(),
            wanted: Notify::new(),
        }));
        certificates.reload()?;
        Ok(certificates)
    }

    /// Reads the files again.
    ///
    /// # Errors
    /// As [`Certificates::load`]; all certificates then stay as they were.
    pub fn reload(&self) -> Result<(), String> {
        let mut sources = self.sources();
        // Before they are read: a file that changes meanwhile is read once more.
        sources.stamps = self.stamps();
        let provider = default_provider();
        let keys = self.0.files.iter().map(|files| files.read(&provider).map(Arc::new));
        sources.of_files = keys.collect::<Result<_, _>>()?;
        self.0.table.store(Arc::new(Table::of(&sources)));
        Ok(())
    }

    /// Replaces the certificates that come from no file. Files go before them where both are for the same name.
    pub fn set(&self, keys: Vec<CertifiedKey>) {
        let mut sources = self.sources();
        sources.added = keys.into_iter().map(Arc::new).collect();
        self.0.table.store(Arc::new(Table::of(&sources)));
    }

    /// Replaces what is shown, by lower-case name, to an authority that asks for proof that a name is ours (RFC 8737); to
    /// nobody else. The names are given because such certificates are unreadable on purpose: they name a critical
    /// extension that only authorities know.
    pub fn set_challenges(&self, keys: HashMap<String, Arc<CertifiedKey>>) {
        self.0.challenges.store(Arc::new(keys));
    }

    /// Each certificate in use by its first name, with its time.
    #[must_use]
    pub fn validities(&self) -> Vec<(String, Validity)> {
        let sources = self.sources();
        let keys = sources.of_files.iter().chain(&sources.added);
        keys.filter_map(|key| Some((names(key).into_iter().next()?, Validity::of(key.cert.first()?)?))).collect()
    }

    /// Has [`Certificates::watch`] read the files now, changed or not.
    pub fn request_reload(&self) {
        self.0.wanted.notify_one();
    }

    /// Reads the files again whenever one changes, until `shutdown`. What is broken is logged and not served.
    pub async fn watch(self, shutdown: Shutdown) {
        loop {
            let wanted = tokio::select! {
                () = shutdown.requested() => return,
                () = self.0.wanted.notified() => true,
                () = tokio::time::sleep(WATCH_EVERY) => false,
            };
            let own = self.clone();
            // A file system may take its time. A task that panicked has logged it, and the next one may fare better.
            let _ = tokio::task::spawn_blocking(move || own.reload_if(wanted)).await;
        }
    }

    fn reload_if(&self, wanted: bool) {
        let stamps = self.stamps();
        if !wanted && stamps == self.sources().stamps {
            return;
        }
        match self.reload() {
            Ok(()) => tracing::info!("certificates read again"),
            Err(reason) => tracing::error!("{reason}; until then the certificates stay as they were"),
        }
    }

    fn stamps(&self) -> Vec<[Stamp; 2]> {
        self.0.files.iter().map(CertificateFiles::stamps).collect()
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.0.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn of(sources: &Sources) -> Self {
        let mut table = Self::default();
        for key in sources.of_files.iter().chain(&sources.added) {
            for name in names(key) {
                table.by_name.entry(name).or_insert_with(|| Arc::clone(key));
            }
            table.first.get_or_insert_with(|| Arc::clone(key));
        }
        table
    }

    /// The certificate for the name itself, else for its siblings, else the first.
    fn find(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let name = name.unwrap_or_default().to_ascii_lowercase();
        let siblings = || self.by_name.get(&format!("*.{}", name.split_once('.')?.1));
        self.by_name.get(&name).or_else(siblings).or(self.first.as_ref()).cloned()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut protocols| protocols.any(|protocol| protocol == ACME_TLS)) {
            let name = hello.server_name()?.to_ascii_lowercase();
            return self.0.challenges.load().get(&name).cloned();
        }
        self.0.table.load().find(hello.server_name())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("files", &self.0.files).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
