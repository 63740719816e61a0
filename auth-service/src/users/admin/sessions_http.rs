//! Calls about the sessions and the password of somebody else's account.

use auth_sdk::{LoginRecord, Page, PageParams, Problem, Session, SessionList};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};

use super::{lock, looks, parse_id, record};
use crate::{
    app::App,
    audit::{Entry, Event, Target},
    caller::Caller,
    client::Client,
    error::{Error, Result},
    ids::SessionId,
    lists::Params,
    login::history,
    mail::{self, Mail, Recipient},
    roles::Permission,
    sessions::{self, revoke},
    users,
};

/// List the sessions of an account
#[utoipa::path(
    get, path = "/api/v1/users/{id}/sessions", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = SessionList), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_user_sessions(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<SessionList>> {
    caller.require(Permission::UsersRead)?;
    let (id, now) = (parse_id(&id)?, app.now());
    let mut conn = app.db.read().await?;
    users::store::find(&mut conn, id).await?.ok_or(Error::NotFound)?;
    let rows = sessions::store::list_live(&mut conn, id, now).await?;
    drop(conn);
    looks::note(&app, &caller, id, &client).await?;
    let items: Vec<Session> = rows.into_iter().map(|row| sessions::http::to_wire(row, None, &app.places)).collect();
    let total = u64::try_from(items.len()).ok();
    Ok(Json(SessionList { items, next_cursor: None, total }))
}

/// End all sessions of an account
///
/// Their tokens are refused everywhere within a second.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}/sessions", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn end_user_sessions(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    caller.require(Permission::UsersWrite)?;
    let id = parse_id(&id)?;
    let mut tx = app.db.begin().await?;
    lock(&app, &mut tx, &caller, id).await?;
    let pending = revoke::all(&app, &mut tx, id, None, "ended_by_administrator").await?;
    let entry = Entry::by(Event::SessionsEnded, &caller, Some(Target::User(id)), &client).count(pending.len());
    entry.record(&mut tx, app.now()).await?;
    app.commit(tx, pending).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End a session of an account
///
/// Its tokens are refused everywhere within a second.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}/sessions/{session_id}", tag = "users", security(("bearer" = []), ("api_key" = [])),
    params(("id" = Uuid, Path, description = "The account"), ("session_id" = Uuid, Path, description = "The session")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn end_user_session(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path((id, session)): Path<(String, String)>,
) -> Result<StatusCode> {
    caller.require(Permission::UsersWrite)?;
    let (id, session) = (parse_id(&id)?, SessionId(session.parse().map_err(|_| Error::NotFound)?));
    let mut tx = app.db.begin().await?;
    lock(&app, &mut tx, &caller, id).await?;
    let pending = revoke::one(&app, &mut tx, session, id, "ended_by_administrator").await?;
    if pending.is_empty() {
        return Err(Error::NotFound);
    }
    let entry = Entry::by(Event::SessionsEnded, &caller, Some(Target::User(id)), &client).session(session);
    entry.record(&mut tx, app.now()).await?;
    app.commit(tx, pending).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a mail to reset the password
///
/// An administrator never chooses a password: the person does, through the link in the mail.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/password-reset", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 202), (status = 409, body = Problem, description = "no_email"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn send_password_reset(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    caller.require(Permission::UsersWrite)?;
    mail::require_configured(&app)?;
    let (id, now) = (parse_id(&id)?, app.now());
    let mut tx = app.db.begin().await?;
    let (user, _) = lock(&app, &mut tx, &caller, id).await?;
    let to = Recipient::of(&user).ok_or(Error::NoEmail)?;
    mail::queue(&mut tx, &to, Mail::ResetPassword, now).await?;
    record(&app, &mut tx, Event::PasswordResetRequested, &caller, (id, &client)).await?;
    tx.commit().await?;
    app.mail.wake();
    Ok(StatusCode::ACCEPTED)
}

/// List attempts to log in to an account
///
/// Newest first, those that were refused too.
#[utoipa::path(
    get, path = "/api/v1/users/{id}/login-history", tag = "users", security(("bearer" = []), ("api_key" = [])),
    params(("id" = Uuid, Path, description = "The account"), PageParams),
    responses((status = 200, body = Page<LoginRecord>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_user_logins(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<Page<LoginRecord>>> {
    caller.require(Permission::UsersRead)?;
    let (id, page) = (parse_id(&id)?, params.read(history::page)?);
    let mut conn = app.db.read().await?;
    users::store::find(&mut conn, id).await?.ok_or(Error::NotFound)?;
    let logins = history::list(&mut conn, id, &page, &app.places).await?;
    drop(conn);
    looks::note(&app, &caller, id, &client).await?;
    Ok(Json(logins))
}
