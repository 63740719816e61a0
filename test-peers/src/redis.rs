//! A private Redis server.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use crate::folder::Folder;
use crate::process::{Launch, Process};
use crate::{PeerError, free_port, installation};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
const NO_PERSISTENCE: [&str; 4] = ["--save", "", "--appendonly", "no"];

/// A Redis server on a free port of localhost, with nothing on disk, ended and removed with this value.
#[derive(Debug)]
pub struct Redis {
    pub(crate) process: Process,
    url: String,
    port: u16,
}

impl Redis {
    /// Starts the installed server.
    ///
    /// # Errors
    /// [`PeerError`] says what to install, or shows the server's log.
    pub fn start() -> Result<Self, PeerError> {
        let folder = Folder::create("TERM")?;
        let port = free_port()?;
        Self::launch(
            folder,
            format!("redis://127.0.0.1:{port}/0"),
            port,
            vec!["--port".into(), port.to_string().into()],
        )
    }

    /// The one server that tests of this process share; started at the first call.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn shared() -> Result<&'static Self, &'static PeerError> {
        static SHARED: OnceLock<Result<Redis, PeerError>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// The port on localhost.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address: `redis://127.0.0.1:PORT/0`, with TLS `rediss://localhost:PORT/0`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Removes every key.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn flush_all(&self) -> Result<(), PeerError> {
        command(self.process.folder(), "FLUSHALL").map(drop).map_err(PeerError::io("flush Redis"))
    }

    /// Admits only clients that give this password, until the server is stopped. What we say to it ourselves, such as
    /// [`Redis::flush_all`], is refused from then on.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn require_password(&self, password: &str) -> Result<(), PeerError> {
        command(self.process.folder(), &format!("CONFIG SET requirepass {password}"))
            .map(drop)
            .map_err(PeerError::io("give Redis a password"))
    }

    /// Stops the server; connections end.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn stop(&self) -> Result<(), PeerError> {
        self.process.stop()
    }

    /// Starts the stopped or killed server, empty, on the same port.
    ///
    /// # Errors
    /// [`PeerError::NotReady`] with the server's log.
    pub fn start_again(&self) -> Result<(), PeerError> {
        self.process.start(|_| command(self.process.folder(), "PING").is_ok_and(|answer| answer.starts_with("+PONG")))
    }

    /// Ends the server at once (SIGKILL), as a crash would.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn kill(&self) -> Result<(), PeerError> {
        self.process.kill()
    }

    /// Freezes the server (SIGSTOP): connections hang.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn pause(&self) -> Result<(), PeerError> {
        self.process.signal("STOP")
    }

    /// Thaws the frozen server.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn resume(&self) -> Result<(), PeerError> {
        self.process.signal("CONT")
    }

    pub(crate) fn launch(folder: Folder, url: String, port: u16, listen: Vec<OsString>) -> Result<Self, PeerError> {
        let mut arguments = listen;
        // `-::1` listens there too where the system has IPv6: `localhost` may mean either.
        arguments
            .extend(["--bind", "127.0.0.1", "-::1", "--unixsocket", "socket", "--logfile", "log"].map(OsString::from));
        arguments.extend(NO_PERSISTENCE.map(OsString::from));
        let launch = Launch { program: installation::redis_server()?, arguments, account: None };
        let redis = Self { process: Process::new(folder, launch), url, port };
        redis.start_again()?;
        Ok(redis)
    }
}

/// Sends an inline command over the server's own socket, which speaks no TLS, and returns the first line of the answer.
fn command(folder: &Path, command: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(folder.join("socket"))?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = [0; 64];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}
