//! Shows how old the revocations are, and lets go of those that no living token can be touched by.

use std::sync::Arc;
use std::time::Duration;

use auth_token::RevocationView;
use service_kit::clock::Clock;
use tokio::time::{Instant, MissedTickBehavior, interval};

const EVERY: Duration = Duration::from_secs(1);
/// Rounds between two purges.
const PURGE_EVERY: u32 = 60;
/// What the gauge shows while nothing is known: less than any age.
const UNKNOWN: f64 = -1.0;

/// Looks at `view` every second for as long as the gateway lives.
pub(super) async fn run(view: Arc<RevocationView>, clock: Clock) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in (0..PURGE_EVERY).cycle() {
        ticks.tick().await;
        if round == 0 {
            view.purge(clock.now().as_microsecond());
        }
        let staleness = view.staleness(Instant::now().into_std());
        let seconds = staleness.map_or(UNKNOWN, |age| age.as_secs_f64());
        metrics::gauge!("gateway_revocation_staleness_seconds").set(seconds);
        metrics::gauge!("gateway_revocations_live").set(view.len() as f64);
    }
}
