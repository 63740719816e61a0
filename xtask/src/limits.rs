//! How long files may be; functions are clippy's affair (`clippy.toml`).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

const LINES_MAX: usize = 400;
const LINES_P90: usize = 250;
/// The one that runs a query on either database.
const MACROS_MAX: usize = 1;

#[derive(Debug, PartialEq, Eq)]
struct SourceFile {
    path: PathBuf,
    lines: usize,
    macros: usize,
}

/// No Rust file is too long, most are short, and macros stay the exception.
pub(crate) fn check() -> Result<String> {
    let mut files = Vec::new();
    collect(Path::new("."), &mut files)?;
    judge(files)
}

fn collect(folder: &Path, files: &mut Vec<SourceFile>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            collect(&path, files)?;
        } else if name.ends_with(".rs") {
            files.push(measure(path.clone(), &fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

fn measure(path: PathBuf, text: &str) -> SourceFile {
    let macros = text.lines().filter(|line| line.trim_start().starts_with("macro_rules!")).count();
    SourceFile { path, lines: text.lines().count(), macros }
}

fn judge(mut files: Vec<SourceFile>) -> Result<String> {
    files.sort_by_key(|file| file.lines);
    let p90 = files.get(files.len() * 9 / 10).map_or(0, |file| file.lines);
    let longest = files.last().map_or(0, |file| file.lines);
    let mut findings: Vec<_> = files
        .iter()
        .filter(|file| file.lines > LINES_MAX)
        .map(|file| format!("{} has {} lines, {LINES_MAX} are allowed", file.path.display(), file.lines))
        .collect();
    if p90 > LINES_P90 {
        findings.push(format!("one file in ten is longer than {LINES_P90} lines (90th percentile: {p90})"));
    }
    let macros: Vec<_> = files.iter().filter(|file| file.macros > 0).collect();
    if macros.iter().map(|file| file.macros).sum::<usize>() > MACROS_MAX {
        let paths: Vec<_> = macros.iter().map(|file| file.path.display().to_string()).collect();
        findings.push(format!("more than {MACROS_MAX} macro_rules!: {}", paths.join(", ")));
    }
    if !findings.is_empty() {
        bail!("{}", findings.join("\n  "));
    }
    Ok(format!("{} files, 90 % within {p90} lines, longest {longest}", files.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: usize, macros: usize) -> SourceFile {
        SourceFile { path: format!("{lines}.rs").into(), lines, macros }
    }

    #[test]
    fn lines_and_macros_are_counted() {
        let measured = measure("a.rs".into(), "//! macro_rules! in words\n    macro_rules! run {\n}\n");
        assert_eq!(measured, SourceFile { path: "a.rs".into(), lines: 3, macros: 1 });
    }

    #[test]
    fn file_over_the_limit_is_named() {
        let files = (0..20).map(|_| file(10, 0)).chain([file(401, 0)]).collect();
        assert_eq!(judge(files).unwrap_err().to_string(), "401.rs has 401 lines, 400 are allowed");
    }

    #[test]
    fn nine_files_in_ten_have_to_be_short() {
        assert!(judge((0..9).map(|_| file(10, 0)).chain([file(300, 0), file(300, 0)]).collect()).is_err());
        let summary = judge((0..19).map(|_| file(10, 0)).chain([file(300, 0)]).collect()).unwrap();
        assert_eq!(summary, "20 files, 90 % within 10 lines, longest 300");
    }

    #[test]
    fn second_macro_is_refused_with_both_places() {
        assert!(judge(vec![file(1, 1), file(2, 0)]).is_ok());
        let message = judge(vec![file(1, 1), file(2, 1)]).unwrap_err().to_string();
        assert!(message.contains("1.rs, 2.rs"), "{message}");
    }
}
