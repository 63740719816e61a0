//! Gives a person other roles.

use auth_sdk::User;

use super::lock;
use crate::{
    app::App,
    audit::{Entry, Event, Target},
    caller::Caller,
    client::Client,
    error::{Error, Result},
    ids::UserId,
    roles::{self, Grant},
    users::{Profile, store},
};

/// Sets all roles of a person. Their tokens are refused within a second; their sessions live, and refresh to the new
/// rights.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`], [`Error::LastAdministrator`], [`Error::Invalid`] for a role that does
/// not exist.
pub async fn set(app: &App, caller: &Caller, id: UserId, grants: Vec<Grant>, client: &Client) -> Result<User> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let (_, rights) = lock(app, &mut tx, caller, id).await?;
    roles::assign(&mut tx, &rights, id, &grants, now).await?;
    rights.keep_an_administrator(&mut tx).await?;
    let version = store::raise_version(&mut tx, id, now).await?.ok_or(Error::NotFound)?;
    let pending = app.recorder(now).user(&mut tx, id, version).await?;
    let names: Vec<_> = grants.iter().map(|grant| grant.role.as_str().to_owned()).collect();
    let entry = Entry::by(Event::UserRolesChanged, caller, Some(Target::User(id)), client);
    entry.detail("roles", names).record(&mut tx, now).await?;
    let user = Profile::find(&mut tx, id, now).await?.ok_or(Error::NotFound)?.user;
    app.commit(tx, pending).await?;
    app.user_changed(id);
    Ok(user)
}
