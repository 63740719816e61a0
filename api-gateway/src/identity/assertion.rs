//! A signed word to upstreams: this request came through the gateway, and this is who calls.

use std::path::Path;
use std::sync::Arc;

use auth_token::{Algorithm, KeyError, KeySet, SigningKey};
use http::{HeaderName, HeaderValue};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use serde::Serialize;
use uuid::Uuid;

use super::caller::Caller;

/// The header that carries it.
pub const HEADER: HeaderName = HeaderName::from_static("x-gateway-assertion");
/// `typ`: nobody who looks takes it for an access token.
const TYPE: &str = "gateway+jwt";
const ISSUER: &str = "api-gateway";
/// Life of an assertion, seconds.
const LIFE: i64 = 60;
/// How long one is given out again, so that whoever gets it has the rest of its life to look at it.
const REUSED_FOR: i64 = 30;
/// Callers by upstreams that are remembered, about 1 KiB each.
const CAPACITY: usize = 10_000;

/// Signs assertions.
pub struct Assertion {
    key: SigningKey,
    jwks: String,
    signed: Cache<Key, Signed>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'static str,
    aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
    roles: &'a [String],
    permissions: &'a [String],
    auth_method: &'static str,
    iat: i64,
    exp: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Nobody,
    Token(Uuid),
    ApiKey(Uuid),
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    who: Who,
    upstream: Box<str>,
}

/// A [`Key`] to look up by.
#[derive(Hash)]
struct KeyRef<'a> {
    who: Who,
    upstream: &'a str,
}

#[derive(Clone)]
struct Signed {
    /// Exactly whom it speaks of: what a key may do changes while its id stays.
    caller: Option<Caller>,
    at: i64,
    value: HeaderValue,
}

impl Assertion {
    /// Signs by the private key of this PEM file: Ed25519 or P-256, which are quick to sign by.
    ///
    /// # Errors
    /// One sentence: what is wrong with the file.
    pub fn from_pem_file(path: &Path) -> Result<Self, String> {
        let at = |cause: &dyn std::fmt::Display| format!("{}: {cause}", path.display());
        let pem = std::fs::read_to_string(path).map_err(|cause| at(&cause))?;
        let mut key = SigningKey::from_pem(Algorithm::EdDsa, &pem);
        if let Err(KeyError::Mismatch { .. }) = key {
            key = SigningKey::from_pem(Algorithm::Es256, &pem);
        }
        if let Err(KeyError::Mismatch { found, .. }) = key {
            return Err(at(&format!("give an Ed25519 or P-256 key; this one is of type {found}")));
        }
        let key = key.map_err(|cause| at(&cause))?;
        let jwks = KeySet::new(vec![key.verification_key()]).jwks_json().to_owned();
        Ok(Self { key, jwks, signed: Cache::new(CAPACITY) })
    }

    /// The public key as a JWK set, for upstreams to verify by.
    #[must_use]
    pub fn jwks_json(&self) -> &str {
        &self.jwks
    }

    /// What `upstream` is told at `now`, Unix seconds, of `caller`, or of nobody. Should it be impossible to sign, the
    /// value is empty, and whoever looks at it refuses the request.
    #[must_use]
    pub fn header(&self, caller: Option<&Caller>, upstream: &str, now: i64) -> HeaderValue {
        let who = Who::of(caller);
        if let Some(signed) = self.signed.get(&KeyRef { who, upstream })
            && (signed.at..signed.at + REUSED_FOR).contains(&now)
            && is_same(signed.caller.as_ref(), caller)
        {
            return signed.value;
        }
        let value = self.sign(caller, upstream, now).unwrap_or_else(|cause| {
            tracing::error!(%cause, "the gateway's assertion cannot be signed");
            HeaderValue::from_static("")
        });
        let signed = Signed { caller: caller.cloned(), at: now, value: value.clone() };
        self.signed.insert(Key { who, upstream: upstream.into() }, signed);
        value
    }

    fn sign(&self, caller: Option<&Caller>, upstream: &str, now: i64) -> Result<HeaderValue, KeyError> {
        let claims = Claims {
            iss: ISSUER,
            aud: upstream,
            sub: caller.map(Caller::user_id),
            sid: caller.and_then(Caller::session_id),
            roles: caller.map(Caller::roles).unwrap_or_default(),
            permissions: caller.map(Caller::permissions).unwrap_or_default(),
            auth_method: caller.map_or("none", Caller::auth_method),
            iat: now,
            exp: now.saturating_add(LIFE),
        };
        let token = self.key.sign_other(TYPE, &claims)?;
        HeaderValue::try_from(token).map_err(|_| KeyError::Crypto)
    }
}

impl Who {
    fn of(caller: Option<&Caller>) -> Self {
        match caller {
            None => Self::Nobody,
            Some(Caller::Session(token)) => Self::Token(token.claims.jti),
            Some(Caller::ApiKey(grant)) => Self::ApiKey(grant.key_id),
        }
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.who == key.who && *self.upstream == *key.upstream
    }
}

fn is_same(one: Option<&Caller>, other: Option<&Caller>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(Caller::Session(one)), Some(Caller::Session(other))) => Arc::ptr_eq(one, other),
        (Some(Caller::ApiKey(one)), Some(Caller::ApiKey(other))) => Arc::ptr_eq(one, other),
        (Some(_), Some(_) | None) | (None, Some(_)) => false,
    }
}
