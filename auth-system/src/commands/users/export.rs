//! `auth-system users export`: to a file that is its owner's alone, or to standard output.

use std::{
    fs::OpenOptions,
    io::{BufWriter, stdout},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use auth_service::operator::{self, Layout, Operator};

use crate::cli::ExportFormat;

/// Writes every account.
///
/// # Errors
/// When the file exists or cannot be written.
pub async fn run(
    operator: &Operator<'_>,
    file: Option<&Path>,
    format: ExportFormat,
    with_hashes: bool,
) -> anyhow::Result<ExitCode> {
    let layout = match format {
        ExportFormat::Ndjson => Layout::Ndjson,
        ExportFormat::Csv => Layout::Csv,
    };
    let Some(path) = file else {
        operator::export(operator, layout, with_hashes, &mut BufWriter::new(stdout())).await?;
        return Ok(ExitCode::SUCCESS);
    };
    let output = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let output = output.with_context(|| format!("{} cannot be made", path.display()))?;
    let count = operator::export(operator, layout, with_hashes, &mut BufWriter::new(&output)).await?;
    output.sync_all()?;
    println!("wrote {count} accounts to {}", path.display());
    Ok(ExitCode::SUCCESS)
}
