//! `auth-system gateway check` and `auth-system gateway test`: a file of routes proven without a server.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use api_gateway::{policy, routes};

use crate::cli::Gateway;
use crate::settings::GatewaySettings;

/// Proves a file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn run(command: Gateway) -> anyhow::Result<ExitCode> {
    match command {
        Gateway::Check { file } => {
            print!("{}", routes::describe(&read(file)?));
            Ok(ExitCode::SUCCESS)
        }
        Gateway::Test { cases, config } => {
            let file = read(config)?;
            let text =
                std::fs::read_to_string(&cases).with_context(|| format!("{} cannot be read", cases.display()))?;
            let report = policy::run(&file, &text).map_err(|faults| refused(&cases.display().to_string(), &faults))?;
            print!("{report}");
            Ok(if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn read(file: Option<PathBuf>) -> anyhow::Result<routes::File> {
    match file.or_else(GatewaySettings::file) {
        Some(path) => routes::read_file(&path).map_err(|faults| refused(&path.display().to_string(), &faults)),
        None => Ok(routes::File::default()),
    }
}

fn refused(file: &str, faults: &[String]) -> anyhow::Error {
    anyhow!("{file} is refused:\n  - {}", faults.join("\n  - "))
}
