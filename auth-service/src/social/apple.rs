//! Apple's client secret: no password but a short token that we sign.

use std::time::Duration;

use auth_token::{Algorithm, KeyError, SigningKey};
use serde::Serialize;

use crate::db::Ts;

/// How long a client secret is good for: it is made for one call.
const LIFE: Duration = Duration::from_mins(5);

/// A key for Sign in with Apple.
pub struct AppleKey {
    team_id: String,
    key_id: String,
    key: SigningKey,
}

#[derive(Serialize)]
struct ClientSecret<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
    aud: &'a str,
    sub: &'a str,
}

impl AppleKey {
    /// Reads the key that Apple made for this team under this id: a private key on P-256, in PEM.
    ///
    /// # Errors
    /// [`KeyError`]: what is wrong with the PEM.
    pub fn from_pem(team_id: &str, key_id: &str, pem: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_pem(Algorithm::Es256, pem)?;
        Ok(Self { team_id: team_id.to_owned(), key_id: key_id.to_owned(), key })
    }

    /// The client secret for one call of this client to `issuer`, Apple's.
    ///
    /// # Errors
    /// [`KeyError::Crypto`].
    pub fn client_secret(&self, issuer: &str, client_id: &str, now: Ts) -> Result<String, KeyError> {
        let claims = ClientSecret {
            iss: &self.team_id,
            iat: now.as_seconds(),
            exp: now.plus(LIFE).as_seconds(),
            aud: issuer,
            sub: client_id,
        };
        self.key.sign_as(&self.key_id, "JWT", &claims)
    }
}
