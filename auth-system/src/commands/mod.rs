//! One file per subcommand.

mod alone;
mod audit;
mod backup;
mod demo;
mod docs;
mod doctor;
mod gateway;
mod healthcheck;
mod keys;
mod migrate;
mod restore;
mod serving;
mod setup_token;
mod up;
mod users;

use std::process::ExitCode;

use crate::cli::Command;
use up::Servers;

/// Runs a command to its end.
///
/// # Errors
/// One message that says what to do.
pub fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up => up::run(Servers::All),
        Command::Service => up::run(Servers::Service),
        Command::Gateway { command: None } => alone::run_gateway(),
        Command::Gateway { command: Some(command) } => gateway::run(command),
        Command::Admin => alone::run_admin(),
        Command::SetupToken => setup_token::run(),
        Command::Migrate { check } => migrate::run(check),
        Command::Doctor => doctor::run(),
        Command::Healthcheck { gateway, ready } => healthcheck::run(gateway, ready),
        Command::Keys(command) => keys::run(command),
        Command::Audit(command) => audit::run(command),
        Command::Users(command) => users::run(command),
        Command::Backup(options) => backup::run(options),
        Command::Restore(options) => restore::run(options),
        Command::Demo(options) => demo::run(&options),
        Command::Openapi => docs::openapi(),
        Command::Docs { page } => docs::page(page),
    }
}

/// A runtime for a command that does one thing.
fn block_on<F: Future>(task: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(task))
}
