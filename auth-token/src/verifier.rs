//! Verifies access tokens (RFC 9068 section 4) and remembers the good ones.

use std::sync::{Arc, OnceLock, atomic::AtomicU64};

use arc_swap::ArcSwap;
use quick_cache::sync::Cache;

use crate::{
    AccessClaims, KeySet, TokenError, VerifiedToken,
    claims::is_for,
    jwk::sha256,
    jws::{Compact, parse_object},
};

/// The longest token that is looked at, bytes.
const LONGEST: usize = 8 * 1024;
/// How far clocks may differ, seconds.
const LEEWAY: i64 = 30;

/// Verifies tokens of one issuer for one audience. A token that was found good is known again by its SHA-256 for as
/// long as it and its key live, so that its signature is verified once; bad tokens are never remembered, or strangers
/// could fill the memory with them.
pub struct Verifier {
    issuer: String,
    audience: String,
    keys: ArcSwap<KeySet>,
    remembered: Cache<[u8; 32], Arc<VerifiedToken>>,
}

impl Verifier {
    /// A verifier that remembers at most `capacity` tokens.
    #[must_use]
    pub fn new(issuer: String, audience: String, keys: KeySet, capacity: usize) -> Self {
        Self { issuer, audience, keys: ArcSwap::from_pointee(keys), remembered: Cache::new(capacity) }
    }

    /// The `iss` that tokens must have.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The `aud` that tokens must have.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The keys in use.
    #[must_use]
    pub fn keys(&self) -> Arc<KeySet> {
        self.keys.load_full()
    }

    /// Verifies by these keys from now on; tokens of a key that is not among them are refused, remembered or not.
    pub fn replace_keys(&self, keys: KeySet) {
        self.keys.store(Arc::new(keys));
    }

    /// Verifies a token at `now`, Unix seconds. Whether it was revoked is another question: see
    /// [`RevocationView::check`](crate::RevocationView::check).
    ///
    /// # Errors
    /// [`TokenError`]: why it is refused.
    pub fn verify(&self, token: &str, now: i64) -> Result<Arc<VerifiedToken>, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::Malformed("longer than 8 KiB"));
        }
        let digest = sha256(token);
        let keys = self.keys.load();
        if let Some(known) = self.remembered.get(&digest) {
            if keys.find(&known.kid).is_some_and(|key| *key.thumbprint() == known.thumbprint) {
                check_times(&known.claims, now).inspect_err(|_| drop(self.remembered.remove(&digest)))?;
                return Ok(known);
            }
            self.remembered.remove(&digest);
        }
        let verified = Arc::new(self.verify_anew(token, &keys, now)?);
        self.remembered.insert(digest, Arc::clone(&verified));
        Ok(verified)
    }

    fn verify_anew(&self, token: &str, keys: &KeySet, now: i64) -> Result<VerifiedToken, TokenError> {
        let token = Compact::parse(token)?;
        let header = token.header()?;
        let key = keys.find(&header.kid).ok_or_else(|| TokenError::UnknownKey(header.kid.clone()))?;
        // The key decides; a header that says otherwise is an attack (RFC 8725 section 3.1).
        if header.alg != key.algorithm().as_str() {
            return Err(TokenError::Algorithm(key.algorithm()));
        }
        key.verify(token.signed.as_bytes(), &token.signature()?)?;
        // A good signature is not enough: the same key may sign other kinds of token (RFC 8725 section 3.11).
        if !header.is_access_token() {
            return Err(TokenError::Type);
        }
        let claims = self.check_claims(&token.claims()?, now)?;
        let (kid, thumbprint) = (key.shared_kid(), *key.thumbprint());
        Ok(VerifiedToken { claims, kid, thumbprint, derived: OnceLock::new(), cleared: AtomicU64::new(0) })
    }

    fn check_claims(&self, json: &[u8], now: i64) -> Result<AccessClaims, TokenError> {
        let mut claims: AccessClaims = parse_object(json).map_err(|cause| TokenError::Claims(cause.to_string()))?;
        if claims.iss != self.issuer {
            return Err(TokenError::Issuer(claims.iss));
        }
        if claims.aud != self.audience {
            if !is_for(json, &self.audience) {
                return Err(TokenError::Audience(claims.aud));
            }
            claims.aud.clone_from(&self.audience);
        }
        check_times(&claims, now)?;
        Ok(claims)
    }
}

fn check_times(claims: &AccessClaims, now: i64) -> Result<(), TokenError> {
    if now >= claims.exp.saturating_add(LEEWAY) {
        return Err(TokenError::Expired);
    }
    if now < claims.iat.saturating_sub(LEEWAY) {
        return Err(TokenError::IssuedInFuture);
    }
    Ok(())
}
