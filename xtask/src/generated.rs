//! `cargo xtask gen`: files that the program writes about itself.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{output, run};

/// The program's subcommand, and the file that holds what it prints.
const FILES: [(&str, &str); 4] = [
    ("openapi", "docs/openapi.json"),
    ("docs env-example", ".env.example"),
    ("docs configuration", "docs/configuration.md"),
    ("docs errors", "docs/errors.md"),
];

/// Writes every file.
pub(crate) fn write() -> Result<()> {
    let program = build()?;
    for (subcommand, file) in FILES {
        let text = print(&program, subcommand)?;
        fs::create_dir_all(Path::new(file).parent().unwrap_or(Path::new(".")))?;
        fs::write(file, text).with_context(|| format!("cannot write {file}"))?;
        println!("{file}");
    }
    Ok(())
}

/// Every file is what the program prints now.
pub(crate) fn compare() -> Result<String> {
    let program = build()?;
    let mut stale = Vec::new();
    for (subcommand, file) in FILES {
        let (printed, kept) = (print(&program, subcommand)?, fs::read_to_string(file).unwrap_or_default());
        stale.extend(first_difference(&kept, &printed).map(|line| format!("{file} (line {line})")));
    }
    if !stale.is_empty() {
        bail!("run `cargo xtask gen`, not up to date: {}", stale.join(", "));
    }
    Ok(format!("{} files", FILES.len()))
}

/// Builds the program once; cargo leaves it beside ours, for both are built in the same profile.
fn build() -> Result<String> {
    run("cargo", &["build", "--quiet", "--locked", "--package", "auth-system"])?;
    let program = std::env::current_exe()?.with_file_name("auth-system");
    Ok(program.to_str().context("the target folder's name is not UTF-8")?.to_owned())
}

fn print(program: &str, subcommand: &str) -> Result<String> {
    let text = output(program, &subcommand.split(' ').collect::<Vec<_>>())?;
    // Else a file that is missing would look up to date.
    ensure!(!text.is_empty(), "`auth-system {subcommand}` prints nothing");
    Ok(text)
}

/// The number of the first line that differs.
fn first_difference(kept: &str, printed: &str) -> Option<usize> {
    if kept == printed {
        return None;
    }
    let same = kept.split('\n').zip(printed.split('\n')).take_while(|(kept, printed)| kept == printed).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn first_differing_line_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\nb", "a\nb\n"), Some(3));
        assert_eq!(first_difference("", "a\n"), Some(1));
    }
}
