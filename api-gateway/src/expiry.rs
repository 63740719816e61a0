//! `gateway_certificate_expires_seconds`: how long certificates in use are still valid, wherever they come from.

use std::collections::HashSet;
use std::time::Duration;

use service_kit::clock::Clock;
use service_kit::serve::tls::Certificates;
use service_kit::shutdown::Shutdown;

/// Fine enough for what is counted in days, and shows a new certificate soon.
const EVERY: Duration = Duration::from_secs(15);

/// Tells when certificates expire.
pub struct Expiry {
    certificates: Certificates,
    clock: Clock,
    told: HashSet<String>,
}

impl Expiry {
    /// Of these certificates.
    pub fn new(certificates: Certificates, clock: Clock) -> Self {
        Self { certificates, clock, told: HashSet::new() }
    }

    /// Tells it again and again, until `shutdown`.
    pub async fn run(mut self, shutdown: Shutdown) {
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                _ = tick.tick() => self.tell(),
            }
        }
    }

    fn tell(&mut self) {
        let now = self.clock.unix_seconds();
        let mut gone = std::mem::take(&mut self.told);
        for (name, validity) in self.certificates.validities() {
            let left = i64::try_from(validity.until).unwrap_or(i64::MAX).saturating_sub(now);
            metrics::gauge!("gateway_certificate_expires_seconds", "name" => name.clone()).set(left as f64);
            gone.remove(&name);
            self.told.insert(name);
        }
        // A value that stands still would look like a certificate that is about to expire.
        for name in gone {
            metrics::gauge!("gateway_certificate_expires_seconds", "name" => name).set(f64::NAN);
        }
    }
}
