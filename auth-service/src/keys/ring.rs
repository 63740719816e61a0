//! The keys in use: one signs, several verify.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use auth_token::{Algorithm, KeySet, SigningKey, VerificationKey, Verifier};
use axum::body::Bytes;

use super::{KeyConfig, SecretsKey, store::KeyRow};
use crate::db::Ts;

/// How long others may remember our key set; so long a key is published before it signs.
pub const JWKS_LIFE: Duration = Duration::from_secs(300);
/// Verified tokens that are remembered: about 1 KiB each.
const REMEMBERED_TOKENS: usize = 10_000;
/// How much longer than its last token a key verifies: leeway, clocks that differ, and uses not yet noted.
const MARGIN: Duration = Duration::from_secs(120);

/// The keys of an instance.
pub struct KeyRing {
    /// Verifies access tokens.
    pub verifier: Verifier,
    configured: Arc<SigningKey>,
    current: ArcSwap<Current>,
    secrets_key: Option<Arc<SecretsKey>>,
    token_life: Duration,
}

struct Current {
    signing: Arc<SigningKey>,
    jwks: Bytes,
    basis: Basis,
}

/// What a set was made from, so that it is only made again when something changed.
#[derive(Default, PartialEq, Eq)]
struct Basis {
    /// The keys that verify.
    live: Vec<String>,
    /// How many keys may sign by now.
    due: usize,
}

impl KeyRing {
    /// A ring of the configured key alone.
    #[must_use]
    pub fn new(config: &KeyConfig, key: SigningKey, token_life: Duration) -> Self {
        let configured = Arc::new(key);
        let set = KeySet::new(vec![configured.verification_key()]);
        let current = Current { signing: Arc::clone(&configured), jwks: jwks(&set), basis: Basis::default() };
        Self {
            verifier: Verifier::new(config.issuer.clone(), config.audience.clone(), set, REMEMBERED_TOKENS),
            configured,
            current: ArcSwap::from_pointee(current),
            secrets_key: config.secrets_key.clone(),
            token_life,
        }
    }

    /// The key that signs now.
    #[must_use]
    pub fn signing_key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.current.load().signing)
    }

    /// The public keys as a JWK set (RFC 7517 section 5); empty under HS256.
    #[must_use]
    pub fn jwks(&self) -> Bytes {
        self.current.load().jwks.clone()
    }

    pub(super) fn configured_kid(&self) -> &str {
        self.configured.kid()
    }

    /// The configured key as the other instances read it.
    pub(super) fn configured_row(&self, now: Ts) -> KeyRow {
        KeyRow {
            kid: self.configured.kid().to_owned(),
            algorithm: self.configured.algorithm().to_string(),
            public_key: self.configured.public_pem(),
            sealed_private: None,
            created_at: now,
            signs_from: now,
            last_used_at: now,
            withdrawn_at: None,
        }
    }

    /// Takes in what the database holds.
    pub(super) fn replace(&self, rows: &[KeyRow], now: Ts) {
        let current = self.current.load();
        let valid: Vec<&KeyRow> = rows.iter().filter(|row| row.withdrawn_at.is_none()).collect();
        let live = valid.iter().filter(|row| still_verifies(row, now, self.token_life));
        let due = valid.iter().filter(|row| row.signs_from <= now);
        let basis = Basis { live: live.map(|row| row.kid.clone()).collect(), due: due.clone().count() };
        if current.basis == basis {
            return;
        }
        let signing = due.rev().find_map(|row| self.private_key(row)).unwrap_or_else(|| Arc::clone(&self.configured));
        let mut keys: Vec<VerificationKey> = valid
            .iter()
            .filter(|row| row.kid != signing.kid() && basis.live.contains(&row.kid))
            .filter_map(|row| self.verification_key(row))
            .collect();
        // Others learn half a second later that it is in use again; a withdrawn one has no use, whatever signs here.
        if valid.iter().any(|row| row.kid == signing.kid()) {
            keys.push(signing.verification_key());
        }
        tracing::info!(kid = signing.kid(), keys = keys.len(), "jwt signing keys loaded");
        let set = KeySet::new(keys);
        let jwks = jwks(&set);
        self.verifier.replace_keys(set);
        self.current.store(Arc::new(Current { signing, jwks, basis }));
    }

    /// The private half of a row, if this instance has it.
    fn private_key(&self, row: &KeyRow) -> Option<Arc<SigningKey>> {
        if row.kid == self.configured.kid() {
            return Some(Arc::clone(&self.configured));
        }
        if self.current.load().signing.kid() == row.kid {
            return Some(self.signing_key());
        }
        let sealed = row.sealed_private.as_ref()?;
        let opened = self.secrets_key.as_ref()?.open(&row.kid, sealed);
        let key = opened.ok().and_then(|secret| read_private(&row.algorithm, &secret));
        if key.is_none() {
            tracing::error!(
                kid = row.kid,
                "a jwt signing key cannot be opened: SECRETS_KEY is not the one that sealed it"
            );
        }
        key.map(Arc::new)
    }

    fn verification_key(&self, row: &KeyRow) -> Option<VerificationKey> {
        match &row.public_key {
            Some(pem) => VerificationKey::from_pem(row.algorithm.parse().ok()?, pem).ok(),
            None => self.private_key(row).map(|key| key.verification_key()),
        }
    }
}

/// Reads a private key as [`super::rotate`] seals it: PEM, or the bare secret of HS256.
fn read_private(algorithm: &str, secret: &[u8]) -> Option<SigningKey> {
    let algorithm = algorithm.parse().ok()?;
    if algorithm == Algorithm::Hs256 {
        return SigningKey::from_secret(secret).ok();
    }
    SigningKey::from_pem(algorithm, std::str::from_utf8(secret).ok()?).ok()
}

/// Whether tokens of this key may be about, or soon will be: it is published, or was in use so lately that its last token
/// has not expired.
pub(super) fn still_verifies(row: &KeyRow, now: Ts, token_life: Duration) -> bool {
    now < row.last_used_at.plus(token_life + MARGIN)
}

fn jwks(set: &KeySet) -> Bytes {
    Bytes::copy_from_slice(set.jwks_json().as_bytes())
}
