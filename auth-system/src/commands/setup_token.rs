//! `auth-system setup-token`: what the first administrator is made by at the console.

use std::process::ExitCode;

use anyhow::bail;
use auth_service::{console::setup, db::Db};
use service_kit::clock::Clock;

use super::block_on;
use crate::settings::Settings;

/// Prints the token.
///
/// # Errors
/// When there is none: one sentence that says what to do.
pub fn run() -> anyhow::Result<ExitCode> {
    let service = Settings::load()?.service;
    if service.console_secret.is_none() {
        bail!(
            "ADMIN_CLIENT_SECRET is not set: the token is derived from it. `auth-system users create-admin` needs none"
        );
    }
    block_on(async {
        let db = Db::open(&service.db, service.extra_roots.as_deref())?;
        match setup::prepare(&db, &service, Clock::System.now().into()).await? {
            Some(token) => println!("{}", token.to_wire()),
            None => bail!("somebody administers this installation already"),
        }
        Ok(ExitCode::SUCCESS)
    })?
}
