//! What was revoked a moment ago: an answer of the API that is older, or comes from a server that has not heard of it
//! yet, must not be remembered.

use std::collections::VecDeque;
use std::time::Duration;

use auth_token::{Revocation, RevocationKind};
use tokio::time::Instant;

use super::caller::KeyGrant;

/// How long a server of the API may take to hear of what another wrote, with all that it caches.
const SETTLING: Duration = Duration::from_secs(2);
/// Above this many, everything counts as revoked a moment ago.
const CAPACITY: usize = 4_096;

/// How far an answer can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nothing happened that it could have missed.
    Settled,
    /// It was asked for so shortly after something happened that it may not show yet.
    Unsettled,
    /// Something happened while it was on its way.
    Overtaken,
}

/// The last revocations that concern keys.
#[derive(Default)]
pub(super) struct Recent {
    revoked: VecDeque<(Instant, RevocationKind, String)>,
    /// When all of them may have changed.
    everything: Option<Instant>,
    /// How often anything was added.
    generation: u64,
}

impl Recent {
    /// This was revoked at `now`.
    pub(super) fn add(&mut self, revocation: &Revocation, now: Instant) {
        self.generation += 1;
        while self.revoked.front().is_some_and(|(at, ..)| *at + SETTLING < now) {
            self.revoked.pop_front();
        }
        if self.revoked.len() >= CAPACITY {
            self.revoked.clear();
            self.everything = Some(now);
        }
        self.revoked.push_back((now, revocation.kind, revocation.subject.clone()));
    }

    /// Anything may have been revoked until `now`.
    pub(super) fn add_everything(&mut self, now: Instant) {
        self.generation += 1;
        self.revoked.clear();
        self.everything = Some(now);
    }

    /// Changes with everything that is added.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// How far `grant`, asked for at `began`, can be trusted.
    pub(super) fn trust(&self, grant: &KeyGrant, began: Instant) -> Trust {
        let concerns = |kind: RevocationKind, subject: &str| match kind {
            RevocationKind::ApiKey => subject.parse() == Ok(grant.key_id),
            RevocationKind::User => subject.parse() == Ok(grant.user_id),
            RevocationKind::Role => grant.roles.iter().any(|role| role == subject),
            RevocationKind::Session | RevocationKind::Key | RevocationKind::Everyone => false,
        };
        let revoked = self.revoked.iter().rev().find(|(_, kind, subject)| concerns(*kind, subject));
        match revoked.map(|(at, ..)| *at).max(self.everything) {
            Some(at) if at >= began => Trust::Overtaken,
            Some(at) if at + SETTLING > began => Trust::Unsettled,
            Some(_) | None => Trust::Settled,
        }
    }
}
