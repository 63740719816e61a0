//! Logging in through providers: Google, Kakao, Naver, Apple, GitHub, and any OpenID issuer.
//!
//! A login goes from the app to the provider and back by the browser: `authorize`, `callback`, and a code of ours that
//! the app exchanges with a verifier of its own. Who somebody is, is a subject of an issuer (`oauth_accounts`), never an
//! address: `resolve` says which account that enters. What makes providers differ is data in `provider`, and what they
//! say of people in `claims`. Each step is good once and bound to the browser that began it (`handle`, `browser`).

pub mod apple;
mod authorize;
mod browser;
mod callback;
mod claims;
mod config;
pub mod events;
mod exchange;
mod handle;
pub mod http;
pub mod id_token;
pub mod identities_http;
mod identity;
pub mod issuer;
pub mod link;
mod native;
pub mod notices;
pub mod operate_http;
pub mod outbound;
mod provider;
mod redeem;
mod redirect_uri;
mod resolve;
#[cfg(test)]
mod stand_in;
pub mod store;
mod tokens;
pub mod unlinks;
pub mod webhooks_http;

pub use config::SocialConfig;
pub use provider::{Endpoints, Provider, Providers, Source};

use std::time::Duration;

use crate::{
    app::App,
    db::{Conn, DbError, Ts},
    sweep::BATCH,
};

/// Batches of handles that one sweep deletes.
const ROUNDS: usize = 10;
/// How long an identity waits for the account's owner to agree.
const PROPOSED_FOR: Duration = Duration::from_secs(86_400);

/// Starts what works for logins through providers behind requests.
pub fn start(app: &App) {
    // Also without providers: what an instance with them was told may be left behind.
    tokio::spawn(notices::run(app.clone()));
    unlinks::start(app);
}

/// Forgets what was begun and not ended.
///
/// # Errors
/// When the database fails.
pub async fn delete_expired(conn: &mut Conn, now: Ts) -> Result<(), DbError> {
    // Anybody can have one made with a call: they go faster than an address may come.
    for _ in 0..ROUNDS {
        if store::delete_expired_handles(conn, now).await? < BATCH.unsigned_abs() {
            break;
        }
    }
    notices::delete_old(conn, now).await?;
    unlinks::delete_old(conn, now).await?;
    store::delete_old_proposals(conn, now.minus(PROPOSED_FOR)).await.map(drop)
}
