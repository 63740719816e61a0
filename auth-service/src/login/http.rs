//! The call that logs in.

use auth_sdk::{LoginAnswer, LoginRecord, LoginRequest, Page, Problem};
use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{AppendHeaders, IntoResponse, Response},
};

use super::{
    attempt::{self, Attempt, Identifier, Outcome},
    device, history,
};
use crate::{
    app::App,
    caller::SessionCaller,
    client::Client,
    error::Result,
    fields::{Fault, Fields},
    lists::Params,
    passwords::Password,
    sessions::SessionKind,
    users::{DisplayName, Email, Username},
};

/// Log in
///
/// Begins a session for whoever knows the password of the account with this `email` or `username`. Every refusal is the
/// same 401. A device that is new to the account is handed `X-Device-Token` and a cookie: sent with later logins, they
/// keep strangers' guesses from slowing this device down. Where passwords expire, a right one that is too old is answered
/// with a token for `/api/v1/auth/password/reset` in place of a session.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "auth", request_body = LoginRequest,
    responses((status = 200, body = LoginAnswer), (status = 401, body = Problem, description = "invalid_credentials"), (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem))
)]
pub async fn login(State(app): State<App>, client: Client, headers: HeaderMap, fields: Fields) -> Result<Response> {
    let attempt = read(fields, &headers, SessionKind::App)?;
    let logged_in = match attempt::run(&app, attempt, &client).await? {
        Outcome::LoggedIn(logged_in) => logged_in,
        Outcome::PasswordExpired(expired) => return Ok(Json(expired).into_response()),
    };
    let tokens = Json(logged_in.tokens);
    Ok(match logged_in.device {
        Some(token) => (AppendHeaders(device::hand_over(&token)), tokens).into_response(),
        None => tokens.into_response(),
    })
}

/// List attempts to log in as oneself
///
/// Newest first, those that were refused too.
#[utoipa::path(
    get, path = "/api/v1/users/me/login-history", tag = "users", security(("bearer" = [])),
    params(("limit" = Option<i64>, Query, description = "1 to 100, 20 unless given"), ("cursor" = Option<String>, Query, description = "A next_cursor of this list")),
    responses((status = 200, body = Page<LoginRecord>), (status = 401, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_login_history(
    State(app): State<App>,
    caller: SessionCaller,
    params: Params,
) -> Result<Json<Page<LoginRecord>>> {
    let page = params.read(history::page)?;
    Ok(Json(history::list(&mut app.db.read().await?, caller.user_id(), &page, &app.places).await?))
}

/// Reads who somebody says they are, and by what.
///
/// # Errors
/// [`Error::Invalid`](crate::error::Error::Invalid).
pub fn read(fields: Fields, headers: &HeaderMap, kind: SessionKind) -> Result<Attempt> {
    fields.read(|f| {
        let email = f.optional("email", Email::parse);
        let username = f.optional("username", Username::parse);
        let password = f.required("password", |text| Ok(Password::parse(text.to_owned())?));
        let device_name = f.optional("device_name", DisplayName::parse);
        let identifier = match (email?, username?) {
            (Some(email), None) => Some(Identifier::Email(email)),
            (None, Some(username)) => Some(Identifier::Username(username)),
            (None, None) => f.refuse(
                "email",
                Fault::new("required", "Give email or username.", "email 또는 username을 입력하세요."),
            ),
            (Some(_), Some(_)) => f.refuse(
                "username",
                Fault::new("conflict", "Give email or username, not both.", "email과 username 중 하나만 입력하세요."),
            ),
        };
        Some(Attempt {
            identifier: identifier?,
            password: password?,
            device_name: device_name?,
            device: device::presented(headers),
            kind,
        })
    })
}
