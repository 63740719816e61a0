//! Providers' tokens, sealed and only where they are to be kept: for apps that call a provider's API.

use data_encoding::BASE64;

use super::redeem::ProviderTokens;
use crate::{app::App, db::Ts};

/// Seals the tokens of an identity, if tokens are kept; in base64.
pub fn seal(app: &App, (issuer, subject): (&str, &str), tokens: &ProviderTokens, now: Ts) -> Option<String> {
    if !app.config.social.keep_tokens {
        return None;
    }
    let key = app.config.keys.secrets_key.as_ref()?;
    let expires_at = tokens.expires_in.map(|life| now.plus(std::time::Duration::from_secs(life)).as_seconds());
    let text = serde_json::json!({"tokens": tokens, "expires_at": expires_at}).to_string();
    let sealed = key.seal(&context(issuer, subject), text.as_bytes()).ok()?;
    Some(BASE64.encode(&sealed))
}

/// So that sealed tokens put into another person's row do not open there.
fn context(issuer: &str, subject: &str) -> String {
    format!("provider tokens of {subject} at {issuer}")
}
