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

#[cfg(test)]
mod tests {
    use auth_token::{ForeignType, KeySet, RsaBits, verify_foreign};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Ts = Ts::from_micros(1_760_000_000_000_000);

    #[test]
    fn the_client_secret_is_what_apple_asks_for() {
        let made = SigningKey::generate(Algorithm::Es256, RsaBits::default()).unwrap();
        let key = AppleKey::from_pem("TEAM123456", "KEY1234567", &made.to_pkcs8_pem().unwrap()).unwrap();
        let secret = key.client_secret("https://appleid.apple.com", "com.example.web", NOW).unwrap();
        let mut jwk = serde_json::to_value(made.verification_key().to_jwk()).unwrap();
        // Apple knows the key by the id that it gave it, and by no other.
        jwk["kid"] = json!("KEY1234567");
        let keys = KeySet::from_jwks_json(&json!({"keys": [jwk]}).to_string()).unwrap();
        let token = verify_foreign(&secret, &keys, ForeignType::Jwt).unwrap();
        assert_eq!(token.algorithm, Algorithm::Es256);
        assert_eq!(
            serde_json::from_slice::<Value>(&token.claims).unwrap(),
            json!({
                "iss": "TEAM123456",
                "iat": 1_760_000_000,
                "exp": 1_760_000_300,
                "aud": "https://appleid.apple.com",
                "sub": "com.example.web",
            })
        );
    }

    #[test]
    fn a_key_that_is_not_on_p256_is_refused() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Rs256] {
            let pem = SigningKey::generate(algorithm, RsaBits::default()).unwrap().to_pkcs8_pem().unwrap();
            assert!(AppleKey::from_pem("TEAM123456", "KEY1234567", &pem).is_err(), "{algorithm}");
        }
        assert!(AppleKey::from_pem("TEAM123456", "KEY1234567", "no key").is_err());
    }
}
