//! The console's own door: what it, and nothing else, may do to begin sessions of people who operate the system.
//!
//! The console shows `ADMIN_CLIENT_SECRET` with everything. Its people have a session like any other, but of the kind
//! `SessionKind::Console`: with a credential of its own, which is worth nothing without that secret, in place of refresh
//! tokens. From the credential on, everything is as for any caller.

pub mod http;
mod resolve;
pub mod setup;
mod store;
pub mod vouch;

use axum::http::{HeaderMap, HeaderName};
use service_kit::config::{Env, Environment, Secret};
use subtle::ConstantTimeEq;

use crate::{
    app::App,
    error::{Error, Result},
    ids::TokenHash,
};

pub use resolve::{CredentialCache, resolve};

/// What every credential of the console's people begins with.
pub const PREFIX: &str = "acs_";
/// Where the console shows its secret.
pub const X_CLIENT_SECRET: HeaderName = HeaderName::from_static("x-client-secret");
/// Fewest characters of `ADMIN_CLIENT_SECRET` in production.
const SECRET_LEAST: usize = 32;

/// Reads `ADMIN_CLIENT_SECRET`.
pub fn read_secret(env: &mut Env) -> Option<Secret> {
    env.section("Console");
    let secret = env.secret(
        "ADMIN_CLIENT_SECRET",
        "Shared secret of the Auth API and a console in another process; the console in the same process needs none.",
    );
    let is_short = secret.as_ref().is_some_and(|secret| secret.expose().len() < SECRET_LEAST);
    if is_short && env.environment() == Environment::Production {
        env.refuse("ADMIN_CLIENT_SECRET needs at least 32 characters: make one with `openssl rand -hex 32`");
    }
    secret
}

/// Passes whoever shows `ADMIN_CLIENT_SECRET`. Without one in the configuration there is nothing for a console here.
///
/// # Errors
/// [`Error::NotFound`], [`Error::InvalidToken`].
pub fn require_console(app: &App, headers: &HeaderMap) -> Result<()> {
    let expected = app.config.console_secret.as_ref().ok_or(Error::NotFound)?;
    let presented = headers.get(X_CLIENT_SECRET).ok_or(Error::InvalidToken)?;
    // Hashes are compared, so that not even the length shows in the time.
    let expected = TokenHash::of(expected.expose().as_bytes());
    let is_right: bool = TokenHash::of(presented.as_bytes()).as_bytes().ct_eq(expected.as_bytes()).into();
    if is_right { Ok(()) } else { Err(Error::InvalidToken) }
}
