//! Logs people in by the ID token that a provider's SDK gave an app on their device.

use serde_json::Value;

use super::{
    claims,
    exchange::{self, Arrival, Exchanged},
    handle,
    id_token::{Expected, IdToken, IdTokenError, Nonce},
    identity::Identity,
    issuer::IssuerError,
    provider::Provider,
};
use crate::{
    app::App,
    error::{Error, Result},
    ids::TokenHash,
};

/// How long a used ID token is remembered: longer than any is taken.
const REMEMBERED: std::time::Duration = std::time::Duration::from_secs(3_600);

/// Enters the account of the person an ID token is about. It is good once: whoever sees it pass later has nothing.
///
/// # Errors
/// [`Error::NotFound`] for a provider without ID tokens; [`Error::InvalidIdToken`], [`Error::ProviderUnavailable`],
/// [`Error::AccountClosed`].
pub async fn log_in(
    app: &App,
    provider: &Provider,
    (id_token, nonce): (&str, &str),
    arrival: &Arrival<'_>,
) -> Result<Exchanged> {
    let signer = provider.signer.as_ref().ok_or(Error::NotFound)?;
    let now = app.now();
    let client_ids = &provider.audiences;
    let expected = Expected { client_ids, nonce: Nonce::PlainOrSha256(nonce), access_token: None, now };
    let token = match IdToken::verify(id_token, signer, &expected).await {
        Ok(token) => token,
        Err(error) => return Err(refuse(provider, &error)),
    };
    let mut tx = app.db.begin().await?;
    // By what it says and not by its letters, nor by ours: a signature may be written in more than one way, and so may a
    // nonce of which the token holds the hash.
    let said = token.claims.get("nonce").and_then(Value::as_str).unwrap_or_default();
    let used = TokenHash::of(format!("{}\n{}\n{said}", provider.issuer, token.subject).as_bytes());
    let is_new = handle::use_up(&mut tx, &used, now.plus(REMEMBERED), now).await?;
    tx.commit().await?;
    if !is_new {
        return Err(Error::InvalidIdToken);
    }
    let (subject, claims) = claims::of_openid(&token.claims).ok_or(Error::InvalidIdToken)?;
    let (name, issuer) = (provider.name.clone(), provider.issuer.clone());
    let identity = Identity { provider: name, issuer, subject, claims, sealed_tokens: None };
    exchange::log_in(app, &identity, arrival).await
}

fn refuse(provider: &Provider, error: &IdTokenError) -> Error {
    metrics::counter!("oauth_failures_total", "provider" => provider.name.clone()).increment(1);
    tracing::warn!(provider = provider.name, cause = %error, "an ID token was refused");
    if matches!(error, IdTokenError::Issuer(IssuerError::Unavailable { .. })) {
        Error::ProviderUnavailable
    } else {
        Error::InvalidIdToken
    }
}
