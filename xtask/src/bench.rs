//! `cargo xtask bench`: builds the program as it ships, and measures it.

use anyhow::Result;
use test_peers::ProxyProgram;

use crate::process::run;

/// Builds both apart, so that nothing the bench needs is switched on in the program.
pub(crate) fn build_and_run(quick: bool, rows: &[String], soak: Option<u32>) -> Result<()> {
    if let Some(hint) = hint_at_missing_proxies() {
        println!("{hint}");
    }
    run("cargo", &["build", "--release", "--locked", "--package", "auth-system"])?;
    let mut arguments = vec!["run", "--quiet", "--release", "--locked", "--package", "bench", "--"];
    arguments.extend(quick.then_some("--quick"));
    arguments.extend(rows.iter().flat_map(|row| ["--only", row]));
    let soak = soak.map(|minutes| minutes.to_string());
    arguments.extend(soak.iter().flat_map(|minutes| ["--soak", minutes]));
    run("cargo", &arguments)
}

/// Nothing is installed for a comparison: on Debian nginx would at once serve port 80.
fn hint_at_missing_proxies() -> Option<String> {
    let missing: Vec<_> =
        ProxyProgram::ALL.into_iter().filter(|program| program.find().is_none()).map(ProxyProgram::name).collect();
    let names = missing.join(" ");
    (!names.is_empty()).then(|| {
        format!(
            "The gateway is not measured beside what is not installed: apt-get install --no-install-recommends {names}"
        )
    })
}
