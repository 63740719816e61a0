//! `cargo xtask bench`: builds the program as it ships, and measures it.

use anyhow::Result;

use crate::process::run;

/// Builds both apart, so that nothing the bench needs is switched on in the program.
pub(crate) fn build_and_run(quick: bool, rows: &[String]) -> Result<()> {
    run("cargo", &["build", "--release", "--locked", "--package", "auth-system"])?;
    let mut arguments = vec!["run", "--quiet", "--release", "--locked", "--package", "bench", "--"];
    arguments.extend(quick.then_some("--quick"));
    arguments.extend(rows.iter().flat_map(|row| ["--only", row]));
    run("cargo", &arguments)
}
