//! Makes an administrator: the first of an installation, or one for whom nobody is left who could.

use auth_sdk::UserStatus;

use super::{Operator, OperatorError, record, store};
use crate::{
    api_keys,
    audit::Event,
    db::{Conn, DbError, Ts},
    ids::{Entropy, UserId},
    login,
    mail::link,
    passwords::{self, Hasher, NewPassword, OwnWords, Rejected},
    sessions, social,
    users::{
        self, Email, Locale, Username,
        store::{Inserted, NewUser, UserRow},
    },
};

/// What a made password is made of: no letter or digit that is taken for another.
const ALPHABET: &[u8; 54] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";
/// Four groups of five: 115 bits.
const GROUPS: usize = 4;
const GROUP: usize = 5;
/// A made password that a policy refuses, as for three letters in a row, is made again; one in a hundred is.
const ATTEMPTS: usize = 20;

/// Who is to administer.
pub struct Administrator {
    /// The address.
    pub email: String,
    /// The username, if there is to be one.
    pub username: Option<String>,
    /// The password; one is made where none is given.
    pub password: Option<String>,
}

/// What became of it.
pub enum Made {
    /// An account was made, with this password where none was given.
    Created(Option<String>),
    /// The account that had the address was given the role; its password stays.
    Promoted {
        /// Whether it had been closed, and is open again.
        was_closed: bool,
    },
    /// The account that had the address was given the role and another password, made where none was given: nobody had
    /// proven the address to be theirs, so its sessions ended.
    TakenOver(Option<String>),
    /// The account that had the address was an administrator already.
    Unchanged,
}

/// Makes an account with the role `admin`, or gives that role to the one that has the address.
///
/// # Errors
/// [`OperatorError`]; then nothing is changed.
pub async fn create_administrator(operator: &Operator<'_>, wish: Administrator) -> Result<Made, OperatorError> {
    let email = Email::parse(&wish.email).map_err(|fault| OperatorError::invalid("email", &fault))?;
    let username = match &wish.username {
        Some(name) => Some(Username::parse(name).map_err(|fault| OperatorError::invalid("username", &fault))?),
        None => None,
    };
    let mut conn = operator.db.read().await?;
    let account = users::store::find_by_email(&mut conn, &email).await?;
    drop(conn);
    match account {
        Some(account) if account.email_verified_at.is_some() => return promote(operator, account.id).await,
        Some(account) => return take_over(operator, account, wish.password).await,
        None => {}
    }
    let own_words = [email.as_str()].into_iter().chain(username.as_ref().map(Username::as_str));
    let own_words: Vec<String> = own_words.map(str::to_owned).collect();
    let (hash, made) = hash(operator, wish.password, &own_words).await?;
    let now = operator.now();
    let id = UserId(Entropy.uuid(now));
    let (password_hash, status) = (Some(hash), UserStatus::Active);
    let user =
        NewUser { id, email: Some(email), username, display_name: None, locale: Locale::En, password_hash, status };
    let mut tx = operator.db.begin().await?;
    match users::store::insert(&mut tx, &user, now).await? {
        Inserted::Yes => {}
        Inserted::EmailTaken => return Err(OperatorError::JustTaken),
        Inserted::UsernameTaken => return Err(OperatorError::UsernameTaken),
    }
    appoint(&mut tx, id, now).await?;
    record(&mut tx, Event::UserCreated, id, now).await?;
    record(&mut tx, Event::UserRolesChanged, id, now).await?;
    tx.commit().await?;
    Ok(Made::Created(made))
}

/// Opens an account, vouches for its address, and gives it the role `admin`.
///
/// # Errors
/// When the database fails.
pub async fn appoint(tx: &mut Conn, id: UserId, now: Ts) -> Result<(), DbError> {
    store::open(tx, id, now).await?;
    store::make_administrator(tx, id, now).await.map(drop)
}

/// Gives the role to an account that anybody may have made with this address: whoever it was keeps no password, session,
/// API key or identity of it.
async fn take_over(operator: &Operator<'_>, account: UserRow, password: Option<String>) -> Result<Made, OperatorError> {
    let (hash, made) = hash(operator, password, account.email.as_slice()).await?;
    let (id, now) = (account.id, operator.now());
    let mut tx = operator.db.begin().await?;
    store::open(&mut tx, id, now).await?;
    if users::store::update_password(&mut tx, id, account.password_hash.as_deref(), &hash, now).await? == 0 {
        // Whoever claimed it has changed the password in this very moment.
        return Err(OperatorError::JustTaken);
    }
    link::end_all(&mut tx, id, now).await?;
    store::make_administrator(&mut tx, id, now).await?;
    let version = users::store::raise_version(&mut tx, id, now).await?.unwrap_or_default();
    let ended = sessions::store::end_all(&mut tx, id, None, now, "taken_over").await?;
    login::forget_devices(&mut tx, id, None).await?;
    social::store::delete_all(&mut tx, id).await?;
    let recorder = operator.recorder(now);
    drop(api_keys::revoke_all(recorder, &mut tx, id, now).await?);
    drop(recorder.sessions(&mut tx, &ended).await?.and(recorder.user(&mut tx, id, version).await?));
    record(&mut tx, Event::PasswordChanged, id, now).await?;
    record(&mut tx, Event::UserRolesChanged, id, now).await?;
    tx.commit().await?;
    Ok(Made::TakenOver(made))
}

async fn promote(operator: &Operator<'_>, id: UserId) -> Result<Made, OperatorError> {
    let now = operator.now();
    let mut tx: Conn = operator.db.begin().await?;
    let was_closed = store::open(&mut tx, id, now).await?;
    let is_new = store::make_administrator(&mut tx, id, now).await?;
    if !was_closed && !is_new {
        return Ok(Made::Unchanged);
    }
    let version = users::store::raise_version(&mut tx, id, now).await?.unwrap_or_default();
    // Old tokens are refused, and the next refresh carries the new rights: the person stays logged in.
    drop(operator.recorder(now).user(&mut tx, id, version).await?);
    if was_closed {
        record(&mut tx, Event::UserEnabled, id, now).await?;
    }
    if is_new {
        record(&mut tx, Event::UserRolesChanged, id, now).await?;
    }
    tx.commit().await?;
    Ok(Made::Promoted { was_closed })
}

/// The hash of the password that is given, or of one that is made, and which that is.
pub(super) async fn hash(
    operator: &Operator<'_>,
    given: Option<String>,
    own_words: &[String],
) -> Result<(String, Option<String>), OperatorError> {
    let config = passwords::Config { threads: 1, ..operator.config.hashing };
    let hasher = Hasher::start(config, operator.config.passwords.clone()).map_err(OperatorError::Threads)?;
    let is_given = given.is_some();
    let mut candidate = given.unwrap_or_else(make_password);
    for _ in 0..ATTEMPTS {
        let password = NewPassword::parse(candidate.clone(), operator.config.password_min_length);
        let password = password.map_err(OperatorError::length)?;
        let words = OwnWords::new(own_words.iter().map(String::as_str));
        match hasher.hash_new(password, words).await {
            Ok(hash) => return Ok((hash.as_str().to_owned(), (!is_given).then_some(candidate))),
            Err(Rejected::Weak(weakness)) if is_given => return Err(OperatorError::Weak(weakness)),
            Err(Rejected::Weak(_)) => candidate = make_password(),
            Err(Rejected::Busy(busy)) => return Err(busy.into()),
        }
    }
    let reason = "no password could be made that the policy takes: give one with --password-stdin".to_owned();
    Err(OperatorError::Invalid { member: "password", reason })
}

fn make_password() -> String {
    let group = || {
        let pick = |_| loop {
            let [byte] = Entropy.bytes::<1>();
            // Bytes beyond the last whole alphabet would make its first letters likelier.
            if usize::from(byte) < 256 / ALPHABET.len() * ALPHABET.len() {
                return char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]);
            }
        };
        (0..GROUP).map(pick).collect::<String>()
    };
    (0..GROUPS).map(|_| group()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_passwords_differ_and_are_long() {
        let (one, other) = (make_password(), make_password());
        assert_ne!(one, other);
        assert_eq!(one.len(), 23);
        assert!(one.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    }
}
