//! A real browser: Chromium, steered through Node.

mod accessibility;
mod outlook;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::{fs, io};

use serde_json::{Value, json};

pub use self::accessibility::Violation;
pub use self::outlook::{Motion, Outlook, Scheme, Scripts};
use crate::folder::Folder;
use crate::{PeerError, installation};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node/browser.mjs");

/// A browser with one page, ended with this value. It finds every name at 127.0.0.1, so that `https://app.example:PORT`
/// and `https://auth.example:PORT` are two sites of this machine, and takes any certificate. Each step waits for its
/// element or address, up to a deadline.
pub struct Browser {
    steering: Mutex<Steering>,
    // The last to be dropped: what the browser leaves goes with it.
    folder: Folder,
}

struct Steering {
    child: Child,
    steps: Option<ChildStdin>,
    results: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts the installed browser.
    ///
    /// # Errors
    /// [`PeerError`] says what to install, or how the browser failed.
    pub fn start() -> Result<Self, PeerError> {
        let program = installation::chromium()?;
        let modules = installation::node_modules("playwright-core")?;
        let folder = Folder::create("TERM")?;
        let mut command = Command::new(installation::node()?);
        command.arg(SCRIPT).arg(json!({"modules": modules, "program": program.path}).to_string());
        command.env("TMPDIR", folder.path()).env("HOME", folder.path()).current_dir(folder.path());
        if let Some(folder) = program.brings {
            command.env("LD_LIBRARY_PATH", folder.join("lib")).env("FONTCONFIG_FILE", folder.join("fonts.conf"));
        }
        let log = fs::File::create(folder.path().join("log")).map_err(PeerError::io("open the browser's log"))?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(PeerError::io("start the browser"))?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        fs::write(folder.path().join("pid"), child.id().to_string())
            .map_err(PeerError::io("leave the browser's number"))?;
        let (steps, results) =
            pipes.ok_or_else(|| PeerError::io("steer the browser")(io::ErrorKind::BrokenPipe.into()))?;
        let steering = Steering { child, steps: Some(steps), results: BufReader::new(results) };
        let browser = Self { steering: Mutex::new(steering), folder };
        browser.url()?;
        Ok(browser)
    }

    /// Goes to an address, through its redirects; the status of the last answer.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if nothing is there.
    pub fn goto(&self, url: &str) -> Result<u16, PeerError> {
        let status = self.step(&json!({"do": "goto", "url": url}))?;
        Ok(status.as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default())
    }

    /// Types a text into the field that a CSS selector finds, in place of what is there.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if there is no such field.
    pub fn fill(&self, selector: &str, text: &str) -> Result<(), PeerError> {
        self.step(&json!({"do": "fill", "selector": selector, "text": text})).map(drop)
    }

    /// Clicks on what a CSS selector finds.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if there is nothing to click on.
    pub fn click(&self, selector: &str) -> Result<(), PeerError> {
        self.step(&json!({"do": "click", "selector": selector})).map(drop)
    }

    /// Chooses an option of what a CSS selector finds, by its value.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if there is no such option.
    pub fn select(&self, selector: &str, value: &str) -> Result<(), PeerError> {
        self.step(&json!({"do": "select", "selector": selector, "value": value})).map(drop)
    }

    /// Ticks the box that a CSS selector finds.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if there is no such box.
    pub fn check(&self, selector: &str) -> Result<(), PeerError> {
        self.step(&json!({"do": "check", "selector": selector})).map(drop)
    }

    /// Takes the tick away.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if there is no such box.
    pub fn uncheck(&self, selector: &str) -> Result<(), PeerError> {
        self.step(&json!({"do": "uncheck", "selector": selector})).map(drop)
    }

    /// Presses a key, such as `Enter`, `/` or `Shift+Tab`, wherever the focus is.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if there is no such key.
    pub fn press(&self, key: &str) -> Result<(), PeerError> {
        self.step(&json!({"do": "press", "key": key})).map(drop)
    }

    /// Goes back to the page before, as the browser's button does.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if it cannot be shown.
    pub fn go_back(&self) -> Result<(), PeerError> {
        self.step(&json!({"do": "goBack"})).map(drop)
    }

    /// Waits until the page's address begins so; the whole address.
    ///
    /// # Errors
    /// [`PeerError::Answer`] with the address at which the page has stayed.
    pub fn wait_for_url(&self, prefix: &str) -> Result<String, PeerError> {
        self.step(&json!({"do": "waitForUrl", "prefix": prefix})).map(|text| words(&text))
    }

    /// Waits until a CSS selector finds something that can be seen.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if it does not.
    pub fn wait_for(&self, selector: &str) -> Result<(), PeerError> {
        self.step(&json!({"do": "waitFor", "selector": selector})).map(drop)
    }

    /// Waits until nothing can be seen of what a CSS selector finds.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if something can.
    pub fn wait_until_gone(&self, selector: &str) -> Result<(), PeerError> {
        self.step(&json!({"do": "waitUntilGone", "selector": selector})).map(drop)
    }

    /// The page's address.
    ///
    /// # Errors
    /// [`PeerError::Answer`].
    pub fn url(&self) -> Result<String, PeerError> {
        self.step(&json!({"do": "url"})).map(|text| words(&text))
    }

    /// The text that a person reads in what a CSS selector finds.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if it finds nothing.
    pub fn text(&self, selector: &str) -> Result<String, PeerError> {
        self.step(&json!({"do": "text", "selector": selector})).map(|text| words(&text))
    }

    /// The value of an expression in JavaScript, promises awaited.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if it throws, or the page forbids it.
    pub fn evaluate(&self, expression: &str) -> Result<Value, PeerError> {
        self.step(&json!({"do": "evaluate", "expression": expression}))
    }

    /// All cookies of all sites: objects with `name`, `value`, `domain`, `path`, `expires`, `httpOnly`, `secure` and
    /// `sameSite`.
    ///
    /// # Errors
    /// [`PeerError::Answer`].
    pub fn cookies(&self) -> Result<Vec<Value>, PeerError> {
        let cookies = self.step(&json!({"do": "cookies"}))?;
        Ok(cookies.as_array().cloned().unwrap_or_default())
    }

    /// What the page has complained about: errors of scripts, what its policy has blocked, requests that have failed or
    /// were refused.
    ///
    /// # Errors
    /// [`PeerError::Answer`].
    pub fn complaints(&self) -> Result<Vec<String>, PeerError> {
        let complaints = self.step(&json!({"do": "complaints"}))?;
        Ok(complaints.as_array().into_iter().flatten().map(words).collect())
    }

    /// The same, which is then forgotten.
    ///
    /// # Errors
    /// [`PeerError::Answer`].
    pub fn take_complaints(&self) -> Result<Vec<String>, PeerError> {
        let complaints = self.complaints()?;
        self.step(&json!({"do": "forgetComplaints"}))?;
        Ok(complaints)
    }

    /// Draws the whole page into a PNG file; what the window shows, where a dialog covers it.
    ///
    /// # Errors
    /// [`PeerError::Answer`] if the file cannot be written.
    pub fn screenshot(&self, path: &Path) -> Result<(), PeerError> {
        self.step(&json!({"do": "screenshot", "path": path})).map(drop)
    }

    /// Forgets everything, as if it had never run, and opens an empty page.
    ///
    /// # Errors
    /// [`PeerError::Answer`].
    pub fn start_afresh(&self) -> Result<(), PeerError> {
        self.step(&json!({"do": "startAfresh"})).map(drop)
    }

    fn step(&self, step: &Value) -> Result<Value, PeerError> {
        let mut steering = self.steering.lock().unwrap_or_else(PoisonError::into_inner);
        let mut result = steering.take(step).map_err(PeerError::io("steer the browser"))?;
        match result["error"].as_str() {
            Some(error) => Err(PeerError::Answer(error.to_owned())),
            None => Ok(result["value"].take()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let steering = self.steering.get_mut().unwrap_or_else(PoisonError::into_inner);
        // The end of the input is the browser's.
        drop(steering.steps.take());
        let _ = io::copy(&mut steering.results, &mut io::sink());
        let _ = steering.child.wait();
        // The system gives the number to another process, which is not the watchdog's.
        let _ = fs::remove_file(self.folder.path().join("pid"));
    }
}

impl Steering {
    fn take(&mut self, step: &Value) -> io::Result<Value> {
        let steps = self.steps.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        steps.write_all(format!("{step}\n").as_bytes())?;
        let mut line = String::new();
        if self.results.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
