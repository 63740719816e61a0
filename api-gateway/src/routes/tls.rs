//! `[tls]`: TLS that the gateway itself ends.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use url::Url;

use super::members::Members;
use super::{file::resolve, host, values};

/// `[tls]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFile {
    /// Where TLS is spoken.
    pub listen: Listen,
    /// Where plain requests are answered with a redirection to https.
    pub redirect: Option<Redirect>,
    /// Certificates from files.
    pub certificates: Vec<Certificate>,
    /// Certificates that are ordered.
    pub acme: Option<Acme>,
}

/// `redirect`, and `public_port`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Where plain requests come in.
    pub listen: Listen,
    /// Where clients find TLS; the port of [`TlsFile::listen`] unless something before the gateway maps another to it.
    pub public_port: Option<u16>,
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// `:8443`: on the address that the environment suggests.
    Port(u16),
    /// `127.0.0.1:8443`.
    Address(SocketAddr),
}

/// A certificate chain and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// `acme = { directory, contact, domains, storage }` (RFC 8555).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acme {
    /// Of the certificate authority.
    pub directory: Url,
    /// `mailto:` and whom the authority may write to.
    pub contact: Option<String>,
    /// The names to be certified.
    pub domains: Vec<String>,
    /// The folder for the account and the certificates.
    pub storage: PathBuf,
}

impl Listen {
    /// The address, where `every` is the one that a port alone means.
    #[must_use]
    pub fn address(self, every: IpAddr) -> SocketAddr {
        match self {
            Self::Port(port) => SocketAddr::from((every, port)),
            Self::Address(address) => address,
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let port = text.strip_prefix(':').and_then(|port| port.parse().ok()).map(Self::Port);
        let address = || text.parse().ok().map(Self::Address);
        port.or_else(address).ok_or("write an address and a port, such as 0.0.0.0:8443, or only the port: :8443")
    }
}

/// Reads the table.
pub(super) fn read(mut members: Members<'_>, folder: &Path) -> Option<TlsFile> {
    let listen = members.text("listen", Listen::parse);
    members.need("listen", "listen = \":8443\"");
    let redirect = read_redirect(&mut members, listen);
    let certificates = members.tables("certificates").into_iter().filter_map(|table| read_certificate(table, folder));
    let certificates: Vec<Certificate> = certificates.collect();
    let acme = members.table("acme").and_then(|table| read_acme(table, folder));
    if !members.has("certificates") && !members.has("acme") {
        members
            .fault("", "tls has no certificate: write certificates = [{ cert = \"a.pem\", key = \"a.key\" }] or acme");
    }
    members.finish();
    Some(TlsFile { listen: listen?, redirect, certificates, acme })
}

fn read_redirect(members: &mut Members<'_>, tls: Option<Listen>) -> Option<Redirect> {
    let listen = members.text("redirect", Listen::parse);
    let port_zero = |listen: Listen| matches!(listen, Listen::Port(0));
    if listen.is_some() && listen == tls && !listen.is_some_and(port_zero) {
        members.fault("redirect", "tls.redirect must be another port than tls.listen");
    }
    let public_port = members.number("public_port", 1..=u16::MAX.into()).and_then(|port| u16::try_from(port).ok());
    if members.has("public_port") && !members.has("redirect") {
        members.fault("public_port", "tls.public_port is where redirect sends clients: write redirect = \":8081\" too");
    }
    listen.map(|listen| Redirect { listen, public_port })
}

fn read_certificate(mut members: Members<'_>, folder: &Path) -> Option<Certificate> {
    let cert = members.text("cert", |text| resolve(folder, text));
    members.need("cert", "cert = \"a.pem\"");
    let key = members.text("key", |text| resolve(folder, text));
    members.need("key", "key = \"a.key\"");
    members.finish();
    Some(Certificate { cert: cert?, key: key? })
}

fn read_acme(mut members: Members<'_>, folder: &Path) -> Option<Acme> {
    let directory = members.text("directory", parse_directory);
    members.need("directory", "directory = \"https://acme-v02.api.letsencrypt.org/directory\"");
    let contact = members.text("contact", parse_contact);
    let domains = members.filled_list("domains", parse_domain);
    members.need("domains", "domains = [\"api.example.com\"]");
    let storage = members.text("storage", |text| resolve(folder, text));
    members.need("storage", "storage = \"data/acme\"");
    members.finish();
    Some(Acme { directory: directory?, contact, domains, storage: storage? })
}

fn parse_directory(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https");
    url.ok_or("write the https URL of the authority's directory")
}

fn parse_contact(text: &str) -> Result<String, &'static str> {
    let address = text.strip_prefix("mailto:").and_then(|address| address.split_once('@'));
    let fits = address.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if fits { values::filled(text) } else { Err("write mailto: and an address, such as mailto:ops@example.com") }
}

fn parse_domain(text: &str) -> Result<String, String> {
    if text.starts_with("*.") {
        return Err(format!(
            "{text:?} needs a challenge over DNS, which the gateway cannot answer: write single names"
        ));
    }
    host::check_name(text).map(|()| text.to_ascii_lowercase())
}
