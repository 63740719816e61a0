//! What Kakao tells us of its own accord, as the wire sees it.

use auth_sdk::{EventRefused, Problem};
use axum::{
    Json,
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use service_kit::config::Secret;
use subtle::ConstantTimeEq;

use super::{
    events::{Dialect, EventError, Kind, SecurityEvent},
    http::find,
    notices::{self, Notice},
    provider::Provider,
};
use crate::{
    app::App,
    error::{Error, Result},
    fields::{Fault, Fields},
    ids::TokenHash,
};

const KAKAO: &str = "kakao";
/// How Kakao proves that it is Kakao.
const SCHEME: &str = "KakaoAK ";
/// The most digits of a person's number there.
const MAX_DIGITS: usize = 20;

/// Hear that a person ended the link at Kakao
///
/// Kakao's unlink webhook; register this address in its console. Answered at once, also for people whom nobody here
/// knows; what follows, follows within a second: the identity ends until the next login there, and so do its sessions.
#[utoipa::path(
    get, path = "/api/v1/oauth/kakao/webhooks/unlink", tag = "oauth", security(("kakao_admin_key" = [])), params(auth_sdk::KakaoUnlinked),
    responses((status = 200, description = "Noted"), (status = 401, body = Problem), (status = 404, body = Problem, description = "not_found: without Kakao, or without KAKAO_ADMIN_KEY"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn take_unlink(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<StatusCode> {
    unlinked(&app, &headers, query.unwrap_or_default().as_bytes()).await
}

/// Hear that a person ended the link at Kakao, by POST
///
/// The same with the parameters in a form.
#[utoipa::path(
    post, path = "/api/v1/oauth/kakao/webhooks/unlink", tag = "oauth", security(("kakao_admin_key" = [])),
    request_body(content = auth_sdk::KakaoUnlinked, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Noted"), (status = 401, body = Problem), (status = 404, body = Problem, description = "not_found: without Kakao, or without KAKAO_ADMIN_KEY"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn take_unlink_by_post(State(app): State<App>, headers: HeaderMap, form: Bytes) -> Result<StatusCode> {
    unlinked(&app, &headers, &form).await
}

async fn unlinked(app: &App, headers: &HeaderMap, parameters: &[u8]) -> Result<StatusCode> {
    let provider = find(app, KAKAO)?;
    let key = app.config.social.kakao_admin_key.as_ref().ok_or(Error::NotFound)?;
    if !proves(headers, key) {
        return Err(Error::InvalidToken);
    }
    let (subject, kind) = read_unlinked(parameters)?;
    notices::keep(app, &Notice { provider, subject: Some(&subject), jti: None, kinds: &[kind] }).await?;
    Ok(StatusCode::OK)
}

/// Compared by hash, so that not even the key's length shows in how long it takes.
fn proves(headers: &HeaderMap, key: &Secret) -> bool {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Some(sent) = value.as_bytes().strip_prefix(SCHEME.as_bytes()) else { return false };
    let (sent, ours) = (TokenHash::of(sent), TokenHash::of(key.expose().as_bytes()));
    bool::from(sent.as_bytes().ct_eq(ours.as_bytes()))
}

/// Who it was, and how. Of parameters that Kakao may add nothing is known, so they pass.
fn read_unlinked(parameters: &[u8]) -> Result<(String, Kind)> {
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(parameters) {
        if ["user_id", "referrer_type"].contains(&&*name) {
            members.insert(name.into_owned(), Value::String(value.into_owned()));
        }
    }
    Fields::from_members(members).read(|f| {
        let subject = f.required("user_id", parse_number);
        let kind = f.optional("referrer_type", |way| {
            // The person has left Kakao altogether, or was made to.
            let is_gone = ["ACCOUNT_DELETE", "FORCED_ACCOUNT_DELETE"].contains(&way);
            Ok(if is_gone { Kind::AccountPurged } else { Kind::UserUnlinked })
        });
        Some((subject?, kind?.unwrap_or(Kind::UserUnlinked)))
    })
}

fn parse_number(text: &str) -> Result<String, Fault> {
    if (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err(Fault::new("not_a_number", "Write a number of up to 20 digits.", "20자리 이하의 숫자여야 합니다."))
}

/// Hear what happened to an account at Kakao
///
/// Kakao's account status webhook: a Security Event Token (RFC 8417) delivered by push (RFC 8935). Which sessions end
/// depends on what happened; each token counts once.
#[utoipa::path(
    post, path = "/api/v1/oauth/kakao/webhooks/account-status", tag = "oauth",
    request_body(content = String, content_type = "application/secevent+jwt"),
    responses((status = 202, description = "Noted"), (status = 400, body = EventRefused), (status = 404, body = Problem, description = "not_found: without Kakao"), (status = 503, body = Problem, description = "provider_unavailable: send it again"))
)]
pub async fn take_account_status(State(app): State<App>, token: Bytes) -> Result<Response> {
    let provider = find(&app, KAKAO)?;
    let event = match verify(&app, provider, String::from_utf8_lossy(&token).trim()).await {
        Ok(event) => event,
        Err(error) => return refuse(provider, &error),
    };
    let SecurityEvent { jti, subject, kinds } = &event;
    notices::keep(&app, &Notice { provider, subject: subject.as_deref(), jti: Some(jti), kinds }).await?;
    tracing::info!(provider = provider.name, ?kinds, "a security event came");
    Ok(StatusCode::ACCEPTED.into_response())
}

async fn verify(app: &App, provider: &Provider, token: &str) -> Result<SecurityEvent, EventError> {
    let signer = provider.signer.as_ref().ok_or(EventError::Malformed("this provider signs nothing"))?;
    SecurityEvent::verify(token, signer, Dialect::SharedSignals, &provider.audiences, app.now()).await
}

/// As RFC 8935 section 2.3 has it; a problem of ours while the keys cannot be had.
fn refuse(provider: &Provider, error: &EventError) -> Result<Response> {
    tracing::warn!(provider = provider.name, cause = %error, "a security event was refused");
    let err = error.code().ok_or(Error::ProviderUnavailable)?;
    let refused = EventRefused { err: err.to_owned(), description: error.to_string() };
    Ok((StatusCode::BAD_REQUEST, [(header::CONTENT_LANGUAGE, "en")], Json(refused)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_left_kakao_altogether_is_told_from_who_left_us() {
        let kind = |way: &str| read_unlinked(format!("app_id=1&user_id=7&referrer_type={way}").as_bytes()).unwrap().1;
        assert_eq!(kind("UNLINK_FROM_APPS"), Kind::UserUnlinked);
        assert_eq!(kind("ACCOUNT_DELETE"), Kind::AccountPurged);
        assert_eq!(kind("FORCED_ACCOUNT_DELETE"), Kind::AccountPurged);
        assert_eq!(read_unlinked(b"user_id=7").unwrap(), ("7".to_owned(), Kind::UserUnlinked));
        for wrong in ["", "user_id=", "user_id=-7", "user_id=7e3", "user_id=123456789012345678901"] {
            assert!(read_unlinked(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
