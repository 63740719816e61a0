//! What a caller may do to whom: nobody gives more than they hold, and somebody always remains who can administer.

use super::store;
use crate::{
    app::App,
    caller::Caller,
    db::{Conn, Ts},
    error::{Error, Result},
    ids::UserId,
};

/// What a caller holds, read while every other change of rights waits.
pub struct Rights {
    held: Vec<String>,
    administrators: i64,
}

impl Rights {
    /// Locks the rights for this transaction and reads the caller's: what their token says may be a moment old.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock(app: &App, tx: &mut Conn, caller: &Caller) -> Result<Self> {
        store::lock(tx).await?;
        let mut held = store::list_held(tx, caller.user_id(), app.now()).await?;
        held.retain(|permission| caller.permissions().contains(permission));
        Ok(Self { held, administrators: store::count_administrators(tx).await? })
    }

    /// Passes when the caller holds all of these.
    ///
    /// # Errors
    /// [`Error::BeyondOwnRights`].
    pub fn cover(&self, permissions: &[String]) -> Result<()> {
        if permissions.iter().all(|permission| self.held.contains(permission)) {
            Ok(())
        } else {
            Err(Error::BeyondOwnRights)
        }
    }

    /// Passes when this person holds nothing that the caller does not: or a manager could take over an administrator.
    ///
    /// # Errors
    /// [`Error::BeyondOwnRights`].
    pub async fn cover_user(&self, tx: &mut Conn, user: UserId, now: Ts) -> Result<()> {
        self.cover(&store::list_granted(tx, user, now).await?)
    }

    /// Passes unless what this transaction did leaves nobody who can administer for good.
    ///
    /// # Errors
    /// [`Error::LastAdministrator`].
    pub async fn keep_an_administrator(&self, tx: &mut Conn) -> Result<()> {
        if self.administrators > 0 && store::count_administrators(tx).await? == 0 {
            return Err(Error::LastAdministrator);
        }
        Ok(())
    }
}
