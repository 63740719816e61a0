//! Codes and tokens (RFC 6749) that a stand-in has given out.

use std::collections::HashMap;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::Value;

use super::message::HttpRequest;

/// A service as a provider knows it.
#[derive(Clone, Debug)]
pub struct RegisteredClient {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
    /// Where codes may be sent.
    pub redirect_uris: Vec<String>,
}

/// What the person at the browser does with the provider's question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Agrees.
    #[default]
    Grant,
    /// Cancels.
    Deny,
}

/// What one person has granted.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) nonce: Option<String>,
    challenge: Option<String>,
    /// The provider's own record of the person.
    pub(crate) user: Value,
}

/// A grant behind a token, and the time in seconds since 1970 when the token ends.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) grant: Grant,
    pub(crate) expires: i64,
}

/// All that is good yet.
#[derive(Default)]
pub(crate) struct Grants {
    now: Option<i64>,
    codes: HashMap<String, Grant>,
    access: HashMap<String, Held>,
    refresh: HashMap<String, Held>,
}

impl RegisteredClient {
    /// A client that may be sent codes to these addresses.
    #[must_use]
    pub fn new(id: &str, secret: &str, redirect_uris: &[&str]) -> Self {
        let redirect_uris = redirect_uris.iter().copied().map(str::to_owned).collect();
        Self { id: id.to_owned(), secret: secret.to_owned(), redirect_uris }
    }

    /// The address of an authorization request, if this client has registered it.
    pub(crate) fn redirect_uri(&self, request: &HttpRequest) -> Option<String> {
        let wanted = request.query("redirect_uri")?;
        self.redirect_uris.iter().any(|known| known == wanted).then(|| wanted.to_owned())
    }
}

impl Grant {
    /// What an authorization request asks for.
    pub(crate) fn of(request: &HttpRequest, redirect_uri: &str, scopes: Vec<String>, user: &Value) -> Self {
        Self {
            redirect_uri: redirect_uri.to_owned(),
            scopes,
            nonce: request.query("nonce").map(str::to_owned),
            challenge: request.query("code_challenge").map(str::to_owned),
            user: user.clone(),
        }
    }

    /// Whether the verifier is that of the challenge (RFC 7636); without a challenge there is none to give.
    pub(crate) fn is_proven_by(&self, verifier: Option<&str>) -> bool {
        let hash = |text: &str| BASE64URL_NOPAD.encode(digest(&SHA256, text.as_bytes()).as_ref());
        self.challenge.is_none() || self.challenge == verifier.map(hash)
    }

    pub(crate) fn has_scope(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope == name)
    }
}

impl Grants {
    /// The time in seconds since 1970: the system's, or what a test has set.
    #[allow(clippy::disallowed_methods, reason = "a provider's clock is its own; a test may set it")]
    pub(crate) fn now(&self) -> i64 {
        let system = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        self.now.unwrap_or_else(|| i64::try_from(system()).unwrap_or(i64::MAX))
    }

    pub(crate) fn set_now(&mut self, now: i64) {
        self.now = Some(now);
    }

    pub(crate) fn add_code(&mut self, grant: Grant) -> Result<String, Unspecified> {
        let code = random_text()?;
        self.codes.insert(code.clone(), grant);
        Ok(code)
    }

    /// The grant of a code, which is spent by that.
    pub(crate) fn take_code(&mut self, code: &str) -> Option<Grant> {
        self.codes.remove(code)
    }

    pub(crate) fn add_access(&mut self, prefix: &str, grant: Grant, lifetime: i64) -> Result<String, Unspecified> {
        let (token, expires) = (format!("{prefix}{}", random_text()?), self.now() + lifetime);
        self.access.insert(token.clone(), Held { grant, expires });
        Ok(token)
    }

    pub(crate) fn add_refresh(&mut self, grant: Grant, lifetime: i64) -> Result<String, Unspecified> {
        let (token, expires) = (random_text()?, self.now() + lifetime);
        self.refresh.insert(token.clone(), Held { grant, expires });
        Ok(token)
    }

    pub(crate) fn find_access(&self, token: &str) -> Option<&Held> {
        self.access.get(token).filter(|held| held.expires > self.now())
    }

    pub(crate) fn find_refresh(&self, token: &str) -> Option<Held> {
        self.refresh.get(token).filter(|held| held.expires > self.now()).cloned()
    }

    pub(crate) fn remove_refresh(&mut self, token: &str) {
        self.refresh.remove(token);
    }

    /// Ends what was granted by the person whose record has this member; says whether there was anything.
    pub(crate) fn remove_user(&mut self, member: &str, id: &Value) -> bool {
        let before = self.access.len() + self.refresh.len();
        self.access.retain(|_, held| held.grant.user[member] != *id);
        self.refresh.retain(|_, held| held.grant.user[member] != *id);
        self.codes.retain(|_, grant| grant.user[member] != *id);
        before > self.access.len() + self.refresh.len()
    }
}

/// 128 random bits.
pub(crate) fn random_text() -> Result<String, Unspecified> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(HEXLOWER.encode(&bytes))
}
