//! A page of the documentation, as the blocks that a reader types or writes into files.

use std::{fs, path::PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// The fences of what is followed; others show what is read: answers, queries of Prometheus, commands for elsewhere.
const FOLLOWED: [&str; 8] = ["sh", "ini", "toml", "sql", "js", "python", "html", "rust"];

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What stands behind the opening fence.
    pub fence: String,
    /// The lines between, each with its end.
    pub text: String,
}

/// A file or folder of the repository.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(ROOT).join(name)
}

/// The text of a file of the repository.
pub fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|cause| panic!("{name}: {cause}"))
}

/// The blocks of a page that its reader follows.
pub fn followed(page: &str) -> Vec<Block> {
    let all = blocks(&read(page)).into_iter();
    all.filter(|block| FOLLOWED.contains(&block.fence.as_str())).collect()
}

/// Every fenced block of a text.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let (mut blocks, mut open) = (Vec::new(), None::<Block>);
    for line in markdown.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, None) => {}
            (None, Some(fence)) => open = Some(Block { fence: fence.to_owned(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text += &format!("{line}\n"),
        }
    }
    assert_eq!(open, None, "a fence is not closed");
    blocks
}

/// The Markdown files of a folder, each by its path from the repository.
pub fn pages(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(path(folder)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<_> =
        entries.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")).collect();
    pages.sort();
    pages
}
