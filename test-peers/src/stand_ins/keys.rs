//! The key by which a stand-in signs ID tokens (OpenID Connect Core section 2), and what a test wants wrong in them.

use serde_json::{Map, Value, json};

use super::signer::TokenSigner;
use crate::PeerError;

/// One key, made when it is first needed, because RSA takes its time.
#[derive(Default)]
pub(crate) struct Keys {
    signer: Option<TokenSigner>,
    changes: Map<String, Value>,
}

impl Keys {
    pub(crate) fn signer(&mut self) -> Result<&TokenSigner, PeerError> {
        let signer = match self.signer.take() {
            Some(signer) => signer,
            None => TokenSigner::rs256()?,
        };
        Ok(self.signer.insert(signer))
    }

    /// The set of its public keys (RFC 7517 section 5).
    pub(crate) fn set(&mut self) -> Result<Value, PeerError> {
        Ok(json!({"keys": [self.signer()?.jwk()]}))
    }

    /// Forgets the key for another one.
    pub(crate) fn rotate(&mut self) {
        self.signer = None;
    }

    /// Puts these claims in place of those of later ID tokens; null leaves one out.
    pub(crate) fn change_claims(&mut self, changes: &Value) {
        self.changes = changes.as_object().cloned().unwrap_or_default();
    }

    /// Signs an ID token.
    pub(crate) fn sign_id_token(&mut self, mut claims: Value) -> Result<String, PeerError> {
        if let Some(claims) = claims.as_object_mut() {
            claims.extend(self.changes.clone());
            claims.retain(|_, value| !value.is_null());
        }
        self.signer()?.sign("JWT", &claims)
    }
}
