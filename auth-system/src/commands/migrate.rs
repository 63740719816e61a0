//! `auth-system migrate`: brings the schema up to date.

use std::process::ExitCode;

use auth_service::db::{
    Db,
    migrate::{self, SCRIPTS, Schema},
};

use super::block_on;
use crate::settings::Settings;

/// Applies what is missing, or with `check` only says what is.
///
/// # Errors
/// When the database cannot be reached or belongs to another build.
pub fn run(check: bool) -> anyhow::Result<ExitCode> {
    let settings = Settings::load()?;
    block_on(async {
        let db = Db::open(&settings.service.db, settings.service.extra_roots.as_deref())?;
        if check {
            let schema = migrate::check(&db, SCRIPTS).await?;
            println!("{schema}");
            return Ok(if schema == Schema::Current { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        match migrate::apply(&db, SCRIPTS).await?.as_slice() {
            [] => println!("the schema is current"),
            applied => println!("applied {applied:03?}: the schema is current"),
        }
        Ok(ExitCode::SUCCESS)
    })?
}
