//! `auth-system backup`: a copy of the database, beside running servers.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, bail};
use auth_service::{
    Config,
    backup::{self, Keep, Place, Taken, Taking},
};
use service_kit::clock::Clock;

use super::block_on;
use crate::{cli::Backup, settings::Settings};

const DAY: Duration = Duration::from_secs(86_400);

/// Takes a backup, and removes old ones where that was asked for.
///
/// # Errors
/// When there is no backup, or old ones could not be removed; the message says which.
pub fn run(options: Backup) -> anyhow::Result<ExitCode> {
    let service = Settings::load()?.service;
    block_on(async {
        let (place, taking) = prepare(&service, &options)?;
        let recipient = if options.unencrypted { None } else { taking };
        let taking = Taking { config: &service, place: &place, recipient, clock: &Clock::System };
        let taken = backup::take(&taking).await?;
        print(&taken);
        let keep = Keep {
            newest: options.keep.map(|count| count as usize),
            younger_than: options.keep_days.map(|days| DAY * days),
        };
        let removed = backup::prune(&place, keep, taken.name.engine(), Clock::System.now().into()).await;
        for name in removed.context("the backup is made, but old ones could not be removed")? {
            println!("removed  {name}");
        }
        Ok(ExitCode::SUCCESS)
    })?
}

fn prepare(service: &Config, options: &Backup) -> anyhow::Result<(Place, Option<backup::Recipient>)> {
    let recipient = service.backup.recipient.clone();
    if recipient.is_none() && !options.unencrypted {
        bail!(
            "BACKUP_RECIPIENT is not set: make a key pair (age-keygen -o backup.key) and set it to the public key, or say --unencrypted"
        );
    }
    let to = options.to.as_deref().or(service.backup.to.as_deref());
    let to = to.context("say where to by --to or BACKUP_TO: a folder, a file or s3://bucket/prefix")?;
    let place = Place::to(to, &service.backup.s3, service.extra_roots.as_deref())?;
    if matches!(place, Place::File(_)) && (options.keep.is_some() || options.keep_days.is_some()) {
        bail!("--keep and --keep-days need a folder or s3://bucket/prefix, and {to} is one file");
    }
    Ok((place, recipient))
}

fn print(taken: &Taken) {
    let rows = |table: &str| taken.manifest.rows.get(table).copied().unwrap_or(0);
    println!("wrote    {}", taken.at);
    println!("holds    {} users, {} sessions, {} audit entries", rows("users"), rows("sessions"), rows("audit_logs"));
    println!("audit    {}", taken.manifest.audit_head);
}
