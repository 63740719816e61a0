//! Somebody who follows a page, block by block: their shell and files, and what they write in place of what is shown.

use std::{
    collections::VecDeque,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use test_peers::installation;

use super::page::{self, Block};
use crate::{
    program::Program,
    support::{PROGRAM, Workplace},
};

/// `cargo run --` is the program, which is built; every call tells its status, and a stream without an end is left after
/// a second.
const PRELUDE: &str = r#"exec 2>&1
cargo() {
  [ "$1" != build ] || return 0
  while [ "$1" != -- ]; do shift; done; shift; auth-system "$@"
}
curl() {
  case " $* " in
    *" -N "*) command curl -sS -w '%{stderr}\nstatus %{http_code}\n' --max-time 1 "$@" || [ $? = 28 ] ;;
    *) command curl -sS -w '%{stderr}\nstatus %{http_code}\n' --max-time 20 "$@" ;;
  esac
}
"#;
const END: &str = "the end of a block";

/// A reader at the beginning of a page, or further down.
pub struct Reader {
    page: String,
    blocks: VecDeque<Block>,
    replaced: Vec<(String, String)>,
    pub place: Workplace,
    shell: Shell,
}

impl Reader {
    /// Opens a page in a place; what listens in it is what the page calls localhost.
    pub fn open(page: &str, place: &Workplace) -> Self {
        let replaced = [("localhost:8000", place.port), ("localhost:8080", place.gateway_port)];
        let replaced = replaced.map(|(shown, port)| (shown.to_owned(), format!("localhost:{port}"))).to_vec();
        let (place, blocks) = (place.clone(), page::followed(page).into());
        let shell = Shell::start(&place);
        Self { page: page.to_owned(), blocks, replaced, place, shell }
    }

    /// Writes their own in place of what the rest of the page shows.
    pub fn replace(&mut self, shown: &str, own: &str) {
        let is_shown = self.blocks.iter().any(|block| block.text.contains(shown));
        assert!(is_shown, "{} does not show {shown} any more", self.page);
        self.replaced.retain(|(known, _)| known != shown);
        self.replaced.push((shown.to_owned(), own.to_owned()));
    }

    /// Sets a variable of the environment, for the shell and for programs that are started from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        let quoted = value.replace('\'', r"'\''");
        let (code, out) = self.shell.run(&self.place, &format!("export {name}='{quoted}'\n"));
        assert_eq!(code, Some(0), "{name}={value}: {out}");
        self.place = self.place.clone().set(name, value);
    }

    /// Runs the next block of commands, whose calls are answered with these statuses; what it prints.
    pub fn run(&mut self, statuses: &[u16]) -> String {
        let (commands, code, out) = self.run_next();
        assert_eq!(code, Some(0), "{}:\n{commands}\n{out}", self.page);
        let told: Vec<u16> = out.lines().filter_map(|line| line.strip_prefix("status ")?.parse().ok()).collect();
        assert_eq!(told, statuses, "{}:\n{commands}\n{out}", self.page);
        out
    }

    /// Runs the next block of commands, the last of which ends with this code; goes on in a new shell.
    pub fn run_to(&mut self, expected: i32) -> String {
        let (commands, code, out) = self.run_next();
        assert_eq!(code, Some(expected), "{}:\n{commands}\n{out}", self.page);
        self.shell = Shell::start(&self.place);
        out
    }

    /// Sets the variables of the next block of settings, in the form that systemd, docker-compose, a shell and `.env` all
    /// read; its text.
    pub fn settings(&mut self) -> String {
        let text = self.next("ini");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{}: {line}", self.page));
            assert!(!value.contains(" #"), "{}: {line}: systemd and Docker take the comment for a part", self.page);
            let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            assert!(
                unquoted.is_some() || !value.contains([' ', '"', '<', '&']),
                "{}: {line}: shells split it",
                self.page
            );
            self.set(name, unquoted.unwrap_or(value));
        }
        text
    }

    /// Starts the server whose command is the next block.
    pub fn serve(&mut self) -> Program {
        let command = self.next("sh");
        let mut words = command.split_whitespace().take_while(|word| *word != "#");
        assert_eq!(words.next(), Some("auth-system"), "{}: {command}", self.page);
        self.place.spawn(&words.collect::<Vec<_>>())
    }

    /// The next block, of this kind, as the reader writes it.
    pub fn next(&mut self, fence: &str) -> String {
        let block = self.blocks.pop_front().unwrap_or_else(|| panic!("{} has no more blocks", self.page));
        assert_eq!(block.fence, fence, "{}:\n{}", self.page, block.text);
        self.replaced.iter().fold(block.text, |text, (shown, own)| text.replace(shown, own))
    }

    /// The block that comes next, if any does.
    pub fn upcoming(&self) -> Option<&Block> {
        self.blocks.front()
    }

    /// Writes a file in the reader's folder.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.place.path(name), text).unwrap();
    }

    /// Closes the page, of which nothing may be left.
    pub fn close(self) {
        assert!(self.blocks.is_empty(), "{} goes on: {:#?}", self.page, self.blocks);
    }

    fn run_next(&mut self) -> (String, Option<i32>, String) {
        let commands = self.next("sh");
        let (code, out) = self.shell.run(&self.place, &commands);
        (commands, code, out)
    }
}

/// A shell that stays, ended with this value.
struct Shell {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Shell {
    fn start(place: &Workplace) -> Self {
        let programs = [
            Path::new(PROGRAM).parent().unwrap().to_owned(),
            installation::postgres_clients().unwrap(),
            installation::redis_server().unwrap().parent().unwrap().to_owned(),
            installation::node().unwrap().parent().unwrap().to_owned(),
            installation::jq().unwrap().parent().unwrap().to_owned(),
        ];
        let path = programs.iter().map(|folder| folder.display().to_string() + ":").collect::<String>();
        let mut command = place.shell();
        command.arg("-eu").env("PATH", path + "/usr/bin:/bin").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut shell = Self { child, input, output };
        shell.input.write_all(PRELUDE.as_bytes()).unwrap();
        shell
    }

    /// Runs commands; the code that they ended the shell with, or zero, and what they printed.
    fn run(&mut self, place: &Workplace, commands: &str) -> (Option<i32>, String) {
        // From a file: what reads standard input must not read the commands that follow.
        fs::write(place.path(".block"), commands).unwrap();
        writeln!(self.input, ". ./.block </dev/null; printf '\\n%s\\n' '{END}'").unwrap();
        let mut out = String::new();
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return (self.child.wait().unwrap().code(), out);
            }
            if line.trim_end() == END {
                return (Some(0), out);
            }
            out += &line;
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
