//! Looks at people, noted once a minute: a page about somebody is several calls, and an entry for each would bury the rest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    app::App,
    audit::{Entry, Event, Target},
    caller::Caller,
    client::Client,
    db::Ts,
    error::{Error, Result},
    ids::UserId,
};

/// How long further calls count as the same look.
const SAME_LOOK: Duration = Duration::from_secs(60);

/// The session or API key that looked, and at whom.
type Look = (Uuid, UserId);
/// Empty until the look is in the audit log.
type Note = Arc<OnceCell<()>>;

/// Who looked at whom at this instance within the last minute.
#[derive(Default)]
pub struct Looks(Mutex<HashMap<Look, (Ts, Note)>>);

impl Looks {
    fn note(&self, look: Look, now: Ts) -> Note {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|_, (begun, _)| now.since(*begun) < SAME_LOOK);
        Arc::clone(&noted.entry(look).or_insert_with(|| (now, Arc::default())).1)
    }
}

/// Notes that a caller looked at somebody, before they are shown anything. Whoever comes meanwhile waits for the note, and
/// makes it if that failed.
///
/// # Errors
/// When the database fails; then nothing may be shown.
pub async fn note(app: &App, caller: &Caller, id: UserId, client: &Client) -> Result<()> {
    let note = app.looks.note((caller.credential_id(), id), app.now());
    let write = async || {
        let mut tx = app.db.begin().await?;
        Entry::by(Event::UserViewed, caller, Some(Target::User(id)), client).record(&mut tx, app.now()).await?;
        tx.commit().await?;
        Ok::<_, Error>(())
    };
    note.get_or_try_init(write).await.copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_lasts_a_minute_and_is_one_persons_at_another() {
        let (looks, began) = (Looks::default(), Ts::from_micros(0));
        let (somebody, else_) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let person = UserId(Uuid::from_u128(3));
        let first = looks.note((somebody, person), began);
        assert!(Arc::ptr_eq(&first, &looks.note((somebody, person), began)));
        assert!(!Arc::ptr_eq(&first, &looks.note((else_, person), began)));
        assert!(!Arc::ptr_eq(&first, &looks.note((somebody, UserId(else_)), began)));
        let later = Ts::from_micros(60_000_000);
        assert!(!Arc::ptr_eq(&first, &looks.note((somebody, person), later)), "a minute later it is another");
        assert_eq!(looks.0.lock().unwrap().len(), 1, "and what is over is forgotten");
    }
}
