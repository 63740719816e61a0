//! The files for deployment: what they say is proven with the tools that will read them, and run as processes.

mod aws;
mod backup;
mod compose;
mod doctor;
mod guide;
mod image;
mod monitoring;
mod nginx;
mod promql;
mod rolling;
mod server;
mod stack;
mod workflows;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::Finished;

/// The repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The path of a file of the repository.
fn path(name: &str) -> PathBuf {
    Path::new(ROOT).join(name)
}

/// The text of a file of the repository.
fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|cause| panic!("{name}: {cause}"))
}

/// Runs a command to its end, which must be a good one; what it printed.
fn succeed(command: &mut Command) -> String {
    let finished = Finished::from(command.output().unwrap());
    assert_eq!(finished.code, Some(0), "{command:?}: {}{}", finished.out, finished.err);
    finished.out
}

/// Writes an executable file.
fn write_program(path: &Path, script: &str) {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The first block of commands below a heading of a document.
fn commands_below(document: &str, heading: &str) -> String {
    let (_, below) = document.split_once(heading).unwrap_or_else(|| panic!("no {heading}"));
    let (_, block) = below.split_once("```bash\n").unwrap();
    block.split_once("```").unwrap().0.to_owned()
}
