//! The running program.

use std::{
    fs::File,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    client::Client,
    support::{DEADLINE, comes_within},
};

/// What a failed test shows of the log.
const LAST_LINES: usize = 30;

/// The running program, ended with this value.
pub struct Program {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    pub client: Client,
    /// Outlives the place that it was started in.
    _folder: Arc<TempDir>,
}

impl Program {
    /// Starts it in a folder that outlives it; a client will find it at `port`.
    pub fn spawn(mut command: Command, folder: Arc<TempDir>, port: u16) -> Self {
        let [out, err] = ["stdout", "stderr"].map(|name| folder.path().join(name));
        command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        Self { child: command.spawn().unwrap(), out, err, client: Client::new(port), _folder: folder }
    }

    /// What it has printed and logged.
    pub fn out(&self) -> String {
        read(&self.out)
    }

    /// What it has complained of.
    pub fn err(&self) -> String {
        read(&self.err)
    }

    fn last_lines(&self) -> String {
        let out = self.out();
        let lines: Vec<&str> = out.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the readiness check says so.
    pub async fn until_ready(&self) {
        self.until("it is ready", async || self.client.is_ready().await).await;
    }

    /// Waits until its log, or what it prints, holds a text.
    pub async fn until_logged(&self, text: &str) {
        self.until(text, async || self.out().contains(text)).await;
    }

    /// Waits for a condition; one that does not come shows the log.
    pub async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        if !comes_within(DEADLINE, condition).await {
            panic!("waited in vain until {what}; the log ends:\n{}{}", self.last_lines(), self.err());
        }
    }

    /// Sends a signal such as `TERM`.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").args(["-s", signal, &self.id().to_string()]).status().unwrap();
        assert!(status.success(), "{signal} was not sent");
    }

    /// Waits for its end; the exit code, or nothing when a signal ended it.
    pub async fn ended(&mut self) -> Option<i32> {
        let mut status = None;
        let deadline = Instant::now() + DEADLINE;
        while status.is_none() {
            assert!(Instant::now() < deadline, "it does not end; the log ends:\n{}", self.last_lines());
            status = self.child.try_wait().unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        status.as_ref().and_then(ExitStatus::code)
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        assert_eq!(self.child.wait().unwrap().signal(), Some(9), "it ended by itself:\n{}", self.last_lines());
    }

    /// Asks it to stop, and waits for its end.
    pub async fn stop(mut self) {
        self.signal("TERM");
        assert_eq!(self.ended().await, Some(0), "{}{}", self.out(), self.err());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}
