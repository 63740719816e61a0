//! `auth-system audit`: checks the audit log, and takes copies of it.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use auth_service::{
    audit::{self, Export, Filter, Link, Report},
    db::Db,
};
use service_kit::clock::Clock;

use super::block_on;
use crate::{cli::Audit, settings::Settings};

/// Runs one of the subcommands.
///
/// # Errors
/// When the database cannot be reached, or the output cannot be written.
pub fn run(command: Audit) -> anyhow::Result<ExitCode> {
    let service = Settings::load()?.service;
    block_on(async {
        let db = Db::open(&service.db, service.extra_roots.as_deref())?;
        match command {
            Audit::Verify { expect } => {
                let report = audit::verify(&db, expect.as_ref()).await?;
                print_report(&report, expect.as_ref());
                Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Audit::Export { format, from, to } => {
                audit::record_export(&db, Clock::System.now().into()).await?;
                let filter = Filter { from: from.map(Into::into), to: to.map(Into::into), ..Filter::default() };
                write_all(Export::new(db, filter, format)).await
            }
        }
    })?
}

fn print_report(report: &Report, expected: Option<&Link>) {
    for fault in &report.faults {
        println!("BROKEN   {fault}");
    }
    println!(
        "entries  {} sealed, {} of them erased; {} not sealed yet",
        report.entries, report.erased, report.unsealed
    );
    if let Some(checkpoint) = &report.checkpoint {
        println!("begins   behind entry {}, up to which retention has removed everything", checkpoint.seq);
    }
    println!("head     {}", report.head);
    if report.faults.is_empty() {
        println!("intact   the chain is whole from its beginning to its head");
    }
    match expected {
        Some(_) if report.faults.is_empty() => {
            println!("expected everything up to the expected entry is as it was then")
        }
        Some(_) => {}
        None => println!(
            "note     without --expect SEQ:HASH, a head kept elsewhere, it cannot be proven that the end was not cut off or rewritten as a whole"
        ),
    }
}

async fn write_all(mut export: Export) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout().lock();
    while let Some(part) = export.next_part().await? {
        match out.write_all(part.as_bytes()) {
            // Whoever reads has seen enough.
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => break,
            written => written?,
        }
    }
    Ok(ExitCode::SUCCESS)
}
