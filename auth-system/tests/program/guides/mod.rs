//! The guides and runbooks in both languages: commands and settings in order and as they stand, against real parts.

mod apps;
mod audit;
mod operation;
mod page;
mod people;
mod reader;
mod runbooks;
mod setup;
mod social_login;
mod troubleshooting;

use std::{fs, path::Path};

use page::{Block, blocks, pages, read};

/// Where the book has commands; runbooks are all read by their test.
const FOLDERS: [&str; 4] = ["docs", "docs/guides", "docs/ko", "docs/ko/guides"];
/// Fences of what means the same to a machine in both languages; one program in Python is in English alone.
const SHARED: [&str; 9] = ["sh", "bash", "ini", "toml", "sql", "js", "json", "yaml", "promql"];

#[test]
fn every_page_with_commands_is_a_case_of_a_test() {
    let tests = sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")));
    let with_commands =
        |page: &String| blocks(&read(page)).iter().any(|block| ["sh", "ini"].contains(&block.fence.as_str()));
    let pages: Vec<_> = FOLDERS.into_iter().flat_map(pages).filter(with_commands).collect();
    assert!(pages.len() > 30, "{pages:?}");
    let left: Vec<_> = pages.iter().filter(|page| !tests.contains(&format!("#[case(\"{page}\""))).collect();
    assert!(left.is_empty(), "no test follows {left:?}");
}

#[test]
fn both_languages_have_the_same_blocks() {
    for korean in [pages("docs/ko"), pages("docs/ko/guides")].concat() {
        let english = korean.replace("docs/ko/", "docs/");
        let (ours, theirs) = (shared(&english), shared(&korean));
        let differs = |(ours, theirs): &(&String, &String)| ours != theirs && !theirs.contains(is_hangul);
        let different: Vec<_> = ours.iter().zip(&theirs).filter(differs).collect();
        assert!(ours.len() == theirs.len() && different.is_empty(), "{english}, {korean}: {different:#?}");
    }
}

/// The fences and lines of a page's blocks, without comments, which are for people.
fn shared(page: &str) -> Vec<String> {
    let mut shared = Vec::new();
    for Block { fence, text } in blocks(&read(page)).into_iter().filter(|block| SHARED.contains(&block.fence.as_str()))
    {
        let mark = match fence.as_str() {
            "js" => "//",
            "sql" => "--",
            _ => "#",
        };
        let lines = text.lines().map(|line| without_comment(line, mark)).filter(|line| !line.is_empty());
        shared.extend([format!("```{fence}")].into_iter().chain(lines));
    }
    shared
}

fn is_hangul(letter: char) -> bool {
    ('가'..='힣').contains(&letter)
}

fn without_comment(line: &str, mark: &str) -> String {
    let begins = if line.starts_with(mark) { Some(0) } else { line.find(&format!(" {mark} ")) };
    line[..begins.unwrap_or(line.len())].trim_end().to_owned()
}

/// The text of all sources below a folder.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { sources(&path) } else { fs::read_to_string(path).unwrap_or_default() })
        .collect()
}
