//! Links what was proposed, once the account's owner proves to be the same person; and takes links away.

use super::{
    exchange::{self, Arrival, FEDERATED, Proposal},
    handle::{self, Kind},
    store, unlinks,
};
use crate::{
    app::App,
    audit::{Entry, Event},
    caller::SessionCaller,
    client::Client,
    db::{Conn, DbError, Ts},
    error::{Error, Result},
    ids::{OpaqueToken, UserId},
    login::{self, Guess, Guessed, Outcome},
    mail::{
        self, Mail, Recipient,
        link::{self, Purpose},
    },
    passwords::Password,
    users::{self, store::UserRow},
};

/// Links the proposed identity for whoever knows the account's password, and begins their session. A wrong one counts as
/// a guess, and costs no token; nor does one that is too old, which is to be replaced first.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`], [`Error::WrongPassword`], [`Error::TooManyRequests`], [`Error::Busy`].
pub async fn by_password(
    app: &App,
    token: &OpaqueToken,
    password: &Password,
    arrival: &Arrival<'_>,
) -> Result<Outcome> {
    app.limits.confirmation(arrival.client, app.now()).await?;
    let proposal = look_at(app, token).await?;
    let known = exchange::known_device(app, proposal.user, arrival).await?;
    let guess = Guess::at_account(proposal.user, arrival.device.as_ref().filter(|_| known));
    let user = users::store::find(&mut app.db.read().await?, proposal.user).await?;
    let (user, is_outdated) = match guess.verify(app, password, user).await? {
        Guessed::Right { user, is_outdated } => (user, is_outdated),
        Guessed::Unproven(_) | Guessed::Wrong(_) => {
            let mut tx = app.db.begin().await?;
            login::record_refusal(&mut tx, proposal.user, &proposal.provider, arrival.client, app.now()).await?;
            tx.commit().await?;
            return Err(Error::WrongPassword);
        }
    };
    if login::is_due(app, &user, app.now()) {
        return Ok(Outcome::PasswordExpired(login::hand_over(app, &user, arrival.client).await?));
    }
    let better_hash = if is_outdated { Some(app.hasher.hash(password).await?) } else { None };
    let now = app.now();
    let mut tx = app.db.begin().await?;
    // Whoever knew the password must know it still, when the identity is linked.
    if !users::store::lock_unchanged(&mut tx, &user).await? {
        return Err(Error::InvalidOrExpiredToken);
    }
    let spent: Option<Proposal> = handle::spend(&mut tx, Kind::Link, token, now).await?;
    let proposal = spent.ok_or(Error::InvalidOrExpiredToken)?;
    accept(app, &mut tx, &proposal, arrival.client, now).await?;
    tx.commit().await?;
    app.mail.wake();
    let methods = &["pwd", FEDERATED];
    exchange::begin(app, (&user, methods, better_hash), &proposal.provider, arrival).await.map(Outcome::LoggedIn)
}

/// Sends the account's owner a link that agrees.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`], [`Error::MailNotConfigured`], [`Error::TooManyRequests`] for the client's address.
pub async fn ask_by_mail(app: &App, token: &OpaqueToken, client: &Client) -> Result<()> {
    mail::require_configured(app)?;
    app.limits.forgot(client, app.now()).await?;
    let Proposal { user, identity, provider } = look_at(app, token).await?;
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let to = Recipient::find(&mut tx, user).await?.ok_or(Error::InvalidOrExpiredToken)?;
    let question = Mail::LinkIdentity { identity, provider: app.providers.title(&provider) };
    if app.limits.mails_to(question.kind(), Some(user), &to.email, now).await {
        mail::queue(&mut tx, &to, question, now).await?;
    }
    tx.commit().await?;
    app.mail.wake();
    Ok(())
}

/// Links the proposed identity for whoever reads the account's mail.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`], [`Error::IdentityTaken`].
pub async fn by_mail(app: &App, token: &OpaqueToken, client: &Client) -> Result<()> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let spent = link::spend(&mut tx, [Purpose::LinkIdentity; 2], token, now).await?;
    let identity = spent.and_then(|link| link.oauth_account_id).ok_or(Error::InvalidOrExpiredToken)?;
    let row = store::find_proposed(&mut tx, identity).await?.ok_or(Error::InvalidOrExpiredToken)?;
    let proposal = Proposal { user: row.user_id, identity, provider: row.provider };
    accept(app, &mut tx, &proposal, client, now).await?;
    tx.commit().await?;
    app.mail.wake();
    Ok(())
}

/// Takes a provider's identity from the caller's account, unless it is the only way in.
///
/// # Errors
/// [`Error::ReauthenticationRequired`] unless the session is fresh; [`Error::NotFound`], [`Error::LastWayIn`].
pub async fn unlink(app: &App, caller: &SessionCaller, provider: &str, client: &Client) -> Result<()> {
    caller.require_fresh(app).await?;
    let (user, now) = (caller.user_id(), app.now());
    let mut tx = app.db.begin().await?;
    let account = hold_account(&mut tx, user).await?.ok_or(Error::InvalidToken)?;
    take_away(app, &mut tx, &account, provider, now).await?;
    Entry::new(Event::IdentityUnlinked, Some(user), client).detail("way", provider).record(&mut tx, now).await?;
    tx.commit().await?;
    wake(app);
    Ok(())
}

/// An account, held until the transaction ends: of two ways in that are taken away at once, one would be the last.
///
/// # Errors
/// When the database fails.
pub async fn hold_account(tx: &mut Conn, user: UserId) -> Result<Option<UserRow>, DbError> {
    if store::lock_account(tx, user).await? { users::store::find(tx, user).await } else { Ok(None) }
}

/// Takes a provider's identity from an account that is held, and lets the owner know. Whoever calls this records it, and
/// calls [`wake`] after the commit.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LastWayIn`].
pub async fn take_away(app: &App, tx: &mut Conn, account: &UserRow, provider: &str, now: Ts) -> Result<()> {
    let (_, subject) = store::delete(tx, account.id, provider).await?.ok_or(Error::NotFound)?;
    if account.password_hash.is_none() && store::count_others(tx, account.id, provider).await? == 0 {
        return Err(Error::LastWayIn);
    }
    unlinks::queue(app, tx, (provider, &subject), now).await?;
    let mail = Mail::IdentityUnlinked { provider: app.providers.title(provider) };
    Ok(mail::notify(app, tx, account.id, mail, now).await?)
}

/// Has mails sent and Kakao told of what was taken away.
pub fn wake(app: &App) {
    app.mail.wake();
    app.providers.unlinks.notify_one();
}

async fn look_at(app: &App, token: &OpaqueToken) -> Result<Proposal> {
    let found = handle::look_at(&mut app.db.read().await?, Kind::Link, token, app.now()).await?;
    found.ok_or(Error::InvalidOrExpiredToken)
}

async fn accept(app: &App, tx: &mut Conn, proposal: &Proposal, client: &Client, now: Ts) -> Result<()> {
    let Proposal { user, identity, provider } = proposal;
    store::delete_ended(tx, *user, provider).await?;
    if !store::link_proposed(tx, *identity, now).await? {
        return Err(Error::IdentityTaken);
    }
    let way = provider.as_str();
    Entry::new(Event::IdentityLinked, Some(*user), client).detail("way", way).record(tx, now).await?;
    told(app, tx, *user, way, now).await
}

async fn told(app: &App, tx: &mut Conn, user: UserId, provider: &str, now: Ts) -> Result<()> {
    Ok(mail::notify(app, tx, user, Mail::IdentityLinked { provider: app.providers.title(provider) }, now).await?)
}
