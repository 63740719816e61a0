//! Calls that list, show, hand out, make and change accounts.

use std::collections::{BTreeMap, BTreeSet};

use auth_sdk::{
    BulkResults, CreateUser, CreateUsers, Page, PageParams, PersonalData, Problem, UpdateMe, User, UserFilter,
};
use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use super::{
    bulk,
    create::{self, Invited},
    filter::{Filter, Order},
    find, lock, looks, parse_id, record, store,
};
use crate::{
    app::App,
    audit::{Entry, Event, Target},
    caller::Caller,
    client::Client,
    db::{Conn, DbError, Ts},
    error::{Error, Result, as_header},
    fields::Fields,
    idempotency::{Answer, Once},
    ids::UserId,
    lists::{self, Cursor, Params, SortKey},
    roles::Permission,
    users::{self, Profile, store::UserRow},
};

/// List accounts
///
/// `total` is `null` where counting would take long.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "users", security(("bearer" = []), ("api_key" = [])), params(PageParams, UserFilter),
    responses((status = 200, body = Page<User>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_users(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    params: Params,
) -> Result<Json<Page<User>>> {
    caller.require(Permission::UsersRead)?;
    let filter = params.read(Filter::read)?;
    let mut conn = app.db.read_replica().await?;
    let (rows, total) = find::find(&mut conn, &filter).await?;
    let (rows, next_cursor) = lists::cut(rows, &filter.page, filter.order.sort(), |row| cursor_of(row, filter.order));
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let held = store::list_held(&mut conn, &ids, app.now()).await?;
    drop(conn);
    let items = with_rights(rows, held);
    let mut tx = app.db.begin().await?;
    Entry::by(Event::UsersListed, &caller, None, &client).count(items.len()).record(&mut tx, app.now()).await?;
    tx.commit().await?;
    Ok(Json(Page { items, next_cursor, total: total.and_then(|total| u64::try_from(total).ok()) }))
}

/// Show an account
///
/// A deleted one to whoever may restore it (`users:delete`).
#[utoipa::path(
    get, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = User), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn show_user(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<User>> {
    caller.require(Permission::UsersRead)?;
    let id = parse_id(&id)?;
    let mut conn = app.db.read().await?;
    let user = match Profile::find(&mut conn, id, app.now()).await? {
        Some(profile) => profile.user,
        None => show_deleted(&mut conn, &caller, id, app.now()).await?.ok_or(Error::NotFound)?,
    };
    drop(conn);
    looks::note(&app, &caller, id, &client).await?;
    Ok(Json(user))
}

/// Take everything that is held on a person
///
/// What the person takes themselves at `/api/v1/users/me/export`. Demands `audit:read` too, for what the audit log tells is
/// in it, and an account that holds no more than the caller.
#[utoipa::path(
    get, path = "/api/v1/users/{id}/export", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = PersonalData), (status = 401, body = Problem), (status = 403, body = Problem, description = "forbidden, beyond_own_rights or reauthentication_required"), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn export_user(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Response> {
    caller.require(Permission::UsersRead)?;
    caller.require(Permission::AuditRead)?;
    caller.require_recent_proof(&app).await?;
    let id = parse_id(&id)?;
    let mut tx = app.db.begin().await?;
    lock(&app, &mut tx, &caller, id).await?;
    record(&app, &mut tx, Event::UserExported, &caller, (id, &client)).await?;
    tx.commit().await?;
    users::export::answer(&app, id).await
}

/// Make an account
///
/// The person is sent an invitation, and chooses a password through it.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "users", security(("bearer" = []), ("api_key" = [])), request_body = CreateUser,
    responses((status = 201, body = User, headers(("Location" = String, description = "The account"))), (status = 401, body = Problem), (status = 403, body = Problem, description = "forbidden, beyond_own_rights or reauthentication_required"), (status = 409, body = Problem, description = "email_taken or username_taken"), (status = 422, body = Problem), (status = 503, body = Problem, description = "mail_not_configured, among others"))
)]
pub async fn create_user(State(app): State<App>, caller: Caller, client: Client, once: Once) -> Result<Response> {
    caller.require(Permission::UsersWrite)?;
    once.run((&app, &caller), "POST /api/v1/users", Answer::Keep, async |fields| {
        let invited = fields.read(|f| Invited::read(f, &app, &client))?;
        let user = create::create(&app, &caller, invited, &client).await?;
        let location = as_header(&format!("/api/v1/users/{}", user.id));
        Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(user)).into_response())
    })
    .await
}

/// Make many accounts
///
/// Each item succeeds or fails by itself; `results` says how.
#[utoipa::path(
    post, path = "/api/v1/users/bulk", tag = "users", security(("bearer" = []), ("api_key" = [])), request_body = CreateUsers,
    responses((status = 200, body = BulkResults), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem, description = "mail_not_configured, among others"))
)]
pub async fn create_users(State(app): State<App>, caller: Caller, client: Client, once: Once) -> Result<Response> {
    caller.require(Permission::UsersWrite)?;
    once.run((&app, &caller), "POST /api/v1/users/bulk", Answer::Keep, async |fields| {
        let items = fields.read(bulk::read_items)?;
        let results = bulk::create_all(&app, &caller, items, &client).await?;
        Ok(Json(BulkResults { results }).into_response())
    })
    .await
}

/// Change an account
///
/// A member that is absent stays as it is; `null` clears it.
#[utoipa::path(
    patch, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = []), ("api_key" = [])), request_body = UpdateMe, params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = User), (status = 409, body = Problem, description = "username_taken"), (status = 422, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn update_user(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Json<User>> {
    caller.require(Permission::UsersWrite)?;
    let (id, change) = (parse_id(&id)?, users::http::read_change(fields)?);
    let mut tx = app.db.begin().await?;
    lock(&app, &mut tx, &caller, id).await?;
    match users::store::update_profile(&mut tx, id, &change, app.now()).await {
        Ok(_) => {}
        Err(DbError::Duplicate) => return Err(Error::UsernameTaken),
        Err(other) => return Err(other.into()),
    }
    users::store::index(&mut tx, id).await?;
    let entry = Entry::by(Event::UserUpdated, &caller, Some(Target::User(id)), &client);
    entry.record(&mut tx, app.now()).await?;
    let profile = Profile::find(&mut tx, id, app.now()).await?.ok_or(Error::NotFound)?;
    tx.commit().await?;
    app.user_changed(id);
    Ok(Json(profile.user))
}

/// A deleted account with the roles that it would have again, if the caller may restore it.
async fn show_deleted(tx: &mut Conn, caller: &Caller, id: UserId, now: Ts) -> Result<Option<User>> {
    if caller.require(Permission::UsersDelete).is_err() {
        return Ok(None);
    }
    let Some(row) = store::find_deleted(tx, id).await? else { return Ok(None) };
    let held = store::list_held(tx, &[id], now).await?;
    Ok(with_rights(vec![row], held).pop())
}

fn cursor_of(row: &UserRow, order: Order) -> Cursor {
    let key = match order {
        Order::OldestFirst | Order::NewestFirst => SortKey::Time(row.created_at),
        Order::EmailAscending | Order::EmailDescending => row.email.clone().map_or(SortKey::Absent, SortKey::Text),
        Order::LastLoginAscending | Order::LastLoginDescending => {
            row.last_login_at.map_or(SortKey::Absent, SortKey::Time)
        }
    };
    Cursor { key, id: row.id.0 }
}

/// Accounts with the roles and permissions that each holds.
fn with_rights(rows: Vec<UserRow>, held: Vec<store::HeldRow>) -> Vec<User> {
    let mut rights: BTreeMap<Uuid, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for row in held {
        let (roles, permissions) = rights.entry(row.user_id.0).or_default();
        roles.insert(row.role);
        permissions.extend(row.permission);
    }
    let to_wire = |row: UserRow| {
        let (roles, permissions) = rights.remove(&row.id.0).unwrap_or_default();
        row.into_wire(roles.into_iter().collect(), permissions.into_iter().collect())
    };
    rows.into_iter().map(to_wire).collect()
}
