//! Redis behind TLS, and the certificate authority of all peers with TLS.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

use crate::folder::Folder;
use crate::{PeerError, Redis, free_port};

impl Redis {
    /// Starts the installed server with TLS only, at `rediss://localhost:PORT/0`; clients need no certificate.
    ///
    /// # Errors
    /// [`PeerError`] says what to install, or shows the server's log.
    pub fn start_tls() -> Result<Self, PeerError> {
        let folder = Folder::create("TERM")?;
        issue(&folder)?;
        let port = free_port()?;
        let listen = format!(
            "--port 0 --tls-port {port} --tls-cert-file cert.pem --tls-key-file key.pem --tls-ca-cert-file ca.pem --tls-auth-clients no"
        );
        let listen = listen.split(' ').map(OsString::from).collect();
        Self::launch(folder, format!("rediss://localhost:{port}/0"), port, listen)
    }

    /// The file with the certificate of the authority of [`Redis::start_tls`].
    #[must_use]
    pub fn ca_path(&self) -> PathBuf {
        self.process.folder().join("ca.pem")
    }

    /// The certificate of the authority of [`Redis::start_tls`], as PEM.
    ///
    /// # Errors
    /// [`PeerError::Io`] if this server has no TLS.
    pub fn ca_pem(&self) -> Result<String, PeerError> {
        fs::read_to_string(self.ca_path()).map_err(PeerError::io("read the authority's certificate"))
    }
}

/// Leaves `ca.pem`, and `cert.pem` with `key.pem` for localhost, in the server's folder.
fn issue(folder: &Folder) -> Result<(), PeerError> {
    let Certified { authority, certificate, key } = Certified::issue()?;
    for (name, pem) in [("ca.pem", authority), ("cert.pem", certificate), ("key.pem", key)] {
        fs::write(folder.path().join(name), pem).map_err(PeerError::io(format!("write {name}")))?;
    }
    Ok(())
}

/// A certificate for localhost with its key, and that of the authority that issued it, as PEM.
pub struct Certified {
    /// The certificate of the authority.
    pub authority: String,
    /// The certificate for localhost.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Certified {
    /// Makes all three.
    ///
    /// # Errors
    /// [`PeerError`] when there is no randomness.
    pub fn issue() -> Result<Self, PeerError> {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "test-peers authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec();
        let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
        Ok(Self { authority: authority.pem(), certificate: certificate.pem(), key: key.serialize_pem() })
    }
}
