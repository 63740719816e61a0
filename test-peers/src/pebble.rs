//! A private ACME authority: Pebble, the one that Let's Encrypt tests its clients with, and a DNS server for it.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use crate::folder::Folder;
use crate::process::{Launch, Process};
use crate::tls::Certified;
use crate::{PeerError, free_port, installation};

/// Runs `"$@"` with its log where logs are looked for. The authority looks for proofs at once, and at each order anew; it
/// refuses no good nonce, for by chance it would refuse one so often that clients give up.
const RUN: &str = r#"PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0 exec "$@" >&2"#;

/// An authority on free ports of localhost that finds every name at 127.0.0.1; ended and removed with this value.
#[derive(Debug)]
pub struct Pebble {
    authority: Process,
    // It is asked by the authority, and outlives it.
    _names: Process,
    port: u16,
    management_port: u16,
}

impl Pebble {
    /// Starts the installed programs. Proof by TLS-ALPN-01 is looked for at `tls_port`.
    ///
    /// # Errors
    /// [`PeerError`] says what to install, or shows the server's log.
    pub fn start(tls_port: u16) -> Result<Self, PeerError> {
        let [port, management_port, names_port] = [free_port()?, free_port()?, free_port()?];
        let names = names(names_port)?;
        let folder = Folder::create("TERM")?;
        let Certified { authority: ca, certificate, key } = Certified::issue()?;
        let config = format!(
            r#"{{"pebble": {{"listenAddress": "127.0.0.1:{port}", "managementListenAddress": "127.0.0.1:{management_port}",
                "certificate": "cert.pem", "privateKey": "key.pem", "httpPort": 1, "tlsPort": {tls_port}}}}}"#
        );
        for (name, text) in [("ca.pem", ca), ("cert.pem", certificate), ("key.pem", key), ("config.json", config)] {
            fs::write(folder.path().join(name), text).map_err(PeerError::io(format!("write {name}")))?;
        }
        let program = installation::pebble()?;
        let arguments = format!("-config config.json -strict -dnsserver 127.0.0.1:{names_port}");
        let authority = Process::new(folder, launch(&program, &arguments)?);
        let pebble = Self { authority, _names: names, port, management_port };
        pebble.start_again()?;
        Ok(pebble)
    }

    /// Starts the stopped authority, which has forgotten everybody, with another root.
    ///
    /// # Errors
    /// [`PeerError::NotReady`] with the server's log.
    pub fn start_again(&self) -> Result<(), PeerError> {
        self.authority.start(|_| [self.port, self.management_port].into_iter().all(answers))
    }

    /// The address of the directory.
    #[must_use]
    pub fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    /// Where the root of all that it issues is, made anew at each start.
    #[must_use]
    pub fn root_url(&self) -> String {
        format!("https://localhost:{}/roots/0", self.management_port)
    }

    /// The file with the root of its own TLS.
    #[must_use]
    pub fn ca_path(&self) -> PathBuf {
        self.authority.folder().join("ca.pem")
    }

    /// What it has logged.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn log(&self) -> Result<String, PeerError> {
        fs::read_to_string(self.authority.folder().join("log")).map_err(PeerError::io("read the authority's log"))
    }

    /// Ends it in an orderly way.
    ///
    /// # Errors
    /// [`PeerError::Io`].
    pub fn stop(&self) -> Result<(), PeerError> {
        self.authority.stop()
    }
}

/// A DNS server that knows one address for all names.
fn names(port: u16) -> Result<Process, PeerError> {
    let program = installation::pebble_names()?;
    let management_port = free_port()?;
    let arguments = format!(
        "-defaultIPv4 127.0.0.1 -defaultIPv6= -dns01 127.0.0.1:{port} -management 127.0.0.1:{management_port} -http01= -https01= -tlsalpn01="
    );
    let names = Process::new(Folder::create("TERM")?, launch(&program, &arguments)?);
    names.start(|_| answers(port))?;
    Ok(names)
}

fn launch(program: &Path, arguments: &str) -> Result<Launch, PeerError> {
    let shell = installation::program("sh").ok_or(PeerError::Missing { program: "sh".into(), package: "dash" })?;
    let mut all = vec!["-c".into(), RUN.into(), "pebble".into(), program.into()];
    all.extend(arguments.split(' ').map(Into::into));
    Ok(Launch { program: shell, arguments: all, account: None })
}

fn answers(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}
