//! Calls that send links, and calls that take them.

use auth_sdk::{AddressRequest, LinkRequest, Problem, ResetPasswordRequest};
use axum::{extract::State, http::StatusCode};

use super::{change_email, disown, request, reset, verify};
use crate::{
    app::App,
    caller::SessionCaller,
    client::Client,
    error::{Error, Result},
    fields::Fields,
    ids::OpaqueToken,
    passwords::NewPassword,
    users::Email,
};

/// Prove an address
///
/// Takes the token of the link that was sent to it. Good once.
#[utoipa::path(
    post, path = "/api/v1/auth/email/verify", tag = "auth", request_body = LinkRequest,
    responses((status = 204), (status = 400, body = Problem, description = "invalid_or_expired_token"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn verify_email(State(app): State<App>, client: Client, fields: Fields) -> Result<StatusCode> {
    verify::verify(&app, &read_token(fields)?, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send the link that proves an address again
///
/// Answers the same whether or not the address has an account.
#[utoipa::path(
    post, path = "/api/v1/auth/email/resend", tag = "auth", request_body = AddressRequest,
    responses((status = 202), (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem, description = "mail_not_configured"))
)]
pub async fn resend_verification(State(app): State<App>, client: Client, fields: Fields) -> Result<StatusCode> {
    request::verification(&app, &read_address(fields)?, &client).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Ask for a link to choose a new password
///
/// Answers the same whether or not the address has an account.
#[utoipa::path(
    post, path = "/api/v1/auth/password/forgot", tag = "auth", request_body = AddressRequest,
    responses((status = 202), (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem, description = "mail_not_configured"))
)]
pub async fn forgot_password(State(app): State<App>, client: Client, fields: Fields) -> Result<StatusCode> {
    request::reset(&app, &read_address(fields)?, &client).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Choose a new password by a link
///
/// Takes the token of a link to reset a password or of an invitation. Ends every session, forgets every device, and
/// proves the address. A password that is refused leaves the link good.
#[utoipa::path(
    post, path = "/api/v1/auth/password/reset", tag = "auth", request_body = ResetPasswordRequest,
    responses((status = 204), (status = 400, body = Problem, description = "invalid_or_expired_token"), (status = 422, body = Problem, description = "invalid_request or weak_password"), (status = 503, body = Problem))
)]
pub async fn reset_password(State(app): State<App>, client: Client, fields: Fields) -> Result<StatusCode> {
    let (token, new) = fields.read(|f| {
        let token = f.required("token", |text| Ok(OpaqueToken::parse(text)));
        let new =
            f.required("new_password", |text| Ok(NewPassword::parse(text.to_owned(), app.config.password_min_length)?));
        Some((token?, new?))
    })?;
    reset::reset(&app, &token.ok_or(Error::InvalidOrExpiredToken)?, new, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change one's address
///
/// Demands a fresh session. Sends a link to the new address, and a notice to the old one; the address changes when the
/// link is used. Answers the same whether or not the address is taken.
#[utoipa::path(
    put, path = "/api/v1/users/me/email", tag = "users", security(("bearer" = [])), request_body = AddressRequest,
    responses((status = 202), (status = 401, body = Problem), (status = 403, body = Problem, description = "reauthentication_required"), (status = 422, body = Problem), (status = 429, body = Problem), (status = 503, body = Problem, description = "mail_not_configured"))
)]
pub async fn change_email(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    fields: Fields,
) -> Result<StatusCode> {
    change_email::request(&app, &caller, &read_address(fields)?, &client).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Confirm a new address
///
/// Takes the token of the link that was sent to the new address, which is the account's from then on.
#[utoipa::path(
    post, path = "/api/v1/auth/email/confirm", tag = "auth", request_body = LinkRequest,
    responses((status = 204), (status = 400, body = Problem, description = "invalid_or_expired_token"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn confirm_email(State(app): State<App>, client: Client, fields: Fields) -> Result<StatusCode> {
    change_email::confirm(&app, &read_token(fields)?, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Disown a login
///
/// Takes the token of the link in the notice of a login from a new device: ends that session, forgets every device, and
/// sends a link to choose a new password.
#[utoipa::path(
    post, path = "/api/v1/auth/sessions/disown", tag = "auth", request_body = LinkRequest,
    responses((status = 204), (status = 400, body = Problem, description = "invalid_or_expired_token"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn disown_session(State(app): State<App>, client: Client, fields: Fields) -> Result<StatusCode> {
    disown::disown(&app, &read_token(fields)?, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What cannot be a token is refused like one that is not good.
fn read_token(fields: Fields) -> Result<OpaqueToken> {
    let token = fields.read(|f| f.required("token", |text| Ok(OpaqueToken::parse(text))))?;
    token.ok_or(Error::InvalidOrExpiredToken)
}

fn read_address(fields: Fields) -> Result<Email> {
    fields.read(|f| f.required("email", Email::parse))
}
