//! Sets the password of whoever holds a link to do so.

use super::store;
use crate::{
    api_keys,
    app::App,
    audit::{self, Event},
    client::Client,
    db::{Conn, Ts},
    error::{Error, Result},
    fields::Fault,
    ids::OpaqueToken,
    login,
    mail::{
        self, Mail,
        link::{self, Link, Purpose},
    },
    passwords::{NewPassword, OwnWords, Verdict},
    sessions::revoke,
    social, users,
};

/// Links that came by mail. An invitation is a reset of a password that never was.
const MAILED: [Purpose; 2] = [Purpose::ResetPassword, Purpose::Invitation];
/// What a login hands out whose password was right and too old.
const EXPIRED: [Purpose; 2] = [Purpose::ExpiredPassword; 2];

/// Sets a new password. An address that the link was mailed to is thereby proven, every session ends, every device and
/// every failed guess is forgotten, and no other link that was sent is good any more. API keys and identities from before
/// the proof end: anybody may have made or linked them.
///
/// # Errors
/// [`Error::InvalidOrExpiredToken`] whatever is wrong with the link; [`Error::WeakPassword`] and, for an expired password
/// that is to stay the same, [`Error::Invalid`], which leave it good.
pub async fn reset(app: &App, token: &OpaqueToken, new: NewPassword, client: &Client) -> Result<()> {
    let mut conn = app.db.read().await?;
    let (link, purposes) = look_at(&mut conn, token, app.now()).await?.ok_or(Error::InvalidOrExpiredToken)?;
    let user = users::store::find(&mut conn, link.user_id).await?.ok_or(Error::InvalidOrExpiredToken)?;
    drop(conn);
    if purposes == EXPIRED && app.hasher.verify(new.password(), user.password_hash.as_deref()).await? != Verdict::Wrong
    {
        let same =
            Fault::new("unchanged", "Choose another password than the old one.", "이전과 다른 비밀번호를 쓰세요.");
        return Err(same.of("new_password"));
    }
    let names = [user.username.as_deref(), user.display_name.as_deref(), user.email.as_deref()];
    let own_words = OwnWords::new(names.into_iter().flatten());
    let hash = app.hash_new_password("new_password", new, own_words).await?;

    let now = app.now();
    let mut tx = app.db.begin().await?;
    let link = link::spend(&mut tx, purposes, token, now).await?.ok_or(Error::InvalidOrExpiredToken)?;
    let proven_at = (purposes == MAILED).then_some(now);
    if store::set_password(&mut tx, (link.user_id, link.email.as_deref()), &hash, proven_at, now).await? == 0 {
        return Err(Error::InvalidOrExpiredToken);
    }
    users::store::grant_wish(&mut tx, link.user_id).await?;
    link::end_all(&mut tx, link.user_id, now).await?;
    let pending = revoke::all(app, &mut tx, link.user_id, None, "password_reset").await?;
    login::forget_devices(&mut tx, link.user_id, None).await?;
    login::forget_guesses(app, &mut tx, link.user_id).await?;
    mail::notify(app, &mut tx, link.user_id, Mail::PasswordChanged, now).await?;
    let entry = audit::Entry::new(Event::PasswordReset, Some(link.user_id), client).count(pending.len());
    entry.record(&mut tx, now).await?;
    let is_first_proof = proven_at.is_some() && user.email_verified_at.is_none();
    let pending = if is_first_proof {
        social::store::delete_all(&mut tx, link.user_id).await?;
        pending.and(api_keys::revoke_all(app.recorder(now), &mut tx, link.user_id, now).await?)
    } else {
        pending
    };
    app.commit(tx, pending).await?;
    app.user_changed(link.user_id);
    app.mail.wake();
    Ok(())
}

/// What a token stands for, and as which kinds it is good.
async fn look_at(conn: &mut Conn, token: &OpaqueToken, now: Ts) -> Result<Option<(Link, [Purpose; 2])>> {
    for purposes in [MAILED, EXPIRED] {
        if let Some(link) = link::look_at(conn, purposes, token, now).await? {
            return Ok(Some((link, purposes)));
        }
    }
    Ok(None)
}
