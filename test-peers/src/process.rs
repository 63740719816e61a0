//! One server process, with its folder and its log.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::PeerError;
use crate::account::Account;
use crate::folder::Folder;
use crate::signal::{send, send_to_tree};

const READY_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);
const LOG_LINES: usize = 20;

/// Leaves the server's number, which `exec` keeps; fails when the watchdog has removed the folder already.
const RECORD_AND_RUN: &str = r#"echo $$ >"$0/pid" && exec "$@""#;

/// A server's program, its arguments, and whom to run it as.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) account: Option<Account>,
}

/// A server that may be stopped and started again.
#[derive(Debug)]
pub(crate) struct Process {
    launch: Launch,
    child: Mutex<Option<Child>>,
    // The last to be dropped: the watchdog removes the folder after the server has ended.
    folder: Folder,
}

impl Process {
    pub(crate) fn new(folder: Folder, launch: Launch) -> Self {
        Self { launch, child: Mutex::new(None), folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its number, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.slot().as_ref().map(Child::id)
    }

    /// Starts the server and waits until `is_ready` says so of its process number; does nothing if it runs.
    pub(crate) fn start(&self, is_ready: impl Fn(u32) -> bool) -> Result<(), PeerError> {
        let mut slot = self.slot();
        if slot.is_some() {
            return Ok(());
        }
        let mut child = self.spawn()?;
        let deadline = Instant::now() + READY_DEADLINE;
        while !is_ready(child.id()) {
            let ended = child.try_wait().map_err(PeerError::io("watch the server"))?.is_some();
            if ended || Instant::now() > deadline {
                self.reap(child)?;
                return Err(PeerError::NotReady { program: self.launch.program.clone(), log: self.log_tail() });
            }
            std::thread::sleep(POLL);
        }
        *slot = Some(child);
        Ok(())
    }

    /// Ends the server in its orderly way and waits for that; does nothing if it does not run.
    pub(crate) fn stop(&self) -> Result<(), PeerError> {
        let mut slot = self.slot();
        let Some(mut child) = slot.take() else {
            return Ok(());
        };
        send_to_tree("CONT", &child)?;
        send(self.folder.end_signal(), &child)?;
        let deadline = Instant::now() + STOP_DEADLINE;
        while child.try_wait().map_err(PeerError::io("watch the server"))?.is_none() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        self.reap(child)
    }

    /// Ends the server and its children at once, as a crash would; does nothing if it does not run.
    pub(crate) fn kill(&self) -> Result<(), PeerError> {
        let mut slot = self.slot();
        let Some(child) = slot.take() else {
            return Ok(());
        };
        send_to_tree("KILL", &child)?;
        self.reap(child)
    }

    /// Signals the server and its children; does nothing if it does not run.
    pub(crate) fn signal(&self, signal: &str) -> Result<(), PeerError> {
        self.slot().as_ref().map_or(Ok(()), |child| send_to_tree(signal, child))
    }

    fn spawn(&self) -> Result<Child, PeerError> {
        let log = File::options().create(true).append(true).open(self.log_path());
        let log = log.map_err(PeerError::io("open the server's log"))?;
        let mut command = Command::new("sh");
        command.args(["-c", RECORD_AND_RUN]).arg(self.folder()).arg(&self.launch.program).args(&self.launch.arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0).current_dir(self.folder());
        if let Some(account) = self.launch.account {
            account.run(&mut command);
        }
        command.spawn().map_err(PeerError::io(format!("start {}", self.launch.program.display())))
    }

    /// Ends what still runs, and forgets its number before the system gives it to another process.
    fn reap(&self, mut child: Child) -> Result<(), PeerError> {
        child.kill().and_then(|()| child.wait()).map_err(PeerError::io("end the server"))?;
        fs::remove_file(self.folder().join("pid")).map_err(PeerError::io("forget the server's number"))
    }

    fn slot(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_path(&self) -> PathBuf {
        self.folder().join("log")
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What fails here is left to the watchdog, which the folder sets to work next.
        let _ = self.stop();
    }
}
