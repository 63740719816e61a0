//! Gives an app what its person proved at a provider: a session, an identity linked, or a question to the account's owner.

use auth_sdk::{LinkRequired, Linked};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{
    authorize::Aim,
    callback::Granted,
    handle::{self, Kind},
    identity::Identity,
    resolve::{self, Resolved},
    store,
};
use crate::{
    app::App,
    audit::{Entry, Event},
    client::Client,
    error::{Error, Result},
    ids::{OpaqueToken, SessionId, TokenHash, UserId},
    login::{
        self,
        admit::{Admission, LoggedIn, admit},
    },
    mail::{self, Mail},
    passwords::PasswordHash,
    sessions::{self, SessionKind},
    users::{DisplayName, store::UserRow},
};

/// How a person proved themselves at a provider. RFC 8176 has no name for it; this one is in common use.
pub const FEDERATED: &str = "fed";

/// Whom a session is for, and on what.
pub struct Arrival<'a> {
    pub device_name: Option<DisplayName>,
    pub device: Option<OpaqueToken>,
    pub client: &'a Client,
}

/// What a login through a provider comes to.
pub enum Exchanged {
    LoggedIn(Box<LoggedIn>),
    LinkRequired(LinkRequired),
    Linked(Box<Linked>),
}

/// Behind a link token.
#[derive(Debug, Deserialize, Serialize)]
pub struct Proposal {
    pub user: UserId,
    pub identity: Uuid,
    pub provider: String,
}

/// Spends a code for whoever has the verifier that its login began with (RFC 7636 section 4.6).
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`]; [`Error::AccountClosed`]; [`Error::IdentityTaken`].
pub async fn exchange(app: &App, code: &OpaqueToken, verifier: &str, arrival: &Arrival<'_>) -> Result<Exchanged> {
    let mut tx = app.db.begin().await?;
    let granted: Option<Granted> = handle::spend(&mut tx, Kind::Code, code, app.now()).await?;
    tx.commit().await?;
    let granted = granted.filter(|granted| fits(verifier, &granted.code_challenge));
    let Granted { identity, aim, .. } = granted.ok_or(Error::InvalidOrExpiredToken)?;
    match aim {
        Aim::LogIn => log_in(app, &identity, arrival).await,
        Aim::Link { user, session } => {
            let linked = link(app, (user, session), &identity, arrival.client).await?;
            Ok(Exchanged::Linked(Box::new(linked)))
        }
    }
}

fn fits(verifier: &str, challenge: &str) -> bool {
    let is_verifier = (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let made = BASE64URL_NOPAD.encode(TokenHash::of(verifier.as_bytes()).as_bytes());
    is_verifier && bool::from(made.as_bytes().ct_eq(challenge.as_bytes()))
}

/// Enters the account of an identity.
///
/// # Errors
/// [`Error::AccountClosed`].
pub async fn log_in(app: &App, identity: &Identity, arrival: &Arrival<'_>) -> Result<Exchanged> {
    match resolve::resolve(app, identity, arrival.client).await? {
        Resolved::Account(user) => {
            let logged_in = begin(app, (&user, &[FEDERATED], None), &identity.provider, arrival).await?;
            Ok(Exchanged::LoggedIn(Box::new(logged_in)))
        }
        Resolved::Proposed { user, identity: id } => {
            let proposal = Proposal { user: user.id, identity: id, provider: identity.provider.clone() };
            ask_owner(app, &user, &proposal).await.map(Exchanged::LinkRequired)
        }
    }
}

/// Begins the session of somebody who proved themselves by these methods (RFC 8176), with a better hash of their password
/// where that was one of them.
///
/// # Errors
/// [`Error::AccountClosed`].
pub async fn begin(
    app: &App,
    (user, methods, better_hash): (&UserRow, &[&str], Option<PasswordHash>),
    way: &str,
    arrival: &Arrival<'_>,
) -> Result<LoggedIn> {
    let known_device = known_device(app, user.id, arrival).await?;
    let device_name = arrival.device_name.as_ref();
    let kind = SessionKind::App;
    let admission = Admission { user, methods, way, device_name, known_device, better_hash, kind };
    admit(app, admission, arrival.client).await?.ok_or(Error::AccountClosed)
}

/// Whether a person came from the device before.
///
/// # Errors
/// When the database fails.
pub async fn known_device(app: &App, user: UserId, arrival: &Arrival<'_>) -> Result<bool> {
    let Some(device) = &arrival.device else { return Ok(false) };
    Ok(login::is_known_device(&mut app.db.read().await?, &device.hash(), user, app.now()).await?)
}

async fn ask_owner(app: &App, user: &UserRow, proposal: &Proposal) -> Result<LinkRequired> {
    let mut tx = app.db.begin().await?;
    let token = handle::issue(&mut tx, Kind::Link, proposal, app.now()).await?;
    tx.commit().await?;
    let methods = [("password", user.password_hash.is_some()), ("email", app.config.mail.is_configured())];
    Ok(LinkRequired {
        status: "link_required".to_owned(),
        link_token: token.to_wire(),
        methods: methods.into_iter().filter(|(_, can)| *can).map(|(method, _)| method.to_owned()).collect(),
        email: user.email.clone().unwrap_or_default(),
        expires_in: Kind::Link.life().as_secs(),
    })
}

/// Links an identity to the account whose session asked for it, if that session still lives.
async fn link(app: &App, (user, session): (UserId, SessionId), identity: &Identity, client: &Client) -> Result<Linked> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    // Locked: whoever takes the account over in this moment ends the session first, and then the identities that are there.
    if !store::lock_account(&mut tx, user).await? {
        return Err(Error::InvalidOrExpiredToken);
    }
    if sessions::store::find_authenticated_at(&mut tx, session, now).await?.is_none() {
        return Err(Error::InvalidOrExpiredToken);
    }
    match store::find(&mut tx, &identity.issuer, &identity.subject).await? {
        // Ended by the provider, perhaps: linked anew.
        Some(known) if known.user_id == user => drop(store::refresh(&mut tx, known.id, identity, now).await?),
        Some(_) => return Err(Error::IdentityTaken),
        None if resolve::link(app, &mut tx, user, identity, now).await? => {}
        None => return Err(Error::IdentityTaken),
    }
    let way = identity.provider.as_str();
    Entry::new(Event::IdentityLinked, Some(user), client).detail("way", way).record(&mut tx, now).await?;
    mail::notify(app, &mut tx, user, Mail::IdentityLinked { provider: app.providers.title(way) }, now).await?;
    let linked = store::find(&mut tx, &identity.issuer, &identity.subject).await?.ok_or(Error::IdentityTaken)?;
    tx.commit().await?;
    app.mail.wake();
    Ok(Linked { status: "linked".to_owned(), identity: linked.into_wire() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    #[test]
    fn a_verifier_fits_its_challenge_alone() {
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(fits(verifier, challenge));
        assert!(!fits(challenge, challenge));
        assert!(!fits("", challenge));
        assert!(!fits(&verifier[1..], challenge));
    }
}
