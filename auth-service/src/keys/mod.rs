//! Signing keys: where they come from, which one signs now, and which ones still verify.
//!
//! The first key is a file or a variable. `auth-system keys rotate` adds keys to the database, sealed by `SECRETS_KEY`;
//! each is published one JWKS lifetime before it signs, and the one before it verifies until its last token is gone.

mod config;
mod generate;
pub mod http;
mod ring;
mod rotate;
mod seal;
mod source;
mod store;

pub use config::{DEFAULT_PRIVATE, DEFAULT_PUBLIC, KeyConfig};
pub use generate::{GenerateError, generate_files};
pub use ring::{JWKS_LIFE, KeyRing};
pub use rotate::{KeyError, KeyState, list, rotate, withdraw};
pub use seal::SecretsKey;
pub use source::KeySource;

use crate::{app::App, db::DbError};

/// Reads the keys of the database into the ring, after making the configured one known to the other instances.
///
/// # Errors
/// When the database fails.
pub async fn reload(app: &App) -> Result<(), DbError> {
    let now = app.now();
    if !app.keys.is_registered() {
        let mut conn = app.db.write().await?;
        store::insert(&mut conn, &app.keys.configured_row(now)).await?;
        app.keys.mark_registered();
    }
    let mut conn = app.db.read().await?;
    let rows = store::list(&mut conn).await?;
    app.keys.replace(rows, now);
    Ok(())
}
