//! Running other programs.

use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

/// Runs a program in this terminal; its failure is an error.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<()> {
    run_command(Command::new(program).args(arguments))
}

/// Runs a prepared program in this terminal; its failure is an error.
pub(crate) fn run_command(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

/// What a program prints; its failure is an error with its last words.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).output().with_context(|| format!("cannot start `{}`", line(&command)))?;
    text(output).with_context(|| format!("`{}` failed", line(&command)))
}

/// Whether a program is on the path.
pub(crate) fn is_installed(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", r#"command -v "$0" >/dev/null"#, program])
        .status()
        .is_ok_and(|status| status.success())
}

fn text(output: Output) -> Result<String> {
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
