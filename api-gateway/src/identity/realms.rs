//! Realms: one verifier for each pair of issuer and audience, all by the same keys.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use auth_token::{KeySet, TokenError, VerifiedToken, Verifier};

use super::Realm;

/// Verified tokens that a realm remembers: about 1 KiB each.
const REMEMBERED_TOKENS: usize = 10_000;

/// The verifiers by [`Realm`]; none is ever taken away.
pub(super) struct Realms {
    verifiers: ArcSwap<Vec<Arc<Verifier>>>,
    /// What a new verifier begins with; held while anything is changed, so that none misses a change of the keys.
    keys: Mutex<KeySet>,
    has_keys: AtomicBool,
}

impl Realms {
    /// The one realm of this issuer and audience.
    pub(super) fn new(issuer: &str, audience: &str, keys: KeySet) -> Self {
        let has_keys = AtomicBool::new(!keys.keys().is_empty());
        let first = Arc::new(verifier(issuer, audience, &keys));
        Self { verifiers: ArcSwap::from_pointee(vec![first]), keys: Mutex::new(keys), has_keys }
    }

    /// The realm of this pair, made if there is none; without one of both, that of the first realm.
    pub(super) fn get_or_add(&self, issuer: Option<&str>, audience: Option<&str>) -> Realm {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let verifiers = self.verifiers.load_full();
        let first = verifiers.first();
        let issuer = issuer.or(first.map(|first| first.issuer())).unwrap_or_default();
        let audience = audience.or(first.map(|first| first.audience())).unwrap_or_default();
        let is_known = |known: &Arc<Verifier>| known.issuer() == issuer && known.audience() == audience;
        if let Some(index) = verifiers.iter().position(is_known) {
            return Realm(index);
        }
        let added = Arc::new(verifier(issuer, audience, &keys));
        self.verifiers.store(Arc::new(verifiers.iter().cloned().chain([added]).collect()));
        Realm(verifiers.len())
    }

    /// Verifies a token of a realm at `now`, Unix seconds.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub(super) fn verify(&self, realm: Realm, token: &str, now: i64) -> Result<Arc<VerifiedToken>, TokenError> {
        // Only looked at, not cloned: to count who holds it would be to write where all threads do, at each request.
        match self.verifiers.load().get(realm.0) {
            Some(verifier) => verifier.verify(token, now),
            None => Err(TokenError::Malformed("of no realm")),
        }
    }

    /// Verifies by these keys from now on, in every realm.
    pub(super) fn replace_keys(&self, new: KeySet) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        for verifier in self.verifiers.load().iter() {
            verifier.replace_keys(new.clone());
        }
        self.has_keys.store(!new.keys().is_empty(), Ordering::Release);
        *keys = new;
    }

    /// Whether there are keys at all.
    pub(super) fn has_keys(&self) -> bool {
        self.has_keys.load(Ordering::Acquire)
    }
}

fn verifier(issuer: &str, audience: &str, keys: &KeySet) -> Verifier {
    Verifier::new(issuer.to_owned(), audience.to_owned(), keys.clone(), REMEMBERED_TOKENS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_token::{Algorithm, RsaBits, SigningKey};

    fn set() -> KeySet {
        KeySet::new(vec![SigningKey::generate(Algorithm::EdDsa, RsaBits::default()).unwrap().verification_key()])
    }

    #[test]
    fn the_same_pair_is_the_same_realm() {
        let realms = Realms::new("issuer", "audience", set());
        let first = realms.get_or_add(None, None);
        let other = realms.get_or_add(None, Some("orders"));
        assert_eq!(first, realms.get_or_add(Some("issuer"), Some("audience")));
        assert_ne!(first, other);
        assert_eq!(other, realms.get_or_add(Some("issuer"), Some("orders")));
        assert_ne!(other, realms.get_or_add(Some("partner"), Some("orders")));
        let verifier = Arc::clone(&realms.verifiers.load()[other.0]);
        assert_eq!((verifier.issuer(), verifier.audience()), ("issuer", "orders"));
    }

    #[test]
    fn all_realms_verify_by_the_same_keys_whenever_they_were_added() {
        let realms = Realms::new("issuer", "audience", KeySet::new(Vec::new()));
        let before = realms.get_or_add(None, Some("before"));
        assert!(!realms.has_keys());
        let keys = set();
        realms.replace_keys(keys.clone());
        let after = realms.get_or_add(None, Some("after"));
        for realm in [realms.get_or_add(None, None), before, after] {
            assert_eq!(realms.verifiers.load()[realm.0].keys().jwks_json(), keys.jwks_json());
        }
        assert!(realms.has_keys());
    }
}
