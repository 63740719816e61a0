//! Erases people for good, some time after their accounts were deleted.

mod store;

use crate::{
    app::App,
    audit::{self, Entry, Event, Target},
    db::{Conn, DbError, Ts},
    ids::UserId,
    jobs::{self, BATCH, Days, Lock},
    login, sessions,
    social::unlinks,
};

/// Erases everybody whose account was deleted longer ago than `kept`; says how many.
///
/// The account goes, and all that belongs to it alone. The audit log keeps what happened, for others' sake, but no longer
/// from where and by which client: its chain holds only a salted hash of that, and the salt goes too.
///
/// Handles of logins through providers may hold a profile, but are swept when their ten minutes are over, and nobody is
/// erased within a day of their last login; what providers told, which holds a subject, is forgotten after two days.
///
/// # Errors
/// When the database fails; whoever was erased until then stays erased.
pub async fn run(app: &App, kept: Days) -> Result<u64, DbError> {
    let Some(limit) = kept.before(app.now()) else { return Ok(0) };
    let mut erased = 0;
    while let Some(user) = store::find_deleted(&mut app.db.read().await?, limit).await? {
        if !erase(app, user, limit).await? {
            break;
        }
        erased += 1;
    }
    Ok(erased)
}

/// Erases one person, a bounded part of what there is per transaction; false when it is to be tried again later.
async fn erase(app: &App, user: UserId, limit: Ts) -> Result<bool, DbError> {
    let (mut by, mut about) = (Some(audit::BEGINNING), Some(audit::BEGINNING));
    loop {
        let Some(mut tx) = begin(app, user, limit).await? else { return Ok(false) };
        if let Some(after) = by {
            by = audit::erase_by(&mut tx, user, after).await?;
        }
        if let Some(after) = about {
            about = audit::erase_about(&mut tx, user, after).await?;
        }
        let lines = login::history::delete(&mut tx, user, BATCH).await?;
        let ended = sessions::store::delete_of(&mut tx, user).await?;
        let is_last = by.is_none() && about.is_none() && lines.max(ended) < BATCH.unsigned_abs();
        if is_last {
            unlinks::queue_all(app, &mut tx, user, app.now()).await?;
            store::erase(&mut tx, user).await?;
            Entry::by_system(Event::UserErased, Some(Target::User(user))).record(&mut tx, app.now()).await?;
        }
        tx.commit().await?;
        if is_last {
            app.providers.unlinks.notify_one();
            return Ok(true);
        }
    }
}

/// A transaction in which nobody else erases, and nobody restores this person; nothing while that cannot be had.
async fn begin(app: &App, user: UserId, limit: Ts) -> Result<Option<Conn>, DbError> {
    let Some(mut tx) = jobs::begin(app, Lock::Job).await? else { return Ok(None) };
    // Beside the sealer only sealed entries may be touched; it comes within a second, and the next round after that.
    if store::lock_deleted(&mut tx, user, limit).await? && !audit::has_unsealed_of(&mut tx, user).await? {
        return Ok(Some(tx));
    }
    tx.commit().await?;
    Ok(None)
}
