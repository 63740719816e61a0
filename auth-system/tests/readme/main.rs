//! What the documentation says: the first session of both READMEs works as it is written, and every link leads somewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use test_peers::free_port;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const DEADLINE: Duration = Duration::from_secs(30);

/// Reports each answer's status, and keeps the last answer.
const CURL: &str = r#"curl() { command curl -sS -w '\nstatus %{http_code}\n' "$@" | tee answer; }"#;
/// What a reader does where the text says to copy the token out of the answer.
const COPY_TOKEN: &str = r#"TOKEN=$(sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p' answer)"#;

/// The program in a folder of its own, as `cargo run` starts it.
struct Program {
    child: Child,
    folder: TempDir,
    port: u16,
    gateway_port: u16,
}

impl Program {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [port, metrics_port, gateway_port, admin_port] = [(); 4].map(|()| free_port().unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_auth-system"))
            .env_clear()
            .env("SERVICE_ADDR", format!(":{port}"))
            .env("METRICS_ADDR", format!("127.0.0.1:{metrics_port}"))
            .env("GATEWAY_ADDR", format!(":{gateway_port}"))
            .env("ADMIN_ADDR", format!(":{admin_port}"))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let program = Self { child, folder, port, gateway_port };
        let deadline = Instant::now() + DEADLINE;
        while !program.sh("curl -fsS http://localhost:8000/api/v1/health/ready").status.success() {
            assert!(Instant::now() < deadline, "the program is not ready");
        }
        program
    }

    /// Runs commands of a README in this program's folder, and at its port.
    fn sh(&self, commands: &str) -> std::process::Output {
        let commands = commands.replace("localhost:8000", &format!("localhost:{}", self.port));
        let commands = commands.replace("localhost:8080", &format!("localhost:{}", self.gateway_port));
        Command::new("sh").args(["-euc", &commands]).current_dir(self.folder.path()).output().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn the_first_session_works_as_the_readme_says() {
    let statuses = first_session("README.md", "Invalid token");
    assert_eq!(statuses, ["200", "201", "200", "200", "200", "200", "200", "204", "401"]);
}

#[test]
fn the_first_session_works_as_the_korean_readme_says() {
    let statuses = first_session("README.ko.md", "토큰이 유효하지 않습니다.");
    assert_eq!(statuses, ["200", "201", "200", "200", "200", "200", "200", "204", "401"]);
}

/// The statuses of the calls, of which the one that asks for headers must show them and the last must say `farewell`.
fn first_session(readme: &str, farewell: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(ROOT).join(readme)).unwrap();
    let calls = shell_blocks(&text).into_iter().filter(|block| block.contains("curl ")).collect::<String>();
    let calls: Vec<_> = calls.lines().map(|line| if line.starts_with("TOKEN=") { COPY_TOKEN } else { line }).collect();
    let finished = Program::start().sh(&format!("{CURL}\n{}", calls.join("\n")));
    let out = String::from_utf8(finished.stdout).unwrap();
    assert!(finished.status.success(), "{out}\n{}", String::from_utf8_lossy(&finished.stderr));
    for header in ["strict-transport-security", "x-content-type-options", "x-frame-options", "x-xss-protection"] {
        assert!(out.contains(header), "{header} is not in\n{out}");
    }
    assert!(out.contains(farewell), "{farewell} is not in\n{out}");
    out.lines().filter_map(|line| line.strip_prefix("status ")).map(str::to_owned).collect()
}

/// The fenced blocks of shell commands.
fn shell_blocks(markdown: &str) -> Vec<&str> {
    markdown.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let root = Path::new(ROOT);
    let mut pages = markdown_in(root);
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        pages.extend(markdown_in(&folder));
        folders.extend(entries(&folder).into_iter().filter(|path| path.is_dir()));
    }
    assert!(pages.len() > 10, "{pages:?}");
    let broken: Vec<_> = pages.iter().flat_map(|page| broken_links(page)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_book_has_every_page_in_both_languages() {
    let docs = Path::new(ROOT).join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<&str> = summary.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    let within = |folder: &str| {
        let pages = markdown_in(&docs.join(folder)).into_iter();
        pages.map(|page| page.strip_prefix(&docs).unwrap().to_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    for folder in ["guides", "ko", "ko/guides", "performance", "runbooks"] {
        let missing: Vec<_> = within(folder).into_iter().filter(|page| !listed.contains(page.as_str())).collect();
        assert!(missing.is_empty(), "docs/SUMMARY.md lacks {missing:?}");
    }
    let korean: BTreeSet<_> =
        within("ko/guides").iter().map(|page| page.trim_start_matches("ko/").to_owned()).collect();
    assert_eq!(korean, within("guides"), "every guide is in both languages");
}

fn broken_links(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let relative = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    relative.filter(|target| !leads(page, target)).map(|target| format!("{}: {target}", page.display())).collect()
}

/// Whether a link of this page leads to a file, and to a heading where it names one.
fn leads(page: &Path, target: &str) -> bool {
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let file = if file.is_empty() { page.to_owned() } else { page.with_file_name(file) };
    if heading.is_empty() {
        return file.exists();
    }
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading)
}

/// The anchor that a heading gets: lower case, without punctuation, its spaces as hyphens.
fn anchor(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = title.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn markdown_in(folder: &Path) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
