//! Whether somebody who was let in still may be there: for what outlives the request that began it.

use std::sync::Arc;
use std::time::Instant;

use service_kit::clock::Clock;

use crate::identity::{Caller, Freshness, Identity, Stale};

/// A caller of a WebSocket, or of an answer without an end.
pub(crate) struct Welcome {
    pub(crate) identity: Arc<Identity>,
    pub(crate) clock: Clock,
    pub(crate) caller: Caller,
    /// What the route does while the revocations are stale.
    pub(crate) stale: Stale,
}

impl Welcome {
    /// Whether the session, account or key is neither revoked nor over. A token's own end is none: the session goes on.
    pub(crate) fn holds(&self) -> bool {
        let is_over = match &self.caller {
            Caller::Session(_) => false,
            Caller::ApiKey(grant) => grant.expires_at <= self.clock.unix_seconds(),
        };
        !is_over && self.is_known() && self.identity.is_still_valid(&self.caller)
    }

    fn is_known(&self) -> bool {
        match self.stale {
            Stale::Allow => true,
            Stale::Deny => matches!(self.identity.freshness(Instant::now()), Freshness::Current(_)),
        }
    }
}
