//! `auth-system users`: what an operator does with accounts, without a server.

mod export;
mod import;

use std::process::ExitCode;

use anyhow::Context;
use auth_service::{
    Config,
    db::{
        Db,
        migrate::{self, SCRIPTS, Schema},
    },
    operator::{self, Administrator, Filter, Made, Operator},
};
use clap::ValueEnum;
use service_kit::clock::Clock;

use super::block_on;
use crate::{
    cli::{Status, Users},
    settings::Settings,
};

/// Runs one of the subcommands.
///
/// # Errors
/// One message that says what to do.
pub fn run(command: Users) -> anyhow::Result<ExitCode> {
    let service = Settings::load()?.service;
    block_on(async {
        let db = open(&service).await?;
        let operator = Operator { db: &db, config: &service, clock: &Clock::System };
        match command {
            Users::CreateAdmin { email, username, password_stdin } => {
                let password = if password_stdin { Some(read_password()?) } else { None };
                create_admin(&operator, Administrator { email, username, password }).await
            }
            Users::List { search, role, status, limit } => {
                let status = status.as_ref().and_then(Status::to_possible_value);
                let status = status.map(|value| value.get_name().to_owned());
                list(&operator, Filter { search, role, status, limit }).await
            }
            Users::Disable { account } => disable(&operator, &account).await,
            Users::Export { file, format, with_hashes } => {
                export::run(&operator, file.as_deref(), format, with_hashes).await
            }
            Users::Import(options) => import::run(&db, options).await,
        }
    })?
}

/// The database, with the schema of this release: in development it is made, as at the start of a server.
pub(super) async fn open(service: &Config) -> anyhow::Result<Db> {
    let db = Db::open(&service.db, service.extra_roots.as_deref())?;
    if service.db.auto_migrate {
        migrate::apply(&db, SCRIPTS).await?;
    }
    match migrate::check(&db, SCRIPTS).await? {
        Schema::Current => Ok(db),
        behind @ Schema::Behind(_) => anyhow::bail!("{behind}"),
    }
}

fn read_password() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("the password cannot be read from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!password.is_empty(), "there is no password on standard input");
    Ok(password.to_owned())
}

async fn create_admin(operator: &Operator<'_>, wish: Administrator) -> anyhow::Result<ExitCode> {
    let email = wish.email.clone();
    match operator::create_administrator(operator, wish).await? {
        Made::Created(None) => println!("made {email}, an administrator"),
        Made::Created(Some(password)) => {
            println!("made {email}, an administrator, with this password, which is shown only now:\n\n  {password}\n");
        }
        Made::Promoted { was_closed } => {
            println!("{email} existed, and is an administrator now; the password is the one it had");
            if was_closed {
                println!("the account was not active, and is now");
            }
        }
        Made::TakenOver(made) => {
            println!(
                "{email} existed, but nobody had proven the address: it is an administrator now, with another password, and its sessions have ended"
            );
            if let Some(password) = made {
                println!("the password, which is shown only now:\n\n  {password}\n");
            }
        }
        Made::Unchanged => println!("{email} is an administrator already; nothing was changed"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(operator: &Operator<'_>, filter: Filter) -> anyhow::Result<ExitCode> {
    for account in operator::list(operator, filter).await? {
        let roles = account.roles().collect::<Vec<_>>().join(",");
        let username = account.username.as_deref().unwrap_or("-");
        let last_login = account.last_login_at.map_or("never".to_owned(), |time| time.to_string());
        let (id, email, status) = (account.id.0, account.email.as_deref().unwrap_or("-"), &account.status);
        println!("{id}  {status:8}  {email}  {username}  {roles}  last login {last_login}");
    }
    Ok(ExitCode::SUCCESS)
}

async fn disable(operator: &Operator<'_>, account: &str) -> anyhow::Result<ExitCode> {
    if operator::disable(operator, account).await? {
        println!("disabled {account}: its sessions have ended, and its tokens are refused within a second");
    } else {
        println!("{account} is disabled already; nothing was changed");
    }
    Ok(ExitCode::SUCCESS)
}
