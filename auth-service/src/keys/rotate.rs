//! The operator's side: a new key, the end of a bad one, and the list of all.

use std::time::Duration;

use auth_token::{Algorithm, RsaBits, SigningKey};
use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::{SecretsKey, ring::still_verifies, store, store::KeyRow};
use crate::{
    db::{Db, DbError, Ts},
    ids::Entropy,
    revocation::Recorder,
};

/// Why keys cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// There is nothing to seal a new private key with.
    #[error(
        "SECRETS_KEY (or SECRETS_KEY_PATH) is not set: new keys are sealed with it. Make one with `openssl rand -base64 32` and give it to every instance"
    )]
    NoSecretsKey,
    /// No live key has this id.
    #[error("no live key has the id {0}: see `auth-system keys list`")]
    Unknown(String),
    /// A key could not be made or sealed.
    #[error("a key could not be made")]
    Crypto,
}

/// A key as `auth-system keys list` shows it.
#[derive(Debug)]
pub struct KeyState {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// JOSE name of the algorithm.
    pub algorithm: String,
    /// When it signs from.
    pub signs_from: Ts,
    /// What it does now.
    pub state: &'static str,
}

/// Makes a key and publishes it; it signs after `delay`, one JWKS lifetime unless there is haste. Returns its id.
///
/// # Errors
/// [`KeyError`].
pub async fn rotate(
    db: &Db,
    secrets: Option<&SecretsKey>,
    algorithm: Algorithm,
    delay: Duration,
    now: Ts,
) -> Result<String, KeyError> {
    let row = new_key(secrets.ok_or(KeyError::NoSecretsKey)?, algorithm, now, now.plus(delay))?;
    let mut conn = db.write().await?;
    store::insert(&mut conn, &row).await?;
    Ok(row.kid)
}

/// Takes a key out of use at once, with every token that it signed. When it was the one that signs, a new one takes its
/// place at once.
///
/// # Errors
/// [`KeyError`].
pub async fn withdraw(
    db: &Db,
    secrets: Option<&SecretsKey>,
    kid: &str,
    token_life: Duration,
    now: Ts,
) -> Result<(), KeyError> {
    let mut tx = db.begin().await?;
    let rows = store::list(&mut tx).await?;
    let withdrawn = rows.iter().find(|row| row.kid == kid && row.withdrawn_at.is_none()).cloned();
    let withdrawn = withdrawn.ok_or_else(|| KeyError::Unknown(kid.to_owned()))?;
    store::withdraw(&mut tx, kid, now).await?;
    // A configured key may be one instance's alone; a sealed one is everybody's.
    let is_everybodys = |row: &&KeyRow| row.withdrawn_at.is_none() && row.sealed_private.is_some();
    let mut others = rows.iter().filter(|row| row.kid != kid).filter(is_everybodys);
    if !others.any(|row| row.signs_from <= now) {
        let algorithm = withdrawn.algorithm.parse().map_err(|_| KeyError::Crypto)?;
        let row = new_key(secrets.ok_or(KeyError::NoSecretsKey)?, algorithm, now, now)?;
        store::insert(&mut tx, &row).await?;
    }
    // A command has nobody to announce to: every instance reads the log within half a second.
    drop(Recorder { now, token_life }.key(&mut tx, kid).await?);
    Ok(tx.commit().await?)
}

/// Every key that is known, oldest first.
///
/// # Errors
/// [`KeyError`].
pub async fn list(db: &Db, token_life: Duration, now: Ts) -> Result<Vec<KeyState>, KeyError> {
    let rows = store::list(&mut db.read().await?).await?;
    let signing = rows.iter().rev().find(|row| row.signs_from <= now && row.withdrawn_at.is_none());
    let signing = signing.map(|row| row.kid.as_str());
    let state = |row: &KeyRow| match row {
        row if row.withdrawn_at.is_some() => "withdrawn",
        row if signing == Some(row.kid.as_str()) => "signs",
        row if row.signs_from > now => "published",
        row if still_verifies(row, now, token_life) => "verifies",
        _ => "retired",
    };
    Ok(rows
        .iter()
        .map(|row| KeyState {
            kid: row.kid.clone(),
            algorithm: row.algorithm.clone(),
            signs_from: row.signs_from,
            state: state(row),
        })
        .collect())
}

fn new_key(secrets: &SecretsKey, algorithm: Algorithm, now: Ts, signs_from: Ts) -> Result<KeyRow, KeyError> {
    let (key, private) = match algorithm {
        Algorithm::Hs256 => {
            let secret = Zeroizing::new(BASE64.encode(&Entropy.bytes::<48>()).into_bytes());
            (SigningKey::from_secret(&secret).map_err(|_| KeyError::Crypto)?, secret)
        }
        Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => {
            let key = SigningKey::generate(algorithm, RsaBits::default()).map_err(|_| KeyError::Crypto)?;
            let pem = key.to_pkcs8_pem().map_err(|_| KeyError::Crypto)?;
            (key, Zeroizing::new(pem.as_bytes().to_vec()))
        }
    };
    let sealed = secrets.seal(key.kid(), &private).map_err(|_| KeyError::Crypto)?;
    Ok(KeyRow {
        kid: key.kid().to_owned(),
        algorithm: algorithm.to_string(),
        public_key: key.public_pem(),
        sealed_private: Some(sealed),
        created_at: now,
        signs_from,
        last_used_at: signs_from,
        withdrawn_at: None,
    })
}
