//! The files and the guide for AWS: checked by the tools of that trade, and done on a stand-in of AWS.

mod addresses;
mod cloud;
mod commands;
mod metrics;
mod pipeline;
mod roles;
mod task_definition;
mod templates;
mod together;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use test_peers::installation;

/// The stacks; the others stand on the first.
const TEMPLATES: [&str; 4] = ["template.yaml", "monitoring.yaml", "gateway.yaml", "github.yaml"];
/// Reads a template as CloudFormation does, with functions in their long form.
const READ_TEMPLATE: &str =
    "import json, sys; from cfnlint.decode.cfn_yaml import load; print(json.dumps(load(sys.argv[1])))";

/// A file or folder of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What stands in a file of the repository.
fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// A template as a value.
fn read_template(name: &str) -> Value {
    let python = installation::python_tool("python3").unwrap();
    let mut command = std::process::Command::new(python);
    let output = command.args(["-c", READ_TEMPLATE]).arg(repository("deploy/aws").join(name)).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}
