//! Begins the session of somebody who proved who they are, whichever way: the one rule in which every way in ends.

use auth_sdk::TokenSet;

use super::{device, reason::Ending, store};
use crate::{
    app::App,
    audit::{self, Event},
    client::Client,
    error::{Error, Result},
    ids::OpaqueToken,
    mail::{self, Mail},
    passwords::PasswordHash,
    roles::Permission,
    sessions::{
        SessionKind,
        issue::{self, Proof},
    },
    users::{self, DisplayName, Profile, store::UserRow},
};

/// Somebody who may come in.
pub struct Admission<'a> {
    /// Whose account, as it was when they proved themselves.
    pub user: &'a UserRow,
    /// How (RFC 8176).
    pub methods: &'a [&'a str],
    /// The same in the person's history: `password`, or the name of a provider.
    pub way: &'a str,
    /// What the person calls the device.
    pub device_name: Option<&'a DisplayName>,
    /// Whether they came from the device before.
    pub known_device: bool,
    /// Of the same password by today's parameters, where the stored one is older or foreign.
    pub better_hash: Option<PasswordHash>,
    /// What the session is for.
    pub kind: SessionKind,
}

/// A session that has begun.
pub struct LoggedIn {
    pub tokens: TokenSet,
    /// A token for a device that was not known before.
    pub device: Option<OpaqueToken>,
}

/// Begins a session; nothing when the account was closed, or given another password, meanwhile.
///
/// # Errors
/// [`Error::Forbidden`] at the console, for somebody who may do nothing there; when the database fails, or the key cannot
/// sign.
pub async fn admit(app: &App, admission: Admission<'_>, client: &Client) -> Result<Option<LoggedIn>> {
    let Admission { user, methods, way, device_name, known_device, better_hash, kind } = admission;
    let now = app.now();
    // Before the transaction, which on SQLite holds up every other: a right that changes meanwhile raises a version.
    let Some(profile) = Profile::find(&mut app.db.read().await?, user.id, now).await? else { return Ok(None) };
    if kind == SessionKind::Console && !profile.user.permissions.iter().any(|held| Permission::is_system(held)) {
        return Err(Error::Forbidden);
    }
    let mut tx = app.db.begin().await?;
    if !users::store::record_login(&mut tx, user, now).await? {
        return Ok(None);
    }
    if let Some(better) = &better_hash {
        let stored = user.password_hash.as_deref().unwrap_or_default();
        users::store::upgrade_password_hash(&mut tx, user.id, stored, better.as_str()).await?;
    }
    let device = if known_device { None } else { Some(app.entropy.token()) };
    if let Some(token) = &device {
        store::insert_device(&mut tx, &token.hash(), user.id, now.plus(device::LIFE), now).await?;
    }
    let proof = Proof { user: user.id, methods, device_name, kind };
    let (begun, pending) = issue::begin(app, &mut tx, &proof, client).await?;
    store::insert_history(&mut tx, (user.id, Ending::LoggedIn(begun.session.id)), way, client, now).await?;
    let entry = audit::Entry::new(Event::LoggedIn, Some(user.id), client).session(begun.session.id);
    entry.detail("way", way).record(&mut tx, now).await?;
    let is_news = device.is_some() && user.last_login_at.is_some();
    if is_news {
        let (session, ip_address) = (begun.session.id, client.ip.to_string());
        let news = Mail::NewDevice { session, at: now, ip_address, device: client.device() };
        mail::notify(app, &mut tx, user.id, news, now).await?;
    }
    app.commit(tx, pending).await?;
    app.profiles.drop_user(user.id);
    if is_news {
        app.mail.wake();
    }
    metrics::counter!("logins_total", "outcome" => "logged_in").increment(1);
    let tokens = issue::mint(app, &profile, &begun.session, &begun.refresh_token, now)?;
    Ok(Some(LoggedIn { tokens, device }))
}
