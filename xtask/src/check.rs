//! `cargo xtask check`: all that must hold of a commit besides its tests.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::process::{is_installed, run, run_command};
use crate::{dependencies, generated, limits};

/// A step does its work and says in a few words what it saw.
type Step = fn() -> Result<String>;

const STEPS: [(&str, Step); 8] = [
    ("format", format),
    ("clippy", clippy),
    ("documentation", documentation),
    ("bans", dependencies::check_bans),
    ("licences", dependencies::check_licences),
    ("cargo-deny", cargo_deny),
    ("generated files", generated::compare),
    ("size limits", limits::check),
];

/// Runs every step whatever the others say; fails if one has.
pub(crate) fn run_all() -> Result<()> {
    let failed: Vec<_> =
        STEPS.into_iter().filter(|(name, step)| !succeeds(name, *step)).map(|(name, _)| name).collect();
    if !failed.is_empty() {
        bail!("{} of {} steps failed: {}", failed.len(), STEPS.len(), failed.join(", "));
    }
    Ok(())
}

fn succeeds(name: &str, step: Step) -> bool {
    let begin = Instant::now();
    let result = step();
    let seconds = begin.elapsed().as_secs_f64();
    match &result {
        Ok(summary) => println!("ok      {name:<16}{seconds:>7.1} s  {summary}"),
        Err(error) => println!("FAILED  {name:<16}{seconds:>7.1} s  {error:#}"),
    }
    result.is_ok()
}

fn format() -> Result<String> {
    run("cargo", &["fmt", "--all", "--check"]).map(|()| String::new())
}

fn clippy() -> Result<String> {
    let arguments = ["clippy", "--quiet", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
    run("cargo", &arguments).map(|()| String::new())
}

fn documentation() -> Result<String> {
    let mut command = Command::new("cargo");
    command.args(["doc", "--quiet", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "--deny warnings");
    run_command(&mut command).map(|()| String::new())
}

/// Advisories, which only cargo-deny knows; its database comes over the network, so it may be missing.
fn cargo_deny() -> Result<String> {
    if !is_installed("cargo-deny") {
        return Ok("not installed: no advisories".into());
    }
    if run("cargo-deny", &["fetch", "db"]).is_err() {
        return Ok("no database: no advisories".into());
    }
    run("cargo-deny", &["--log-level", "warn", "check"]).map(|()| String::new())
}
