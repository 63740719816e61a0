//! Hands out a provider's access token, renewed first when it is about to end: once, however many ask.
//!
//! A provider may answer a refresh token with another one, and take the first no more: two renewals at once could lose
//! both. A renewal is therefore one asker's by a lease in the identity's row. A lock would be held while the provider is
//! asked, and on SQLite that is a lock on everything.

use std::time::Duration;

use auth_sdk::ProviderToken;

use super::{
    Kept,
    store::{self, TokensRow},
};
use crate::{
    app::App,
    db::Ts,
    error::{Error, Result},
    ids::UserId,
    social::{
        provider::{Provider, Trouble},
        redeem::ask_for_tokens,
    },
};

/// How long a renewal is one asker's: longer than it takes to find the endpoint and to call it.
const LEASE: Duration = Duration::from_secs(15);
/// Between two looks at what another asker's renewal came to, and the most looks.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: usize = 120;

/// A good access token of a person's own identity at a provider.
///
/// # Errors
/// [`Error::NotFound`] where none is kept; [`Error::ProviderUnavailable`]; [`Error::ProviderLoginRequired`] when the
/// provider gives no other one.
pub async fn hand_out(app: &App, user: UserId, provider: &Provider) -> Result<ProviderToken> {
    if !app.config.social.keep_tokens {
        return Err(Error::NotFound);
    }
    for _ in 0..LOOKS {
        let now = app.now();
        let row = store::find(&mut app.db.read().await?, user, &provider.name).await?.ok_or(Error::NotFound)?;
        let kept = Kept::open(app, (&row.issuer, &row.subject), &row.sealed_tokens).ok_or(Error::NotFound)?;
        if kept.is_good(now) {
            return Ok(kept.into_wire());
        }
        if kept.tokens.refresh_token.is_none() {
            return Err(Error::ProviderLoginRequired);
        }
        let until = now.plus(LEASE);
        if store::claim(&mut app.db.write().await?, &row, until, now).await? {
            // Apart from the request: an asker who hangs up must not lose what the provider sends but once.
            let renewal = tokio::spawn(renew(app.clone(), provider.name.clone(), (row, kept), until));
            renewal.await.map_err(|cause| Error::Internal(Box::new(cause)))??;
        } else {
            tokio::time::sleep(LOOK).await;
        }
    }
    Err(Error::ProviderUnavailable)
}

/// Puts new tokens in the place of those that are kept, unless a login brought others meanwhile.
async fn renew(app: App, provider: String, (row, kept): (TokensRow, Kept), until: Ts) -> Result<()> {
    let provider = app.providers.find(&provider).ok_or(Error::NotFound)?;
    let refresh_token = kept.tokens.refresh_token.as_deref().unwrap_or_default();
    let fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    match ask_for_tokens(&app.providers, provider, fields, app.now()).await {
        Ok(fresh) => {
            let renewed = kept.renewed_by(fresh, app.now());
            let sealed = renewed.seal(&app, (&row.issuer, &row.subject)).ok_or(Error::NotFound)?;
            store::replace(&mut app.db.write().await?, row.id, &sealed, until).await?;
            Ok(())
        }
        Err(trouble) => {
            metrics::counter!("oauth_failures_total", "provider" => provider.name.clone()).increment(1);
            tracing::warn!(provider = provider.name, cause = %trouble, "a provider's token could not be renewed");
            store::release(&mut app.db.write().await?, row.id, until).await?;
            Err(match trouble {
                Trouble::Unavailable(_) => Error::ProviderUnavailable,
                Trouble::Refused(_) => Error::ProviderLoginRequired,
            })
        }
    }
}
