//! One server process with its folder, its log and the watchdog that outlives us to clear up.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::PeerError;

const READY_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);
const LOG_LINES: usize = 20;

/// `signal_tree SIGNAL PID` signals a server and its children: PostgreSQL's are in process groups of their own, and
/// stopping the parent first keeps it from adding any meanwhile. After KILL it waits for the children, which nobody else
/// does and whose shared memory would keep PostgreSQL from starting again.
const SIGNAL_TREE: &str = r#"
children_of() { cat "/proc/$1/task/$1/children" 2>/dev/null || pgrep -P "$1"; }
is_alive() { read -r stat <"/proc/$1/stat" && case $stat in *") Z "*) return 1 ;; esac }
signal_tree() {
    kill -s STOP "$2" || return 0
    children=$(children_of "$2")
    kill -s "$1" $children "$2"
    [ "$1" = KILL ] || return 0
    for child in $children; do
        while is_alive "$child"; do sleep 0.01; done
    done
}
"#;

/// Waits for the end of its input, which is our end; then ends the server by the signal `$2` and removes the folder `$1`.
/// The server's number is read off a file because the server may have been started again since.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
read -r _
if pid=$(cat "$1/pid"); then
    signal_tree CONT "$pid"
    kill -s "$2" "$pid"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        kill -0 "$pid" || break
        sleep 0.1
    done
    signal_tree KILL "$pid"
fi
rm -rf "$1"
"#;

/// Leaves the server's number, which `exec` keeps; fails when the watchdog has removed the folder already.
const RECORD_AND_RUN: &str = r#"echo $$ >"$0/pid" && exec "$@""#;

/// Whom a server runs as when we are root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

/// A server's program, its arguments, and whom to run it as.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) account: Option<Account>,
}

/// A folder that the watchdog removes once our process, or this value, has ended.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    end_signal: &'static str,
    watchdog: Child,
}

/// A server that may be stopped and started again.
#[derive(Debug)]
pub(crate) struct Process {
    launch: Launch,
    child: Mutex<Option<Child>>,
    // Dropped last: the watchdog removes the folder after the server has ended.
    folder: Folder,
}

impl Account {
    /// The account to use in place of root: `postgres`, else `nobody`. `None` if we are not root.
    pub(crate) fn in_place_of_root(folder: &Folder) -> Result<Option<Self>, PeerError> {
        let ours = fs::metadata(&folder.path)
            .map_err(PeerError::io("read the owner of our folder"))?
            .uid();
        if ours != 0 {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").map_err(PeerError::io("read /etc/passwd"))?;
        let account = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| find_account(&passwd, name));
        account.map(Some).ok_or(PeerError::NoAccount)
    }

    /// Makes a command run as this account.
    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

impl Folder {
    /// Makes an empty folder for a server that is ended by a signal such as `TERM`.
    pub(crate) fn create(end_signal: &'static str) -> Result<Self, PeerError> {
        let folder = tempfile::Builder::new()
            .prefix("test-peer-")
            .tempdir()
            .map_err(PeerError::io("make a folder"))?;
        let watchdog = Command::new("sh")
            .args(["-c", &format!("{SIGNAL_TREE}{WATCHDOG}"), "watchdog"])
            .arg(folder.path())
            .arg(end_signal)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its own group, or Ctrl-C in a terminal would end the watchdog before the server.
            .process_group(0)
            .spawn()
            .map_err(PeerError::io("start sh"))?;
        Ok(Self {
            path: folder.keep(),
            end_signal,
            watchdog,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the folder to an account.
    pub(crate) fn give_to(&self, account: Account) -> Result<(), PeerError> {
        chown(&self.path, Some(account.uid), Some(account.gid))
            .map_err(PeerError::io("give a folder to the server's account"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

impl Process {
    pub(crate) fn new(folder: Folder, launch: Launch) -> Self {
        Self {
            launch,
            child: Mutex::new(None),
            folder,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder.path
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
                return Err(PeerError::NotReady {
                    program: self.launch.program.clone(),
                    log: self.log_tail(),
                });
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
        signal_tree("CONT", &child)?;
        shell(r#"kill -s "$1" "$2""#, self.folder.end_signal, &child)?;
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
        signal_tree("KILL", &child)?;
        self.reap(child)
    }

    /// Signals the server and its children; does nothing if it does not run.
    pub(crate) fn signal(&self, signal: &str) -> Result<(), PeerError> {
        self.slot().as_ref().map_or(Ok(()), |child| signal_tree(signal, child))
    }

    fn spawn(&self) -> Result<Child, PeerError> {
        let log = File::options().create(true).append(true).open(self.log_path());
        let log = log.map_err(PeerError::io("open the server's log"))?;
        let mut command = Command::new("sh");
        command
            .args(["-c", RECORD_AND_RUN])
            .arg(self.folder())
            .arg(&self.launch.program)
            .args(&self.launch.arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .current_dir(self.folder());
        if let Some(account) = self.launch.account {
            account.run(&mut command);
        }
        command
            .spawn()
            .map_err(PeerError::io(format!("start {}", self.launch.program.display())))
    }

    /// Ends what still runs, and forgets its number before the system gives it to another process.
    fn reap(&self, mut child: Child) -> Result<(), PeerError> {
        child
            .kill()
            .and_then(|()| child.wait())
            .map_err(PeerError::io("end the server"))?;
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

fn find_account(passwd: &str, name: &str) -> Option<Account> {
    let fields: Vec<_> = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields[0] == name)?;
    Some(Account {
        uid: fields.get(2)?.parse().ok()?,
        gid: fields.get(3)?.parse().ok()?,
    })
}

fn signal_tree(signal: &str, child: &Child) -> Result<(), PeerError> {
    shell(&format!("{SIGNAL_TREE}signal_tree \"$1\" \"$2\""), signal, child)
}

/// Runs a script with a signal as `$1` and a process as `$2`: the standard library cannot send signals, a shell can.
fn shell(script: &str, signal: &str, child: &Child) -> Result<(), PeerError> {
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "signal", signal, &child.id().to_string()])
        .stderr(Stdio::null());
    command
        .status()
        .map(drop)
        .map_err(PeerError::io(format!("send {signal}")))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpStream;

    use crate::{Postgres, Redis};

    /// Set in the process that is to be killed.
    const OWNER: &str = "TEST_PEERS_OWNER";

    #[test]
    fn servers_and_folders_go_with_their_killed_owner() {
        if std::env::var_os(OWNER).is_some() {
            return own_servers_until_killed();
        }
        let name = "process::tests::servers_and_folders_go_with_their_killed_owner";
        let mut owner = std::process::Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env(OWNER, "1")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(owner.stdout.take().unwrap()).lines().map(Result::unwrap);
        let servers: Vec<(u16, String)> = lines
            .filter_map(|line| {
                let (port, folder) = line.strip_prefix("server ")?.split_once(' ')?;
                Some((port.parse().ok()?, folder.to_owned()))
            })
            .take(2)
            .collect();
        assert!(
            servers
                .iter()
                .all(|(port, _)| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        );
        owner.kill().unwrap();
        owner.wait().unwrap();
        let deadline = std::time::Instant::now() + super::STOP_DEADLINE;
        while servers.iter().any(|(_, folder)| std::path::Path::new(folder).exists()) {
            assert!(std::time::Instant::now() < deadline, "left behind: {servers:?}");
            std::thread::yield_now();
        }
        assert!(
            servers
                .iter()
                .all(|(port, _)| TcpStream::connect(("127.0.0.1", *port)).is_err())
        );
    }

    fn own_servers_until_killed() {
        let (postgres, redis) = (Postgres::start().unwrap(), Redis::start().unwrap());
        postgres.pause().unwrap();
        for (port, folder) in [
            (postgres.port(), postgres.process.folder()),
            (redis.port(), redis.process.folder()),
        ] {
            println!("\nserver {port} {}", folder.display());
        }
        let _ = std::io::stdin().read_line(&mut String::new());
    }
}
