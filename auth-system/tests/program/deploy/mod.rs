//! What deployments are made by: the files in `deploy`, the commands for operators, and the guides, word for word.

mod doctor;
mod guide;
mod monitoring;
mod promql;
mod workflows;

use std::{fs, path::PathBuf, process::Command};

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What it holds.
pub fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// Runs a tool to its end, which must be a good one; what it printed.
pub fn check(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|cause| panic!("{command:?}: {cause}"));
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?}:\n{printed}");
    printed
}
