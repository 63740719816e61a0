//! How an app proves itself to Apple: by a JWT that its key has signed.

use serde_json::Value;

use super::super::message::{Answer, HttpRequest};
use super::{Shared, TEAM, login::refusal};

/// Six months.
const LIFETIME_MAX: i64 = 15_777_000;

impl Shared {
    pub(super) fn check_secret(&self, request: &HttpRequest) -> Result<(), Answer> {
        let secret = request.form("client_secret").unwrap_or_default();
        let parts = self.app_key.verify_es256(&secret);
        let is_good = parts.is_some_and(|(header, claims)| self.is_ours(&header, &claims));
        let is_client = request.form("client_id").as_deref() == Some(&self.client.id);
        if is_good && is_client { Ok(()) } else { Err(refusal("invalid_client")) }
    }

    fn is_ours(&self, header: &Value, claims: &Value) -> bool {
        let now = self.state().grants.now();
        let (issued, expires) = (claims["iat"].as_i64(), claims["exp"].as_i64());
        header["alg"] == "ES256"
            && header["kid"] == self.app_key.kid()
            && claims["iss"] == TEAM
            && claims["sub"] == *self.client.id
            && claims["aud"] == *self.url
            && issued.is_some_and(|issued| issued <= now)
            && expires.is_some_and(|expires| now < expires && expires <= now + LIFETIME_MAX)
    }
}
