//! Calls about one's own account.

use auth_sdk::{ChangePassword, PersonalData, Problem, RegisterRequest, UpdateMe, User};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use service_kit::language::Language;

use super::{
    AvatarUrl, DisplayName, Email, Locale, Phone, Username, delete, export,
    password::{self, PasswordChange},
    register::{self, Registered, Registration},
    store::{self, ProfileChange},
};
use crate::{
    app::App,
    audit::{self, Event},
    caller::{Caller, SessionCaller},
    client::Client,
    db::DbError,
    error::{Error, Result},
    fields::{Change, Fault, Fields},
    login::device,
    passwords::{NewPassword, Password},
};

/// Register
///
/// Makes an account. An address or name that is taken is told so, here alone. Where addresses must be proven
/// (`REQUIRE_EMAIL_VERIFICATION`), the answer is 202 for any address, and a mail follows.
#[utoipa::path(
    post, path = "/api/v1/auth/register", tag = "auth", request_body = RegisterRequest,
    responses((status = 201, body = User, headers(("Location" = String, description = "The account"))), (status = 202, description = "The address is to be proven by the mail that was sent to it"), (status = 409, body = Problem, description = "email_taken or username_taken"), (status = 422, body = Problem, description = "invalid_request or weak_password"), (status = 429, body = Problem), (status = 503, body = Problem))
)]
pub async fn register(State(app): State<App>, client: Client, fields: Fields) -> Result<Response> {
    let registration = fields.read(|f| {
        let email = f.required("email", Email::parse);
        let password =
            f.required("password", |text| Ok(NewPassword::parse(text.to_owned(), app.config.password_min_length)?));
        let username = f.optional("username", Username::parse);
        let display_name = f.optional("display_name", DisplayName::parse);
        let locale = f.optional("locale", Locale::parse);
        Some(Registration {
            email: email?,
            password: password?,
            username: username?,
            display_name: display_name?,
            locale: locale?.unwrap_or(spoken(client.language)),
        })
    })?;
    let location = HeaderValue::from_static("/api/v1/users/me");
    Ok(match register::register(&app, registration, &client).await? {
        Registered::Made(user) => (StatusCode::CREATED, [(header::LOCATION, location)], Json(user)).into_response(),
        Registered::ToBeProven => StatusCode::ACCEPTED.into_response(),
    })
}

/// Show one's own account
#[utoipa::path(
    get, path = "/api/v1/users/me", tag = "users", security(("bearer" = [])),
    responses((status = 200, body = User), (status = 401, body = Problem), (status = 503, body = Problem))
)]
pub async fn show_me(State(app): State<App>, caller: Caller) -> Result<Response> {
    let profile = caller.profile(&app).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], profile.json.clone()).into_response())
}

/// Change one's own account
///
/// A member that is absent stays as it is; `null` clears it.
#[utoipa::path(
    patch, path = "/api/v1/users/me", tag = "users", security(("bearer" = [])), request_body = UpdateMe,
    responses((status = 200, body = User), (status = 401, body = Problem), (status = 409, body = Problem, description = "username_taken"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn update_me(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    fields: Fields,
) -> Result<Response> {
    let change = read_change(fields)?;
    let (id, now) = (caller.user_id(), app.now());
    let mut tx = app.db.begin().await?;
    match store::update_profile(&mut tx, id, &change, now).await {
        Ok(0) => return Err(Error::InvalidToken),
        Ok(_) => {}
        Err(DbError::Duplicate) => return Err(Error::UsernameTaken),
        Err(other) => return Err(other.into()),
    }
    store::index(&mut tx, id).await?;
    audit::Entry::new(Event::UserUpdated, Some(id), &client).record(&mut tx, now).await?;
    tx.commit().await?;
    app.user_changed(id);
    show_me(State(app), caller.any()).await
}

/// Change the password
///
/// Ends every other session and forgets every other device. An account without a password sends `new_password` alone, from a fresh session.
#[utoipa::path(
    put, path = "/api/v1/users/me/password", tag = "users", security(("bearer" = [])), request_body = ChangePassword,
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem, description = "wrong_password or reauthentication_required"), (status = 422, body = Problem, description = "invalid_request or weak_password"), (status = 429, body = Problem), (status = 503, body = Problem))
)]
pub async fn change_password(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    headers: HeaderMap,
    fields: Fields,
) -> Result<StatusCode> {
    let change = fields.read(|f| {
        let current = f.optional("current_password", |text| Ok(Password::parse(text.to_owned())?));
        let new =
            f.required("new_password", |text| Ok(NewPassword::parse(text.to_owned(), app.config.password_min_length)?));
        Some(PasswordChange { current: current?, new: new?, device: device::presented(&headers) })
    })?;
    password::change(&app, &caller, change, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete one's own account
///
/// Demands a fresh session. Every session and token of the account is refused at once.
#[utoipa::path(
    delete, path = "/api/v1/users/me", tag = "users", security(("bearer" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem, description = "reauthentication_required"), (status = 503, body = Problem))
)]
pub async fn delete_me(State(app): State<App>, caller: SessionCaller, client: Client) -> Result<StatusCode> {
    delete::delete(&app, &caller, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take everything that is held on oneself
///
/// Demands a fresh session. One JSON document, which grows with the history; without hashes and secrets.
#[utoipa::path(
    get, path = "/api/v1/users/me/export", tag = "users", security(("bearer" = [])),
    responses((status = 200, body = PersonalData), (status = 401, body = Problem), (status = 403, body = Problem, description = "reauthentication_required"), (status = 503, body = Problem))
)]
pub async fn export_me(State(app): State<App>, caller: SessionCaller, client: Client) -> Result<Response> {
    caller.require_fresh(&app).await?;
    let mut tx = app.db.begin().await?;
    audit::Entry::new(Event::UserExported, Some(caller.user_id()), &client).record(&mut tx, app.now()).await?;
    tx.commit().await?;
    export::answer(&app, caller.user_id()).await
}

/// Reads what a PATCH says of a profile.
///
/// # Errors
/// [`Error::Invalid`].
pub fn read_change(fields: Fields) -> Result<ProfileChange> {
    fields.read(|f| {
        let display_name = f.change("display_name", |text| Ok(DisplayName::parse(text)?.as_str().to_owned()));
        let username = f.change("username", |text| Ok(Username::parse(text)?.as_str().to_owned()));
        let phone = f.change("phone", |text| Ok(Phone::parse(text)?.as_str().to_owned()));
        let avatar_url = f.change("avatar_url", |text| Ok(AvatarUrl::parse(text)?.as_str().to_owned()));
        let locale = match f.change("locale", |text| Ok(Locale::parse(text)?.as_str().to_owned())) {
            Some(Change::Clear) => {
                f.refuse("locale", Fault::new("required", "This cannot be cleared.", "비울 수 없는 항목입니다."))
            }
            other => other,
        };
        Some(ProfileChange {
            display_name: display_name?,
            username: username?,
            phone: phone?,
            avatar_url: avatar_url?,
            locale: locale?,
        })
    })
}

pub const fn spoken(language: Language) -> Locale {
    match language {
        Language::English => Locale::En,
        Language::Korean => Locale::Ko,
    }
}
