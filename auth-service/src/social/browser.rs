//! What binds a login to the browser that began it: a cookie, from which state by state the rest is derived.
//!
//! The provider's PKCE verifier and nonce (RFC 7636, OpenID Connect Core 3.1.2.1) come from the cookie's secret and the
//! state by HMAC, so that the database, which keeps hashes of both, could not finish anybody's login.

use std::time::Duration;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use axum::http::{HeaderMap, HeaderValue, header};
use data_encoding::BASE64URL_NOPAD;

use crate::ids::OpaqueToken;

/// How long a login through a provider may take.
pub const LIFE: Duration = Duration::from_secs(600);
const COOKIE: &str = "__Host-oauth";

/// A browser, by the secret that its cookie holds.
pub struct Browser(OpaqueToken);

impl Browser {
    /// One that comes for the first time.
    #[must_use]
    pub const fn new(secret: OpaqueToken) -> Self {
        Self(secret)
    }

    /// The one that sent these headers. Of several cookies of the name none counts: one may be somebody else's.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(only), None) => OpaqueToken::parse(only).map(Self),
            (None, _) | (Some(_), Some(_)) => None,
        }
    }

    /// What is stored in its place.
    #[must_use]
    pub fn hash(&self) -> String {
        self.0.hash().to_hex()
    }

    /// The cookie, good for one more login. `Lax`: it must come back with the navigation from the provider.
    #[must_use]
    pub fn cookie(&self) -> HeaderValue {
        let (value, life) = (self.0.to_wire(), LIFE.as_secs());
        let cookie = format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={life}");
        // base64url is always a header value.
        HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
    }

    /// The verifier that this login shows the provider (RFC 7636 section 4.1).
    #[must_use]
    pub fn verifier(&self, state: &OpaqueToken) -> String {
        self.derive("pkce", state)
    }

    /// What the provider's ID token must repeat.
    #[must_use]
    pub fn nonce(&self, state: &OpaqueToken) -> String {
        self.derive("nonce", state)
    }

    fn derive(&self, purpose: &str, state: &OpaqueToken) -> String {
        let key = hmac::Key::new(HMAC_SHA256, self.0.expose());
        let message = [purpose.as_bytes(), &[0], state.expose()].concat();
        BASE64URL_NOPAD.encode(hmac::sign(&key, &message).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Entropy;

    fn of(cookies: &str) -> Option<Browser> {
        Browser::of(&HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookies).unwrap())]))
    }

    #[test]
    fn a_browser_is_known_again_by_its_one_cookie() {
        let browser = Browser::new(Entropy.token());
        let pair = browser.cookie().to_str().unwrap().split(';').next().unwrap().to_owned();
        assert_eq!(of(&format!("a=b; {pair}")).unwrap().hash(), browser.hash());
        assert!(of(&format!("{pair}; {pair}")).is_none());
        assert!(of("__Host-oauth=short").is_none());
    }

    #[test]
    fn each_login_has_a_verifier_and_a_nonce_of_its_own() {
        let (browser, other) = (Browser::new(Entropy.token()), Browser::new(Entropy.token()));
        let (one, two) = (Entropy.token(), Entropy.token());
        let secrets = [
            browser.verifier(&one),
            browser.nonce(&one),
            browser.verifier(&two),
            other.verifier(&one),
            other.nonce(&one),
        ];
        assert!(secrets.iter().all(|secret| secret.len() == 43));
        let distinct: std::collections::HashSet<_> = secrets.iter().collect();
        assert_eq!(distinct.len(), secrets.len());
        assert_eq!(browser.verifier(&one), secrets[0]);
    }
}
