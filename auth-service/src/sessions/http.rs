//! Calls about sessions: refresh, logout, list, end, reauthenticate.

use auth_sdk::{LogoutScope, Problem, ReauthenticateRequest, RefreshRequest, Session, SessionList, TokenSet};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};

use super::{issue, revoke, rotate, store, store::SessionRow};
use crate::{
    app::App,
    audit::{self, Event},
    caller::SessionCaller,
    client::{Client, browser_and_os},
    error::{Error, Result},
    fields::Fields,
    ids::{OpaqueToken, SessionId},
    lists::{Params, parse_flag},
    login::confirm,
    passwords::Password,
    places::Places,
};

/// Refresh tokens
///
/// Spends a refresh token (RFC 6749 section 6) for a new pair. The presented token is good once; presented again within
/// ten seconds it gives the same successor, and after that it ends the session.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", tag = "auth", request_body = RefreshRequest,
    responses((status = 200, body = TokenSet), (status = 401, body = Problem, description = "invalid_grant"), (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem))
)]
pub async fn refresh(State(app): State<App>, client: Client, fields: Fields) -> Result<Json<TokenSet>> {
    let token = fields.read(|f| f.required("refresh_token", |text| Ok(OpaqueToken::parse(text))))?;
    let tokens = rotate::rotate(&app, &token.ok_or(Error::InvalidGrant)?, &client).await?;
    Ok(Json(tokens))
}

/// Log out
///
/// Ends this session at once; its access token is refused everywhere within a second.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "auth", security(("bearer" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 503, body = Problem))
)]
pub async fn logout(State(app): State<App>, caller: SessionCaller, client: Client) -> Result<StatusCode> {
    end(&app, &caller, caller.session_id(), &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List own sessions
#[utoipa::path(
    get, path = "/api/v1/auth/sessions", tag = "auth", security(("bearer" = [])),
    responses((status = 200, body = SessionList), (status = 401, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_sessions(State(app): State<App>, caller: SessionCaller) -> Result<Json<SessionList>> {
    let mut conn = app.db.read().await?;
    let rows = store::list_live(&mut conn, caller.user_id(), app.now()).await?;
    let current = Some(caller.session_id());
    let items: Vec<Session> = rows.into_iter().map(|row| to_wire(row, current, &app.places)).collect();
    let total = u64::try_from(items.len()).ok();
    Ok(Json(SessionList { items, next_cursor: None, total }))
}

/// End one of one's own sessions
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions/{id}", tag = "auth", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The session")),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn delete_session(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    end(&app, &caller, SessionId(id), &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End all of one's own sessions
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions", tag = "auth", security(("bearer" = [])), params(LogoutScope),
    responses((status = 204), (status = 401, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn delete_sessions(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    params: Params,
) -> Result<StatusCode> {
    let except_current = params.read(|p| p.optional("except_current", parse_flag))?.unwrap_or(false);
    let spared = except_current.then(|| caller.session_id());
    let mut tx = app.db.begin().await?;
    let pending = revoke::all(&app, &mut tx, caller.user_id(), spared, "logout").await?;
    let entry = audit::Entry::new(Event::SessionsEnded, Some(caller.user_id()), &client).count(pending.len());
    entry.record(&mut tx, app.now()).await?;
    app.commit(tx, pending).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Confirm the password
///
/// Marks this session fresh for five minutes, as calls that change how one logs in demand.
#[utoipa::path(
    post, path = "/api/v1/auth/reauthenticate", tag = "auth", security(("bearer" = [])), request_body = ReauthenticateRequest,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem, description = "wrong_password"), (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem))
)]
pub async fn reauthenticate(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    fields: Fields,
) -> Result<StatusCode> {
    let password = fields.read(|f| f.required("password", |text| Ok(Password::parse(text.to_owned())?)))?;
    confirm::password(&app, &caller, &password, &client).await?;
    let now = app.now();
    let mut tx = app.db.begin().await?;
    if store::mark_authenticated(&mut tx, caller.session_id(), now).await? == 0 {
        return Err(Error::InvalidToken);
    }
    audit::Entry::new(Event::Reauthenticated, Some(caller.user_id()), &client)
        .session(caller.session_id())
        .record(&mut tx, now)
        .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end(app: &App, caller: &SessionCaller, id: SessionId, client: &Client) -> Result<()> {
    let mut tx = app.db.begin().await?;
    let pending = revoke::one(app, &mut tx, id, caller.user_id(), "logout").await?;
    if pending.is_empty() {
        return Err(Error::NotFound);
    }
    audit::Entry::new(Event::SessionsEnded, Some(caller.user_id()), client)
        .session(id)
        .record(&mut tx, app.now())
        .await?;
    app.commit(tx, pending).await
}

/// A session as the wire shows it; `current` is the one that asks.
pub fn to_wire(row: SessionRow, current: Option<SessionId>, places: &Places) -> Session {
    let (browser, os) = browser_and_os(row.user_agent.as_deref());
    Session {
        id: row.id.0,
        created_at: row.created_at.into(),
        last_used_at: row.last_used_at.into(),
        expires_at: row.expires_at.into(),
        place: places.find(row.ip_address.as_deref()),
        ip_address: row.ip_address,
        browser,
        os,
        user_agent: row.user_agent,
        device_name: row.device_name,
        auth_methods: issue::methods_from_text(&row.auth_methods),
        current: Some(row.id) == current,
    }
}
