//! Reads and writes keys in PEM (RFC 7468).

use data_encoding::BASE64;
use rustls_pki_types::pem::{PemObject, SectionKind};
use zeroize::Zeroizing;

use crate::KeyError;

/// Characters of base64 in a line (RFC 7468 section 2).
const LINE: usize = 64;

/// A private key as it was found.
pub(crate) struct PrivateDer {
    /// PKCS#8, PKCS#1 (RSA) or SEC1 (EC).
    pub(crate) kind: SectionKind,
    /// The key.
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// The first private key of `pem`.
pub(crate) fn read_private(pem: &str) -> Result<PrivateDer, KeyError> {
    const KINDS: [SectionKind; 3] = [SectionKind::PrivateKey, SectionKind::RsaPrivateKey, SectionKind::EcPrivateKey];
    let pem = with_lines(pem);
    // "Proc-Type: 4,ENCRYPTED" stands inside the block of a legacy key, "ENCRYPTED PRIVATE KEY" is the label of a newer one.
    if pem.contains("ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    let (kind, der) = find(&pem, &KINDS)?.ok_or_else(|| KeyError::NoPrivateKey { found: labels(&pem) })?;
    Ok(PrivateDer { kind, der: Zeroizing::new(der) })
}

/// The first public key of `pem`, as SubjectPublicKeyInfo.
pub(crate) fn read_public(pem: &str) -> Result<Vec<u8>, KeyError> {
    let pem = with_lines(pem);
    let found = find(&pem, &[SectionKind::PublicKey])?;
    found.map(|(_, der)| der).ok_or_else(|| KeyError::NoPublicKey { found: labels(&pem) })
}

/// `der` under `label`.
pub(crate) fn write(label: &str, der: &[u8]) -> String {
    // Room for all of it, so that no half of a secret stays behind in memory that was grown out of.
    let mut pem = String::with_capacity(der.len() * 3 / 2 + 2 * label.len() + LINE);
    pem.extend(["-----BEGIN ", label, "-----\n"]);
    for line in der.chunks(LINE / 4 * 3) {
        BASE64.encode_append(line, &mut pem);
        pem.push('\n');
    }
    pem.extend(["-----END ", label, "-----\n"]);
    pem
}

/// Secret managers like to hand PEM out on one line, with `\n` spelt out.
fn with_lines(pem: &str) -> Zeroizing<String> {
    Zeroizing::new(pem.replace("\\n", "\n"))
}

fn find(pem: &str, kinds: &[SectionKind]) -> Result<Option<(SectionKind, Vec<u8>)>, KeyError> {
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()) {
        let section = section.map_err(|cause| KeyError::Pem(cause.to_string()))?;
        if kinds.contains(&section.0) {
            return Ok(Some(section));
        }
    }
    Ok(None)
}

fn labels(pem: &str) -> String {
    let labels = pem.lines().filter_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----"));
    let labels: Vec<&str> = labels.collect();
    if labels.is_empty() { "nothing".to_owned() } else { labels.join(", ") }
}
