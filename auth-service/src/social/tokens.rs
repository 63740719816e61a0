//! Providers' tokens, sealed and only where they are to be kept: for apps that call a provider's API.

pub mod renew;
mod store;

use std::time::Duration;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::redeem::ProviderTokens;
use crate::{app::App, db::Ts, keys::KEY_ID_LEN};

/// A token with less left than this is renewed before it is handed out: the app is yet to use it.
const MIN_LEFT: Duration = Duration::from_secs(60);

/// Tokens as they are kept.
#[derive(Deserialize, Serialize)]
pub struct Kept {
    tokens: ProviderTokens,
    /// When the access token ends, in seconds since 1970; unknown where the provider does not say.
    expires_at: Option<i64>,
}

/// Seals the tokens of an identity, if tokens are kept; in base64.
pub fn seal(app: &App, identity: (&str, &str), tokens: &ProviderTokens, now: Ts) -> Option<String> {
    if !app.config.social.keep_tokens {
        return None;
    }
    Some(BASE64.encode(&Kept::new(tokens.clone(), now).seal(app, identity)?))
}

impl Kept {
    fn new(tokens: ProviderTokens, now: Ts) -> Self {
        let expires_at = tokens.expires_in.map(|life| now.plus(Duration::from_secs(life)).as_seconds());
        Self { tokens, expires_at }
    }

    /// With the id of the key before it, so that what another key sealed is told from what was damaged.
    fn seal(&self, app: &App, (issuer, subject): (&str, &str)) -> Option<Vec<u8>> {
        let key = app.config.keys.secrets_key.as_ref()?;
        let text = serde_json::to_string(self).ok()?;
        let sealed = key.seal(&context(issuer, subject), text.as_bytes()).ok()?;
        Some([key.id().as_slice(), &sealed].concat())
    }

    /// Nothing when it cannot be read any more; the person logs in through the provider again.
    fn open(app: &App, (issuer, subject): (&str, &str), sealed: &[u8]) -> Option<Self> {
        let key = app.config.keys.secrets_key.as_ref()?;
        let (id, sealed) = sealed.split_first_chunk::<KEY_ID_LEN>()?;
        if id != key.id() {
            tracing::warn!(issuer, "a provider's tokens were sealed by another SECRETS_KEY");
            return None;
        }
        let text = key.open(&context(issuer, subject), sealed).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn is_good(&self, now: Ts) -> bool {
        self.expires_at.is_none_or(|end| end > now.plus(MIN_LEFT).as_seconds())
    }

    /// These tokens with what a provider leaves out when it stays as it was (RFC 6749 sections 5.1 and 6).
    fn renewed_by(&self, mut fresh: ProviderTokens, now: Ts) -> Self {
        fresh.refresh_token = fresh.refresh_token.or_else(|| self.tokens.refresh_token.clone());
        fresh.scope = fresh.scope.or_else(|| self.tokens.scope.clone());
        Self::new(fresh, now)
    }

    /// As the wire shows it: never the refresh token.
    fn into_wire(self) -> auth_sdk::ProviderToken {
        let end = |seconds: i64| Ts::from_micros(seconds.saturating_mul(1_000_000)).into();
        auth_sdk::ProviderToken {
            access_token: self.tokens.access_token,
            expires_at: self.expires_at.map(end),
            scope: self.tokens.scope,
        }
    }
}

/// So that sealed tokens put into another person's row do not open there.
fn context(issuer: &str, subject: &str) -> String {
    format!("provider tokens of {subject} at {issuer}")
}
