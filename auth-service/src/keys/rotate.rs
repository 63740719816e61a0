//! The operator's side: a new key, the end of a bad one, and the list of all.

use std::time::Duration;

use auth_token::{Algorithm, RsaBits, SigningKey};
use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::{SecretsKey, ring::still_verifies, store, store::KeyRow};
use crate::{
    audit::{Entry, Event},
    db::{Conn, Db, DbError, Ts},
    ids::Entropy,
    revocation::{Pending, Recorder},
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

/// What a key does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// It is published, and signs soon.
    Published,
    /// It signs.
    Signs,
    /// It verifies what it has signed.
    Verifies,
    /// It has no tokens left to verify.
    Retired,
    /// It was taken out of use, with every token that it had signed.
    Withdrawn,
}

impl KeyUse {
    /// In one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signs => "signs",
            Self::Verifies => "verifies",
            Self::Retired => "retired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Where the private half of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyHome {
    /// In the configuration of an instance.
    Configuration,
    /// In the database, sealed.
    Database,
}

/// A key as operators see it.
#[derive(Clone, Debug)]
pub struct KeyState {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// JOSE name of the algorithm.
    pub algorithm: String,
    /// What it does now.
    pub state: KeyUse,
    /// Where it is.
    pub home: KeyHome,
    /// When it was made, or first seen.
    pub created_at: Ts,
    /// When it signs from.
    pub signs_from: Ts,
    /// When an instance was last known to sign with it.
    pub last_used_at: Ts,
    /// When it was taken out of use.
    pub withdrawn_at: Option<Ts>,
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
    let row = new_key(secrets, algorithm, now, now.plus(delay)).await?;
    let mut tx = db.begin().await?;
    publish(&mut tx, &row, Entry::by_system(Event::SigningKeyRotated, None), now).await?;
    tx.commit().await?;
    Ok(row.kid)
}

/// Publishes a key that was made, and records it in an entry.
///
/// # Errors
/// When the database fails.
pub(super) async fn publish(tx: &mut Conn, row: &KeyRow, entry: Entry<'_>, now: Ts) -> Result<(), DbError> {
    store::insert(tx, row).await?;
    entry.detail("kid", row.kid.as_str()).detail("algorithm", row.algorithm.as_str()).record(tx, now).await
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
    let entry = Entry::by_system(Event::SigningKeyWithdrawn, None);
    // A command has nobody to announce to: every instance reads the log within half a second.
    drop(take_out(&mut tx, secrets, kid, Recorder { now, token_life }, entry).await?);
    Ok(tx.commit().await?)
}

/// Does what [`withdraw`] does, in the caller's transaction.
///
/// # Errors
/// [`KeyError`].
pub(super) async fn take_out(
    tx: &mut Conn,
    secrets: Option<&SecretsKey>,
    kid: &str,
    recorder: Recorder,
    entry: Entry<'_>,
) -> Result<Pending, KeyError> {
    let now = recorder.now;
    if store::withdraw(tx, kid, now).await? == 0 {
        return Err(KeyError::Unknown(kid.to_owned()));
    }
    let rows = store::list(tx).await?;
    let algorithm = rows.iter().find(|row| row.kid == kid).map(|row| row.algorithm.as_str()).unwrap_or_default();
    // A configured key may be one instance's alone; a sealed one is everybody's.
    let is_everybodys = |row: &&KeyRow| row.withdrawn_at.is_none() && row.sealed_private.is_some();
    if !rows.iter().filter(is_everybodys).any(|row| row.signs_from <= now) {
        let algorithm = algorithm.parse().map_err(|_| KeyError::Crypto)?;
        store::insert(tx, &new_key(secrets, algorithm, now, now).await?).await?;
    }
    entry.detail("kid", kid).record(tx, now).await?;
    Ok(recorder.key(tx, kid).await?)
}

/// Every key that is known, oldest first.
///
/// # Errors
/// [`KeyError`].
pub async fn list(db: &Db, token_life: Duration, now: Ts) -> Result<Vec<KeyState>, KeyError> {
    let rows = store::list(&mut db.read().await?).await?;
    let signing = rows.iter().rev().find(|row| row.signs_from <= now && row.withdrawn_at.is_none());
    let signing = signing.map(|row| row.kid.clone());
    let state = |row: &KeyRow| match row {
        row if row.withdrawn_at.is_some() => KeyUse::Withdrawn,
        row if signing.as_ref() == Some(&row.kid) => KeyUse::Signs,
        row if row.signs_from > now => KeyUse::Published,
        row if still_verifies(row, now, token_life) => KeyUse::Verifies,
        _ => KeyUse::Retired,
    };
    let as_state = |row: KeyRow| KeyState {
        state: state(&row),
        home: if row.sealed_private.is_some() { KeyHome::Database } else { KeyHome::Configuration },
        kid: row.kid,
        algorithm: row.algorithm,
        created_at: row.created_at,
        signs_from: row.signs_from,
        last_used_at: row.last_used_at,
        withdrawn_at: row.withdrawn_at,
    };
    Ok(rows.into_iter().map(as_state).collect())
}

/// Makes a key and seals it.
///
/// # Errors
/// [`KeyError`].
pub(super) async fn new_key(
    secrets: Option<&SecretsKey>,
    algorithm: Algorithm,
    now: Ts,
    signs_from: Ts,
) -> Result<KeyRow, KeyError> {
    let secrets = secrets.ok_or(KeyError::NoSecretsKey)?;
    // An RSA key takes so long that nothing else should wait for it.
    let made = tokio::task::spawn_blocking(move || make(algorithm)).await;
    let (key, private) = made.map_err(|_| KeyError::Crypto)??;
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

fn make(algorithm: Algorithm) -> Result<(SigningKey, Zeroizing<Vec<u8>>), KeyError> {
    match algorithm {
        Algorithm::Hs256 => {
            let secret = Zeroizing::new(BASE64.encode(&Entropy.bytes::<48>()).into_bytes());
            Ok((SigningKey::from_secret(&secret).map_err(|_| KeyError::Crypto)?, secret))
        }
        Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa => {
            let key = SigningKey::generate(algorithm, RsaBits::default()).map_err(|_| KeyError::Crypto)?;
            let pem = key.to_pkcs8_pem().map_err(|_| KeyError::Crypto)?;
            let private = Zeroizing::new(pem.as_bytes().to_vec());
            Ok((key, private))
        }
    }
}
