//! A certificate that was issued to us.

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use service_kit::serve::tls::{Validity, names};

use super::schedule;

/// A certificate and its key, ready for use.
pub struct Held {
    /// For the listener.
    pub key: CertifiedKey,
    names: Vec<String>,
    validity: Validity,
}

impl Held {
    /// Reads the key and the chain.
    ///
    /// # Errors
    /// What is wrong with them, and nothing of what they hold.
    pub fn parse(pem: &str) -> Result<Self, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let chain = chain.map_err(|_| "the chain is no PEM".to_owned())?;
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| "there is no key".to_owned())?;
        let validity = chain.first().and_then(Validity::of).ok_or("there is no certificate")?;
        let key = CertifiedKey::from_der(chain, key, &default_provider()).map_err(|cause| cause.to_string())?;
        Ok(Self { names: names(&key), key, validity })
    }

    /// Whether it is time for another one, which is to have these names.
    pub fn is_due(&self, domains: &[String], now: u64) -> bool {
        schedule::is_due(self.validity, now) || !domains.iter().all(|domain| self.names.contains(domain))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn issue(names: &[&str]) -> String {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 4, 1);
        let key = KeyPair::generate().unwrap();
        format!("{}{}", key.serialize_pem(), params.self_signed(&key).unwrap().pem())
    }

    #[test]
    fn time_and_names_decide_when_another_is_due() {
        let held = Held::parse(&issue(&["a.com", "b.com"])).unwrap();
        let day = |days: u64| 1_767_225_600 + days * 86_400;
        let domains = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(!held.is_due(&domains(&["a.com", "b.com"]), day(59)));
        assert!(held.is_due(&domains(&["a.com", "b.com"]), day(61)));
        assert!(!held.is_due(&domains(&["b.com"]), day(1)));
        assert!(held.is_due(&domains(&["a.com", "c.com"]), day(1)));
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let (one, other) = (issue(&["a.com"]), issue(&["a.com"]));
        let (key, _) = one.split_at(one.find("-----BEGIN CERT").unwrap());
        let (_, chain) = other.split_at(other.find("-----BEGIN CERT").unwrap());
        for wrong in ["", "garbage", key, chain, &format!("{key}{chain}")] {
            let fault = Held::parse(wrong).err().unwrap();
            assert!(!fault.contains("-----"), "{fault}");
        }
    }
}
