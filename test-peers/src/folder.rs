//! A server's folder, with the watchdog that outlives us to clear up.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::PeerError;
use crate::signal::SIGNAL_TREE;

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

/// A folder that the watchdog removes once our process, or this value, has ended.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    end_signal: &'static str,
    watchdog: Child,
}

impl Folder {
    /// Makes an empty folder for a server that is ended by a signal such as `TERM`.
    pub(crate) fn create(end_signal: &'static str) -> Result<Self, PeerError> {
        let folder = tempfile::Builder::new().prefix("test-peer-").tempdir().map_err(PeerError::io("make a folder"))?;
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
        Ok(Self { path: folder.keep(), end_signal, watchdog })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn end_signal(&self) -> &'static str {
        self.end_signal
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpStream;

    use crate::{Postgres, Redis};

    const DEADLINE: std::time::Duration = std::time::Duration::from_secs(20);
    /// Set in the process that is to be killed.
    const OWNER: &str = "TEST_PEERS_OWNER";

    #[test]
    fn servers_and_folders_go_with_their_killed_owner() {
        if std::env::var_os(OWNER).is_some() {
            return own_servers_until_killed();
        }
        let name = "folder::tests::servers_and_folders_go_with_their_killed_owner";
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
        assert!(servers.iter().all(|(port, _)| TcpStream::connect(("127.0.0.1", *port)).is_ok()));
        owner.kill().unwrap();
        owner.wait().unwrap();
        let deadline = std::time::Instant::now() + DEADLINE;
        while servers.iter().any(|(_, folder)| std::path::Path::new(folder).exists()) {
            assert!(std::time::Instant::now() < deadline, "left behind: {servers:?}");
            std::thread::yield_now();
        }
        assert!(servers.iter().all(|(port, _)| TcpStream::connect(("127.0.0.1", *port)).is_err()));
    }

    fn own_servers_until_killed() {
        let (postgres, redis) = (Postgres::start().unwrap(), Redis::start().unwrap());
        postgres.pause().unwrap();
        for (port, folder) in [(postgres.port(), postgres.process.folder()), (redis.port(), redis.process.folder())] {
            println!("\nserver {port} {}", folder.display());
        }
        let _ = std::io::stdin().read_line(&mut String::new());
    }
}
