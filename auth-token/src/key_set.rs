//! The keys that verify, by id, and the same as a JWK set.

use serde::{Deserialize, Serialize};

use crate::{Jwk, VerificationKey};

/// An immutable set of keys.
#[derive(Clone, Debug)]
pub struct KeySet {
    /// A handful: comparing them in turn is faster than hashing an id.
    keys: Vec<VerificationKey>,
    jwks: String,
}

/// The JSON of a set (RFC 7517 section 5).
#[derive(Serialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

impl KeySet {
    /// The set of these keys; of several with one id, the first.
    #[must_use]
    pub fn new(keys: Vec<VerificationKey>) -> Self {
        let set = JwkSet { keys: keys.iter().filter_map(VerificationKey::to_jwk).collect() };
        // Strings and lists always make JSON.
        let jwks = serde_json::to_string(&set).unwrap_or_default();
        Self { keys, jwks }
    }

    /// Reads a JWK set. Keys of types or for uses unknown to us are left out (RFC 7517 section 5).
    ///
    /// # Errors
    /// When it is no JWK set at all.
    pub fn from_jwks_json(json: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Foreign {
            keys: Vec<serde_json::Value>,
        }
        let foreign: Foreign = serde_json::from_str(json)?;
        let jwks = foreign.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(Self::new(jwks.filter_map(|jwk| VerificationKey::from_jwk(&jwk).ok()).collect()))
    }

    /// The key with this id.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&VerificationKey> {
        self.keys.iter().find(|key| key.kid() == kid)
    }

    /// The keys, in the order in which they were given.
    #[must_use]
    pub fn keys(&self) -> &[VerificationKey] {
        &self.keys
    }

    /// The public keys as a JWK set, made once; `{"keys":[]}` under HS256.
    #[must_use]
    pub fn jwks_json(&self) -> &str {
        &self.jwks
    }
}
