//! Certificates as files: what may be wrong with them is told in one sentence that names the file and what to do.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::Error;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use webpki::EndEntityCert;

use super::validity::Validity;

/// One certificate and its key, both as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's certificate first, then those between it and the authority.
    pub chain: PathBuf,
    /// The private key, not encrypted.
    pub key: PathBuf,
}

/// What tells one state of a file from the next without reading it; `None` while it cannot be asked.
pub(super) type Stamp = Option<(Option<SystemTime>, u64, u64)>;

impl CertificateFiles {
    pub(super) fn stamps(&self) -> [Stamp; 2] {
        [&self.chain, &self.key].map(|path| {
            let file = fs::metadata(path).ok()?;
            Some((file.modified().ok(), file.len(), file.ino()))
        })
    }

    pub(super) fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
        let (chain_file, key_file) = (self.chain.display(), self.key.display());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(&self.chain)?).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| {
            format!("{chain_file}: holds no certificate; write the chain as PEM, the server's own certificate first")
        })?;
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?)
            .map_err(|_| format!("{key_file}: holds no private key; write it as PEM, not encrypted"))?;
        if let Some(fault) = fault_at(&chain[0], UnixTime::now()) {
            tracing::warn!("{chain_file}: the certificate {fault}; clients will refuse it until it is renewed");
        }
        CertifiedKey::from_der(chain, key, provider).map_err(|error| {
            if matches!(error, Error::InconsistentKeys(_)) {
                format!("{key_file}: is not the key of the certificate in {chain_file}; replace both, issued together")
            } else {
                format!("{chain_file}, {key_file}: cannot serve TLS ({error}); have them issued anew")
            }
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let advice = "check the path and that this user may read the file";
    fs::read(path).map_err(|error| format!("{}: cannot be read ({error}); {advice}", path.display()))
}

/// Names that the certificate is for, wildcards as `*.example.com`, lower case.
#[must_use]
pub fn names(key: &CertifiedKey) -> Vec<String> {
    let certificate = key.cert.first().and_then(|own| EndEntityCert::try_from(own).ok());
    let names = certificate.iter().flat_map(|certificate| certificate.valid_dns_names());
    names.map(str::to_ascii_lowercase).collect()
}

/// What is wrong with the certificate's time.
fn fault_at(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<&'static str> {
    let Validity { from, until } = Validity::of(certificate)?;
    match now.as_secs() {
        now if now > until => Some("has expired"),
        now if now < from => Some("is not valid yet"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn a_certificate_out_of_its_time_is_noticed() {
        let mut params = CertificateParams::new(["a.com".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let fault = |years: u64| {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(years * 31_557_600));
            fault_at(certificate.der(), now)
        };
        assert_eq!(fault(49), Some("is not valid yet"));
        assert_eq!(fault(50), None);
        assert_eq!(fault(52), Some("has expired"));
    }
}
