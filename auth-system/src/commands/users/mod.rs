//! `auth-system users`: what an operator does with accounts, without a server.

mod import;

use std::process::ExitCode;

use auth_service::{
    Config,
    db::{
        Db,
        migrate::{self, SCRIPTS, Schema},
    },
};

use super::block_on;
use crate::{cli::Users, settings::Settings};

/// Runs one of the subcommands.
///
/// # Errors
/// One message that says what to do.
pub fn run(command: Users) -> anyhow::Result<ExitCode> {
    let service = Settings::load()?.service;
    block_on(async {
        let db = open(&service).await?;
        match command {
            Users::Import(options) => import::run(&db, options).await,
            _ => todo!(),
        }
    })?
}

/// The database, with the schema of this release: in development it is made, as at the start of a server.
async fn open(service: &Config) -> anyhow::Result<Db> {
    let db = Db::open(&service.db, service.extra_roots.as_deref())?;
    if service.db.auto_migrate {
        migrate::apply(&db, SCRIPTS).await?;
    }
    match migrate::check(&db, SCRIPTS).await? {
        Schema::Current => Ok(db),
        behind @ Schema::Behind(_) => anyhow::bail!("{behind}"),
    }
}
