//! Whose turn it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

use crate::upstream::config::Balance;
use crate::upstream::ejection::{Company, Kind};
use crate::upstream::endpoint::Endpoint;

/// Chooses among addresses.
pub(super) struct Balancer {
    balance: Balance,
    ticket: AtomicUsize,
}

impl Balancer {
    pub fn new(balance: Balance) -> Self {
        Self { balance, ticket: AtomicUsize::new(0) }
    }

    /// An address for a request, other than those that were tried; none if none is usable. An address whose trial is
    /// due comes first.
    pub fn pick(&self, all: &[Arc<Endpoint>], tried: &[Arc<Endpoint>], now: Instant) -> Option<(Arc<Endpoint>, Kind)> {
        let untried = |endpoint: &&Arc<Endpoint>| !tried.iter().any(|tried| Arc::ptr_eq(tried, endpoint));
        for endpoint in all.iter().filter(untried) {
            if let Some(trial) = endpoint.take_trial(Company::Usable, now) {
                return Some((Arc::clone(endpoint), trial));
            }
        }
        let usable = |endpoint: &&Arc<Endpoint>| endpoint.is_usable(now) && untried(endpoint);
        let chosen = match self.balance {
            Balance::RoundRobin => self.next(all, usable, now),
            Balance::LeastLoaded => self.least_loaded(all, usable, now),
        };
        // All that are usable have just come: a small share of nothing else is everything.
        let chosen = chosen.or_else(|| self.rotated(all).find(usable));
        match chosen {
            Some(endpoint) => Some((Arc::clone(endpoint), Kind::Ordinary)),
            None if all.iter().any(|endpoint| endpoint.is_usable(now)) => None,
            // Those that were left alone when others could take over need not be waited for as long now.
            None => all.iter().filter(untried).find_map(|endpoint| {
                let trial = endpoint.take_trial(Company::Alone, now)?;
                Some((Arc::clone(endpoint), trial))
            }),
        }
    }

    /// Who cannot, or lets its turn pass, costs a ticket of its own, so that its neighbour gets no more than others.
    fn next<'a>(
        &self,
        all: &'a [Arc<Endpoint>],
        usable: impl Fn(&&'a Arc<Endpoint>) -> bool,
        now: Instant,
    ) -> Option<&'a Arc<Endpoint>> {
        if let [only] = all {
            return Some(only).filter(usable);
        }
        (0..2 * all.len())
            .filter_map(|_| all.get(self.take_ticket() % all.len()))
            .find(|endpoint| usable(endpoint) && endpoint.ramp.takes_turn(now))
    }

    /// Who just came takes part only when its turn comes round, and then before its equals.
    fn least_loaded<'a>(
        &self,
        all: &'a [Arc<Endpoint>],
        usable: impl Fn(&&'a Arc<Endpoint>) -> bool,
        now: Instant,
    ) -> Option<&'a Arc<Endpoint>> {
        let takes_part = |(position, endpoint): &(usize, &'a Arc<Endpoint>)| {
            usable(endpoint) && (endpoint.ramp.is_over(now) || *position == 0 && endpoint.ramp.takes_turn(now))
        };
        let candidates = self.rotated(all).enumerate().filter(takes_part);
        candidates.map(|(_, endpoint)| endpoint).min_by_key(|endpoint| endpoint.in_progress())
    }

    fn rotated<'a>(&self, all: &'a [Arc<Endpoint>]) -> impl Iterator<Item = &'a Arc<Endpoint>> {
        let (before, after) = all.split_at(self.take_ticket() % all.len().max(1));
        after.iter().chain(before)
    }

    fn take_ticket(&self) -> usize {
        self.ticket.fetch_add(1, Ordering::Relaxed)
    }
}
