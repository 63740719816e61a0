//! From when until when a certificate is valid.

use std::time::Duration;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

/// After the last time that a certificate can name, the end of the year 9999.
const NEVER: Duration = Duration::from_secs(253_402_300_800);

/// Seconds since 1970, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// `notBefore`; 0 for what is older than 1970.
    pub from: u64,
    /// `notAfter`.
    pub until: u64,
}

impl Validity {
    /// Reads it off a certificate; nothing if that is none.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = EndEntityCert::try_from(certificate).ok()?;
        // Without authorities nothing verifies, but the time is looked at first, and the refusal tells the bound.
        let refusal_at = |since_1970| {
            let algorithms = default_provider().signature_verification_algorithms.all;
            let now = UnixTime::since_unix_epoch(since_1970);
            let usage = KeyUsage::server_auth();
            certificate.verify_for_usage(algorithms, &[], &[], now, usage, None, None).err()
        };
        let Some(Error::CertExpired { not_after, .. }) = refusal_at(NEVER) else { return None };
        let from = match refusal_at(Duration::ZERO) {
            Some(Error::CertNotValidYet { not_before, .. }) => not_before.as_secs(),
            Some(_) | None => 0,
        };
        Some(Self { from, until: not_after.as_secs() })
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn both_ends_are_read_off_the_certificate() {
        let mut params = CertificateParams::new(["a.com".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2055, 3, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let expected = Validity { from: 1_577_836_800, until: 2_687_472_000 };
        assert_eq!(Validity::of(certificate.der()), Some(expected));
        assert_eq!(Validity::of(&CertificateDer::from(vec![0x30, 0x00])), None);
    }
}
