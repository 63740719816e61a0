//! Everything that a request can fail by, and the one table of statuses, codes and sentences.

use std::{fmt, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rate_limit::Decision;
use service_kit::problem::{FieldError, Problem, Text};

use crate::{
    db::DbError,
    passwords::{Busy, Weakness},
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Result of a handler or rule.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request fails. The variants say what the caller can do; causes are for the log alone.
#[derive(Debug)]
pub enum Error {
    /// The body is not JSON.
    MalformedJson,
    /// A member stands twice.
    DuplicateMember(String),
    /// The body is JSON, but no object.
    NotAnObject,
    /// The body is not sent as JSON.
    UnsupportedMediaType,
    /// Members are wrong, missing or unknown.
    Invalid(Vec<FieldError>),
    /// The query is wrong.
    InvalidQuery,
    /// The new password, in this member, is easy to guess.
    WeakPassword(&'static str, Weakness),
    /// The address has an account.
    EmailTaken,
    /// The name has an account.
    UsernameTaken,
    /// Login refused, whatever the reason.
    InvalidCredentials,
    /// Refresh refused, whatever the reason.
    InvalidGrant,
    /// No token, or a bad or ended one.
    InvalidToken,
    /// The session must be fresh for this.
    ReauthenticationRequired,
    /// The current password is wrong.
    WrongPassword,
    /// There is no such thing, or the caller may not see it.
    NotFound,
    /// Too many requests; the decision says when a place is free.
    TooManyRequests(Decision),
    /// Too many passwords are being checked; try again after this time.
    Busy(Duration),
    /// The database is away or hangs.
    Unavailable(DbError),
    /// This instance cannot tell which tokens are revoked.
    RevocationsUnknown,
    /// This instance should be sent nothing now.
    NotReady,
    /// A defect of ours, with its cause.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// One line of the table: what an error looks like from outside.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable name.
    pub code: &'static str,
    /// One sentence in English.
    pub en: &'static str,
    /// One sentence in Korean.
    pub ko: &'static str,
}

const fn entry(status: StatusCode, code: &'static str, en: &'static str, ko: &'static str) -> Entry {
    Entry { status, code, en, ko }
}

/// The table, in the order of `docs/errors.md`.
pub const CATALOGUE: [Entry; 19] = [
    entry(
        StatusCode::BAD_REQUEST,
        "malformed_json",
        "The body is not valid JSON.",
        "요청 본문이 올바른 JSON이 아닙니다.",
    ),
    entry(
        StatusCode::BAD_REQUEST,
        "duplicate_member",
        "A member of the JSON object is given twice.",
        "JSON 객체에 같은 항목이 두 번 들어 있습니다.",
    ),
    entry(
        StatusCode::UNPROCESSABLE_ENTITY,
        "not_an_object",
        "The body must be a JSON object.",
        "요청 본문은 JSON 객체여야 합니다.",
    ),
    entry(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Send the body as application/json, without a content encoding.",
        "요청 본문은 인코딩 없이 application/json으로 보내야 합니다.",
    ),
    entry(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_request",
        "Some members are not acceptable; see errors.",
        "올바르지 않은 항목이 있습니다. errors를 확인하세요.",
    ),
    entry(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_query",
        "The query has an unknown or mistyped parameter.",
        "쿼리에 알 수 없거나 형식이 잘못된 매개변수가 있습니다.",
    ),
    entry(
        StatusCode::UNPROCESSABLE_ENTITY,
        "weak_password",
        "This password is too easy to guess; see errors.",
        "추측하기 쉬운 비밀번호입니다. errors를 확인하세요.",
    ),
    entry(
        StatusCode::CONFLICT,
        "email_taken",
        "An account with this e-mail address exists.",
        "이미 가입된 이메일 주소입니다.",
    ),
    entry(StatusCode::CONFLICT, "username_taken", "This username is taken.", "이미 사용 중인 사용자 이름입니다."),
    entry(
        StatusCode::UNAUTHORIZED,
        "invalid_credentials",
        "The e-mail address, username or password is wrong.",
        "이메일, 사용자 이름 또는 비밀번호가 올바르지 않습니다.",
    ),
    entry(
        StatusCode::UNAUTHORIZED,
        "invalid_grant",
        "The refresh token is not valid any more; log in again.",
        "리프레시 토큰이 더 이상 유효하지 않습니다. 다시 로그인하세요.",
    ),
    entry(StatusCode::UNAUTHORIZED, "invalid_token", "Invalid token", "토큰이 유효하지 않습니다."),
    entry(
        StatusCode::FORBIDDEN,
        "reauthentication_required",
        "Confirm your password at /api/v1/auth/reauthenticate first.",
        "먼저 /api/v1/auth/reauthenticate에서 비밀번호를 다시 확인하세요.",
    ),
    entry(
        StatusCode::FORBIDDEN,
        "wrong_password",
        "The current password is wrong.",
        "현재 비밀번호가 올바르지 않습니다.",
    ),
    entry(StatusCode::NOT_FOUND, "not_found", "There is nothing here.", "찾을 수 없습니다."),
    entry(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        "Too many requests; wait as long as Retry-After says.",
        "요청이 너무 많습니다. Retry-After만큼 기다린 뒤 다시 시도하세요.",
    ),
    entry(
        StatusCode::SERVICE_UNAVAILABLE,
        "busy",
        "The service is busy; try again shortly.",
        "지금은 요청이 많습니다. 잠시 후 다시 시도하세요.",
    ),
    entry(
        StatusCode::SERVICE_UNAVAILABLE,
        "temporarily_unavailable",
        "The service cannot answer right now; try again shortly.",
        "일시적으로 응답할 수 없습니다. 잠시 후 다시 시도하세요.",
    ),
    entry(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_error",
        "Something went wrong on our side.",
        "서버에 문제가 발생했습니다.",
    ),
];

impl Error {
    /// The error's line in the table.
    #[must_use]
    pub fn entry(&self) -> Entry {
        let code = self.code();
        // Every code stands in the table: a test goes through all variants.
        CATALOGUE.into_iter().find(|entry| entry.code == code).unwrap_or(CATALOGUE[CATALOGUE.len() - 1])
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::DuplicateMember(_) => "duplicate_member",
            Self::NotAnObject => "not_an_object",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Invalid(_) => "invalid_request",
            Self::InvalidQuery => "invalid_query",
            Self::WeakPassword(..) => "weak_password",
            Self::EmailTaken => "email_taken",
            Self::UsernameTaken => "username_taken",
            Self::InvalidCredentials => "invalid_credentials",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidToken => "invalid_token",
            Self::ReauthenticationRequired => "reauthentication_required",
            Self::WrongPassword => "wrong_password",
            Self::NotFound => "not_found",
            Self::TooManyRequests(_) => "rate_limited",
            Self::Busy(_) => "busy",
            Self::Unavailable(_) | Self::RevocationsUnknown | Self::NotReady => "temporarily_unavailable",
            Self::Internal(_) => "internal_error",
        }
    }

    /// How long to wait before another try, where waiting helps.
    fn retry_after(&self) -> Option<Duration> {
        if let Self::Busy(wait) = self {
            return Some(*wait);
        }
        if let Self::TooManyRequests(decision) = self {
            return decision.retry_after;
        }
        (self.entry().status == StatusCode::SERVICE_UNAVAILABLE).then_some(Duration::from_secs(1))
    }

    fn into_field_errors(self) -> Vec<FieldError> {
        if let Self::WeakPassword(field, weakness) = self {
            let detail = Text::new(weakness.english(), weakness.korean());
            return vec![FieldError { field: field.into(), code: "weak_password", detail }];
        }
        if let Self::Invalid(errors) = self { errors } else { Vec::new() }
    }

    /// Writes the cause, once; what a caller did wrong is no cause.
    fn log(&self) {
        if let Self::Unavailable(cause) = self {
            tracing::error!("{cause}");
        } else if let Self::RevocationsUnknown = self {
            tracing::error!("the revocation log was not read for too long: refusing calls that bear a jwt");
        } else if let Self::Internal(cause) = self {
            tracing::error!(%cause, "internal error");
        }
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) => Self::Unavailable(error),
            DbError::Duplicate | DbError::Statement(_) => Self::Internal(Box::new(error)),
        }
    }
}

impl From<Busy> for Error {
    fn from(busy: Busy) -> Self {
        Self::Busy(busy.retry_after)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().en)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.log();
        let Entry { status, code, en, ko } = self.entry();
        let mut problem = Problem::new(status, code, Text::new(en, ko));
        if let Some(wait) = self.retry_after() {
            // Rounded up: a client that comes back when told to should be let in.
            let seconds = wait.as_micros().div_ceil(1_000_000).max(1);
            problem = problem.retry_after(u64::try_from(seconds).unwrap_or(u64::MAX));
        }
        if matches!(self, Self::InvalidToken) {
            let challenge = HeaderValue::from_static(r#"Bearer error="invalid_token""#);
            problem = problem.with_header(header::WWW_AUTHENTICATE, challenge);
        }
        if let Self::TooManyRequests(decision) = &self {
            problem = problem.with_header(RATE_LIMIT, as_header(&decision.rate_limit_header()));
            problem = problem.with_header(RATE_LIMIT_POLICY, as_header(&decision.policy_header()));
        }
        problem.with_errors(self.into_field_errors()).into_response()
    }
}

/// Names of rules and numbers are always header values.
fn as_header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
