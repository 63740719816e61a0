//! Proxies of others, which no test needs: the benchmark measures our gateway beside them.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;

use crate::account::Account;
use crate::folder::Folder;
use crate::process::{Launch, Process};
use crate::{PeerError, installation};

/// Whom a proxy runs as when we are root: Debian's account for web servers, else the one that owns nothing.
const ACCOUNTS: [&str; 2] = ["www-data", "nobody"];

/// A program that forwards requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyProgram {
    /// nginx.
    Nginx,
    /// `HAProxy`.
    HaProxy,
}

impl ProxyProgram {
    /// Every program.
    pub const ALL: [Self; 2] = [Self::Nginx, Self::HaProxy];

    /// What the program is called, and its package.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::HaProxy => "haproxy",
        }
    }

    /// Where it is installed, if it is.
    #[must_use]
    pub fn find(self) -> Option<PathBuf> {
        installation::program(self.name())
    }

    /// Runs it in the foreground, with the file `configuration` of the folder it is started in.
    fn arguments(self) -> Vec<OsString> {
        let arguments: &[&str] = match self {
            Self::Nginx => &["-p", ".", "-e", "stderr", "-g", "daemon off;", "-c", "configuration"],
            Self::HaProxy => &["-db", "-f", "configuration"],
        };
        arguments.iter().map(OsString::from).collect()
    }
}

/// A running proxy with a folder of its own, ended and removed with this value.
#[derive(Debug)]
pub struct Proxy {
    process: Process,
}

impl Proxy {
    /// Starts an installed program in a folder that holds these files, `configuration` among them, and waits until it
    /// takes connections at this port of localhost.
    ///
    /// # Errors
    /// [`PeerError`], for example with what the program says of its configuration.
    pub fn start(program: ProxyProgram, files: &[(&str, &str)], port: u16) -> Result<Self, PeerError> {
        let path = program
            .find()
            .ok_or_else(|| PeerError::Missing { program: program.name().into(), package: program.name() })?;
        let folder = Folder::create("TERM")?;
        let mut paths = vec![folder.path().to_owned()];
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::write(&path, text).map_err(PeerError::io(format!("write {name}")))?;
            paths.push(path);
        }
        let account = Account::in_place_of_root(folder.path(), &ACCOUNTS)?;
        if let Some(account) = account {
            paths.iter().try_for_each(|path| account.own(path))?;
        }
        let process = Process::new(folder, Launch { program: path, arguments: program.arguments(), account });
        process.start(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())?;
        Ok(Self { process })
    }

    /// The number of its process; its workers are children of that.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.id()
    }
}
