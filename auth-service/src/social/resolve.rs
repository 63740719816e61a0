//! Whose account an identity enters: its own, a new one, one whose owner is still to agree, or one that nobody had proven.

use auth_sdk::UserStatus;
use uuid::Uuid;

use super::{
    identity::Identity,
    store::{self, IdentityRow, NewIdentity},
};
use crate::{
    app::App,
    audit::{Entry, Event},
    client::Client,
    db::{Conn, Ts},
    error::{Error, Result},
    ids::UserId,
    login::{self, Reason},
    mail::{self, Mail},
    users::{
        self, AvatarUrl, Locale, shut_out,
        store::{Inserted, NewUser, UserRow},
    },
};

/// Of two first logins at once the second finds what the first made.
const TRIES: usize = 3;

/// What an identity leads to.
pub enum Resolved {
    /// An account, linked to it.
    Account(Box<UserRow>),
    /// An account with the address that the provider vouches for: its owner is to prove to be the same person.
    Proposed {
        /// The account.
        user: Box<UserRow>,
        /// The proposed identity.
        identity: Uuid,
    },
}

/// Finds or makes the account of an identity. The address that a provider vouches for finds an account too, but enters
/// none whose owner has proven it here.
///
/// # Errors
/// [`Error::AccountClosed`].
pub async fn resolve(app: &App, identity: &Identity, client: &Client) -> Result<Resolved> {
    for _ in 0..TRIES {
        if let Some(resolved) = try_once(app, identity, client).await? {
            return Ok(resolved);
        }
    }
    Err(Error::IdentityTaken)
}

/// Nothing when somebody else was faster.
async fn try_once(app: &App, identity: &Identity, client: &Client) -> Result<Option<Resolved>> {
    let mut tx = app.db.begin().await?;
    if let Some(known) = store::find(&mut tx, &identity.issuer, &identity.subject).await? {
        return enter(app, tx, (known, identity), client).await;
    }
    let owner = match identity.verified_email() {
        Some(email) => users::store::find_by_email(&mut tx, &email).await?,
        None => None,
    };
    match owner {
        None => make(app, tx, identity, client).await,
        Some(user) if user.status() == UserStatus::Disabled => refuse(app, tx, (user.id, identity), client).await,
        Some(user) if user.email_verified_at.is_some() => propose(app, tx, (user, identity), client).await,
        Some(user) => claim(app, tx, user, identity, client).await,
    }
}

async fn enter(
    app: &App,
    mut tx: Conn,
    (known, identity): (IdentityRow, &Identity),
    client: &Client,
) -> Result<Option<Resolved>> {
    let now = app.now();
    let user = users::store::find(&mut tx, known.user_id).await?;
    match user.filter(|user| user.status() == UserStatus::Active) {
        Some(user) => {
            if !store::refresh(&mut tx, known.id, identity, now).await? {
                return Ok(None);
            }
            tx.commit().await?;
            Ok(Some(Resolved::Account(Box::new(user))))
        }
        None => refuse(app, tx, (known.user_id, identity), client).await,
    }
}

async fn refuse<T>(app: &App, mut tx: Conn, (user, identity): (UserId, &Identity), client: &Client) -> Result<T> {
    let refusal = (user, Reason::AccountDisabled);
    login::record_refusal(&mut tx, refusal, &identity.provider, client, app.now()).await?;
    tx.commit().await?;
    Err(Error::AccountClosed)
}

/// An address that the provider does not vouch for is not the account's: it may be somebody else's.
async fn make(app: &App, mut tx: Conn, identity: &Identity, client: &Client) -> Result<Option<Resolved>> {
    let now = app.now();
    let id = UserId(app.entropy.uuid(now));
    let email = identity.verified_email();
    let has_email = email.is_some();
    let locale = Locale::from_stored(client.language.tag().to_str().unwrap_or_default());
    let (username, display_name) = (None, identity.display_name());
    let user = NewUser { id, email, username, display_name, locale, password_hash: None, status: UserStatus::Active };
    match users::store::insert(&mut tx, &user, now).await? {
        Inserted::Yes => {}
        Inserted::EmailTaken | Inserted::UsernameTaken => return Ok(None),
    }
    if has_email {
        users::store::vouch(&mut tx, id, now).await?;
    }
    if let Some(picture) = identity.claims.picture.as_deref().and_then(|text| AvatarUrl::parse(text).ok()) {
        store::set_avatar(&mut tx, id, picture.as_str()).await?;
    }
    if !link(app, &mut tx, id, identity, now).await? {
        return Ok(None);
    }
    let way = identity.provider.as_str();
    Entry::new(Event::UserRegistered, Some(id), client).detail("way", way).record(&mut tx, now).await?;
    let user = users::store::find(&mut tx, id).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    metrics::counter!("registrations_total").increment(1);
    Ok(Some(Resolved::Account(Box::new(user))))
}

async fn propose(
    app: &App,
    mut tx: Conn,
    (user, identity): (UserRow, &Identity),
    client: &Client,
) -> Result<Option<Resolved>> {
    // The account may be what another first login of this person has made since we looked for the identity.
    if store::find(&mut tx, &identity.issuer, &identity.subject).await?.is_some() {
        return Ok(None);
    }
    let now = app.now();
    let id = match store::propose_again(&mut tx, user.id, identity, now).await? {
        Some(id) => id,
        None => {
            let id = app.entropy.uuid(now);
            store::insert(&mut tx, &NewIdentity { id, user: user.id, identity, linked_at: None }, now).await?;
            id
        }
    };
    let entry = Entry::about(Event::IdentityProposed, Some(user.id), client);
    entry.detail("way", identity.provider.as_str()).record(&mut tx, now).await?;
    tx.commit().await?;
    Ok(Some(Resolved::Proposed { user: Box::new(user), identity: id }))
}

/// Gives an account whose address nobody had proven to whoever now has. Whatever opened it before may be a stranger's, who
/// waited for this: the password, sessions, keys, devices, links and identities are void.
async fn claim(
    app: &App,
    mut tx: Conn,
    user: UserRow,
    identity: &Identity,
    client: &Client,
) -> Result<Option<Resolved>> {
    let now = app.now();
    let Some(version) = store::claim_account(&mut tx, &user, identity, now).await? else { return Ok(None) };
    users::store::index(&mut tx, user.id).await?;
    let ended = shut_out(app, &mut tx, user.id, "claimed", now).await?;
    login::forget_guesses(app, &mut tx, user.id).await?;
    store::delete_all(&mut tx, user.id).await?;
    if !link(app, &mut tx, user.id, identity, now).await? {
        return Ok(None);
    }
    let pending = ended.and(app.recorder(now).user(&mut tx, user.id, version).await?);
    let entry = Entry::new(Event::UserClaimed, Some(user.id), client).detail("way", identity.provider.as_str());
    entry.count(pending.len()).record(&mut tx, now).await?;
    mail::notify(
        app,
        &mut tx,
        user.id,
        Mail::IdentityLinked { provider: app.providers.title(&identity.provider) },
        now,
    )
    .await?;
    let claimed = users::store::find(&mut tx, user.id).await?.ok_or(Error::NotFound)?;
    app.commit(tx, pending).await?;
    app.user_changed(user.id);
    app.mail.wake();
    Ok(Some(Resolved::Account(Box::new(claimed))))
}

/// Links an identity to an account; false when it, or another one of its provider, is linked already.
pub async fn link(app: &App, tx: &mut Conn, user: UserId, identity: &Identity, now: Ts) -> Result<bool> {
    store::delete_ended(tx, user, &identity.provider).await?;
    let id = app.entropy.uuid(now);
    Ok(store::insert(tx, &NewIdentity { id, user, identity, linked_at: Some(now) }, now).await?)
}
