//! Firebase's hash: scrypt makes a key, and the tag is the project's signer key encrypted by it.

use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use subtle::ConstantTimeEq;

use super::argon2::Arena;
use super::foreign::scrypt_params;
use super::hash::{UnsupportedHash, fits};
use super::phc::decode_base64;

/// Bytes of an AES-256 key.
const KEY_BYTES: usize = 32;
/// The longest signer key and salt separator.
const MAX_KEY_BYTES: usize = 64;

/// A hash in the form `$fbscrypt$v=1,n=14,r=8,p=1,ss=…,sk=…$salt$tag`, which carries what is the same for a whole project.
pub(super) struct FirebaseHash {
    params: scrypt::Params,
    /// Salt and separator.
    salt: Vec<u8>,
    signer_key: Vec<u8>,
    tag: Vec<u8>,
}

impl FirebaseHash {
    /// Reads what follows `$fbscrypt$`.
    pub(super) fn parse(text: &str) -> Result<Self, UnsupportedHash> {
        let fields: Vec<&str> = text.split('$').collect();
        let [parameters, salt, tag] = fields[..] else { return Err(UnsupportedHash::Malformed) };
        let pairs: Vec<(&str, &str)> = parameters.split(',').filter_map(|pair| pair.split_once('=')).collect();
        let value = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let number = |name: &str| value(name)?.parse::<u32>().ok();
        let bytes = |name: &str| decode_base64(value(name)?);
        let (Some(1), Some(log_n), Some(r), Some(p)) = (number("v"), number("n"), number("r"), number("p")) else {
            return Err(UnsupportedHash::Malformed);
        };
        let (Some(separator), Some(signer_key)) = (bytes("ss"), bytes("sk")) else {
            return Err(UnsupportedHash::Malformed);
        };
        let (Some(salt), Some(tag)) = (decode_base64(salt), decode_base64(tag)) else {
            return Err(UnsupportedHash::Malformed);
        };
        // The tag is the key under a stream cipher, so a shorter key would be a shorter tag.
        let is_sound = fits(&salt, &tag) && tag.len() == signer_key.len() && separator.len() <= MAX_KEY_BYTES;
        if !is_sound {
            return Err(UnsupportedHash::Malformed);
        }
        Ok(Self { params: scrypt_params(log_n, r, p)?, salt: [salt, separator].concat(), signer_key, tag })
    }

    pub(super) fn matches(&self, password: &[u8], arena: &Arena<'_>) -> bool {
        let mut key = [0; KEY_BYTES];
        let derived = arena.alone(|| scrypt::scrypt(password, &self.salt, &self.params, &mut key));
        derived.is_ok() && encrypt(&key, &self.signer_key).is_some_and(|tag| tag.ct_eq(&self.tag).into())
    }
}

/// AES-256-CTR from a counter of zero, as Firebase does: the key is used for this one text.
fn encrypt(key: &[u8; KEY_BYTES], text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = text.to_vec();
    let key = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    key.less_safe_encrypt(&mut bytes, EncryptionContext::Iv128(FixedLength::from([0; 16]))).ok()?;
    Some(bytes)
}
