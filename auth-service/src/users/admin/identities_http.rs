//! Calls about the identities of somebody else's account at providers.

use auth_sdk::{Identities, Problem};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};

use super::{lock, looks, parse_id};
use crate::{
    app::App,
    audit::{Entry, Event, Target},
    caller::Caller,
    client::Client,
    error::{Error, Result},
    roles::Permission,
    social::{self, link, store::IdentityRow},
    users,
};

/// List the identities of an account at providers
#[utoipa::path(
    get, path = "/api/v1/users/{id}/identities", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = Identities), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_user_identities(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<Identities>> {
    caller.require(Permission::UsersRead)?;
    let id = parse_id(&id)?;
    let mut conn = app.db.read().await?;
    users::store::find(&mut conn, id).await?.ok_or(Error::NotFound)?;
    let rows = social::store::list(&mut conn, id).await?;
    drop(conn);
    looks::note(&app, &caller, id, &client).await?;
    Ok(Json(Identities { items: rows.into_iter().map(IdentityRow::into_wire).collect() }))
}

/// Take a provider's identity from an account
///
/// Never the last way in. The person is told by mail.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}/identities/{provider}", tag = "users", security(("bearer" = []), ("api_key" = [])),
    params(("id" = Uuid, Path, description = "The account"), ("provider" = String, Path, description = "Its name")),
    responses((status = 204, description = "It enters the account no more"), (status = 401, body = Problem), (status = 403, body = Problem, description = "forbidden, beyond_own_rights or reauthentication_required"), (status = 404, body = Problem), (status = 409, body = Problem, description = "last_way_in"), (status = 503, body = Problem))
)]
pub async fn unlink_user_identity(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path((id, provider)): Path<(String, String)>,
) -> Result<StatusCode> {
    caller.require(Permission::UsersWrite)?;
    caller.require_recent_proof(&app).await?;
    let (id, now) = (parse_id(&id)?, app.now());
    let mut tx = app.db.begin().await?;
    lock(&app, &mut tx, &caller, id).await?;
    let account = link::hold_account(&mut tx, id).await?.ok_or(Error::NotFound)?;
    link::take_away(&app, &mut tx, &account, &provider, now).await?;
    let entry = Entry::by(Event::IdentityUnlinked, &caller, Some(Target::User(id)), &client);
    entry.detail("way", provider).record(&mut tx, now).await?;
    tx.commit().await?;
    link::wake(&app);
    Ok(StatusCode::NO_CONTENT)
}
