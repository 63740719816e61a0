//! Makes what production must be given: key pairs and secrets, in files that their owner alone can read.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use auth_token::{Algorithm, RsaBits, SigningKey};
use data_encoding::BASE64;

use crate::ids::Entropy;

/// Why a key pair was not written.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// A secret that several share has no pair.
    #[error("HS256 has no key pair: set JWT_SECRET_KEY to the output of `openssl rand -base64 64`")]
    NotAPair,
    /// The key could not be made.
    #[error(transparent)]
    Key(#[from] auth_token::KeyError),
    /// A file could not be written; one that exists is never overwritten.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

/// Writes a new pair as PEM (PKCS#8 and SPKI), 0600.
///
/// # Errors
/// [`GenerateError`]; nothing is overwritten.
pub fn generate_files(
    algorithm: Algorithm,
    bits: RsaBits,
    private: &Path,
    public: &Path,
) -> Result<SigningKey, GenerateError> {
    if algorithm == Algorithm::Hs256 {
        return Err(GenerateError::NotAPair);
    }
    let key = SigningKey::generate(algorithm, bits)?;
    let public_pem = key.public_pem().ok_or(GenerateError::NotAPair)?;
    write_new(private, key.to_pkcs8_pem()?.as_bytes())?;
    write_new(public, public_pem.as_bytes()).inspect_err(|_| {
        // Half a pair would only be refused later; what cannot be removed either is named by the next attempt.
        drop(fs::remove_file(private));
    })?;
    Ok(key)
}

/// The base64 secret in this file, made first where there is none.
///
/// # Errors
/// When the file can be neither read nor written.
pub(super) fn secret_in(path: &Path) -> Result<String, GenerateError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            let text = BASE64.encode(&Entropy.bytes::<32>());
            write_new(path, text.as_bytes())?;
            Ok(text)
        }
        Err(cause) => Err(GenerateError::File { path: path.to_owned(), cause }),
    }
}

fn write_new(path: &Path, contents: &[u8]) -> Result<(), GenerateError> {
    let write = || {
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(contents)?;
        file.sync_all()
    };
    write().map_err(|cause| GenerateError::File { path: path.to_owned(), cause })
}
