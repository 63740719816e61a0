//! What administrators do with other people's accounts, a file for each thing that is done.
//!
//! Nobody acts on an account that holds more than they do, and every look at somebody's data is an event of the audit log.

pub mod api_keys_http;
mod bulk;
mod close;
mod create;
mod filter;
mod find;
pub mod http;
pub mod identities_http;
pub(crate) mod looks;
mod remove;
mod roles;
pub mod sessions_http;
pub mod state_http;
mod store;
mod stretch;

use crate::{
    app::App,
    audit::{Entry, Event, Target},
    caller::Caller,
    client::Client,
    db::Conn,
    error::{Error, Result},
    ids::UserId,
    roles::Rights,
    users::store::UserRow,
};

/// An account that the caller may act on, while every other change of rights waits.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`].
async fn lock(app: &App, tx: &mut Conn, caller: &Caller, id: UserId) -> Result<(UserRow, Rights)> {
    let rights = Rights::lock(app, tx, caller).await?;
    let user = super::store::find(tx, id).await?.ok_or(Error::NotFound)?;
    rights.cover_user(tx, id, app.now()).await?;
    Ok((user, rights))
}

/// Notes what a caller did to somebody.
async fn record(
    app: &App,
    tx: &mut Conn,
    event: Event,
    caller: &Caller,
    (id, client): (UserId, &Client),
) -> Result<()> {
    Ok(Entry::by(event, caller, Some(Target::User(id)), client).record(tx, app.now()).await?)
}

fn parse_id(text: &str) -> Result<UserId> {
    text.parse().map(UserId).map_err(|_| Error::NotFound)
}
