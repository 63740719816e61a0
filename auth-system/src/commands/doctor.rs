//! `auth-system doctor`: tries the real environment and says what to do about each fault.

use std::process::ExitCode;

use auth_service::doctor::{self, Outcome};

use super::block_on;
use crate::settings::Settings;

/// Runs every check and prints a line each; fails when any did.
///
/// # Errors
/// When the configuration itself cannot be used: that is the first thing to mend.
pub fn run() -> anyhow::Result<ExitCode> {
    let settings = Settings::load()?;
    for warning in &settings.warnings {
        println!("warning  {warning}");
    }
    let findings = block_on(doctor::examine(&settings.service))?;
    for finding in &findings {
        let label = match finding.outcome() {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "skipped",
        };
        println!("{label:8} {finding}");
    }
    let all_well = findings.iter().all(|finding| finding.outcome() != Outcome::Failed);
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
