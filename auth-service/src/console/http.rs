//! Calls for the console alone: whether the installation is set up, setting it up, and logging in.

use auth_sdk::{ConsoleLogin, ConsoleState};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{AppendHeaders, IntoResponse, Response},
};

use super::{PREFIX, require_console, setup};
use crate::{
    app::App,
    client::Client,
    error::Result,
    fields::{Fault, Fields},
    ids::OpaqueToken,
    login::{self, Outcome, device},
    passwords::NewPassword,
    sessions::SessionKind,
    users::{self, DisplayName, Email, Locale},
};

/// Tells the console what to show to somebody without a session.
pub async fn show_state(State(app): State<App>, headers: HeaderMap) -> Result<Json<ConsoleState>> {
    require_console(&app, &headers)?;
    Ok(Json(ConsoleState {
        setup_required: setup::is_due(&app.db).await?,
        environment: app.config.environment.as_str().to_owned(),
        mail_configured: app.config.mail.is_configured(),
    }))
}

/// Makes the first administrator, by the token that was printed at start.
pub async fn set_up(State(app): State<App>, client: Client, headers: HeaderMap, fields: Fields) -> Result<StatusCode> {
    require_console(&app, &headers)?;
    let least = app.config.password_min_length;
    let founder = fields.read(|f| {
        let token = f.required("token", |text| OpaqueToken::parse(text).ok_or_else(not_the_token));
        let email = f.required("email", Email::parse);
        let password = f.required("password", |text| Ok(NewPassword::parse(text.to_owned(), least)?));
        let display_name = f.optional("display_name", DisplayName::parse);
        let locale = f.optional("locale", Locale::parse);
        Some(setup::Founder {
            token: token?,
            email: email?,
            password: password?,
            display_name: display_name?,
            locale: locale?.unwrap_or(users::http::spoken(client.language)),
        })
    })?;
    setup::run(&app, founder, &client).await?;
    Ok(StatusCode::CREATED)
}

/// Begins a session of somebody who may use the console: as `POST /api/v1/auth/login`, with a credential for tokens.
pub async fn log_in(State(app): State<App>, client: Client, headers: HeaderMap, fields: Fields) -> Result<Response> {
    require_console(&app, &headers)?;
    let attempt = login::http::read(fields, &headers, SessionKind::Console)?;
    let logged_in = match login::run(&app, attempt, &client).await? {
        Outcome::LoggedIn(logged_in) => logged_in,
        Outcome::PasswordExpired(expired) => return Ok(Json(expired).into_response()),
    };
    let login = Json(ConsoleLogin {
        credential: format!("{PREFIX}{}", logged_in.tokens.refresh_token),
        session_id: logged_in.tokens.session_id,
    });
    Ok(match logged_in.device {
        Some(token) => (AppendHeaders(device::hand_over(&token)), login).into_response(),
        None => login.into_response(),
    })
}

fn not_the_token() -> Fault {
    Fault::new("invalid_token", "This is not the set-up token.", "설정 토큰이 아닙니다.")
}
