//! Signing keys: where they come from, which one signs now, and which ones still verify.
//!
//! The first key is a file or a variable. `auth-system keys rotate` adds keys to the database, sealed by `SECRETS_KEY`;
//! each is published one JWKS lifetime before it signs, and the one before it verifies until its last token is gone:
//! instances note which key they sign with, so it does not matter whether all of them changed over at once.

mod config;
mod generate;
pub mod http;
pub(crate) mod operate_http;
mod ring;
mod rotate;
mod seal;
mod source;
mod store;

pub use config::{DEFAULT_PRIVATE, DEFAULT_PUBLIC, KeyConfig};
pub use generate::{GenerateError, generate_files};
pub use ring::{JWKS_LIFE, KeyRing};
pub use rotate::{KeyError, KeyHome, KeyState, KeyUse, list, rotate, withdraw};
pub use seal::{KEY_ID_LEN, SecretsKey};
pub use source::KeySource;

use std::time::Duration;

use crate::{app::App, db::DbError};

/// An instance notes no more often than this which key it signs with.
const NOTED_EVERY: Duration = Duration::from_secs(30);

/// Reads the keys of the database into the ring, after making the configured one known to the other instances.
///
/// # Errors
/// When the database fails.
pub async fn reload(app: &App) -> Result<(), DbError> {
    let now = app.now();
    let mut rows = store::list(&mut app.db.read().await?).await?;
    if rows.iter().all(|row| row.kid != app.keys.configured_kid()) {
        store::insert(&mut app.db.write().await?, &app.keys.configured_row(now)).await?;
        rows = store::list(&mut app.db.read().await?).await?;
    }
    let in_use = app.keys.signing_key();
    // Before another key may take over below: its last tokens count from now.
    if let Some(row) = rows.iter_mut().find(|row| row.kid == in_use.kid() && now.since(row.last_used_at) > NOTED_EVERY)
    {
        store::mark_used(&mut app.db.write().await?, in_use.kid(), now).await?;
        row.last_used_at = now;
    }
    app.keys.replace(&rows, now);
    Ok(())
}
