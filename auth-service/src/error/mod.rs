//! Everything that a request can fail by; what each looks like from outside stands in the catalogue.

mod catalogue;

pub use catalogue::{CATALOGUE, Entry};

use std::{fmt, time::Duration};

use auth_sdk::BulkError;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rate_limit::Decision;
use service_kit::{
    language::Language,
    problem::{FieldError, Problem, Text},
};

use crate::{
    db::DbError,
    fields::Fault,
    passwords::{Busy, Weakness},
};

/// What is left of a quota (draft-ietf-httpapi-ratelimit-headers).
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The quota itself (same draft).
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

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
    /// Parameters of the query are wrong or unknown.
    InvalidQuery(Vec<FieldError>),
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
    /// A link or code that is unknown, used, expired or replaced.
    InvalidOrExpiredToken,
    /// The caller lacks the permission.
    Forbidden,
    /// An API key called what only a person in a session may.
    SessionRequired,
    /// The caller would give, or act on somebody who has, more than the caller holds.
    BeyondOwnRights,
    /// Nobody would be left who can administer.
    LastAdministrator,
    /// A role or permission has the name.
    NameTaken,
    /// A system role stays what it is.
    SystemRole,
    /// People hold the role.
    RoleInUse,
    /// No more of these can be made.
    TooMany,
    /// The answer of the first request with this Idempotency-Key held a secret; where the thing is.
    ShownOnce(String),
    /// The first request with this Idempotency-Key is not answered yet.
    RequestInProgress,
    /// The Idempotency-Key came with another body before.
    IdempotencyKeyReused,
    /// The call's whole purpose is a mail, and none can be sent.
    MailNotConfigured,
    /// A new key could not be kept: there is nothing to seal it with.
    SecretsKeyMissing,
    /// The call's whole purpose is a mail, and the account has no address.
    NoEmail,
    /// The mail went out, or may have: it is not sent twice.
    MailHandedOver,
    /// A provider's ID token that is not for us, too old, used before, or not the provider's.
    InvalidIdToken,
    /// Whoever proved who they are may not use their account.
    AccountClosed,
    /// The identity is somebody else's, or another one of the provider is linked.
    IdentityTaken,
    /// Nobody could enter the account any more.
    LastWayIn,
    /// A provider does not answer, or not as it should; the cause was logged where it was found.
    ProviderUnavailable,
    /// A provider's token has ended, and the provider gives no other for it.
    ProviderLoginRequired,
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
            Self::InvalidQuery(_) => "invalid_query",
            Self::WeakPassword(..) => "weak_password",
            Self::EmailTaken => "email_taken",
            Self::UsernameTaken => "username_taken",
            Self::InvalidCredentials => "invalid_credentials",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidToken => "invalid_token",
            Self::ReauthenticationRequired => "reauthentication_required",
            Self::WrongPassword => "wrong_password",
            Self::NotFound => "not_found",
            Self::InvalidOrExpiredToken => "invalid_or_expired_token",
            Self::Forbidden => "forbidden",
            Self::SessionRequired => "session_required",
            Self::BeyondOwnRights => "beyond_own_rights",
            Self::LastAdministrator => "last_administrator",
            Self::NameTaken => "name_taken",
            Self::SystemRole => "system_role",
            Self::RoleInUse => "role_in_use",
            Self::TooMany => "too_many",
            Self::ShownOnce(_) => "shown_once",
            Self::RequestInProgress => "request_in_progress",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::MailNotConfigured => "mail_not_configured",
            Self::SecretsKeyMissing => "secrets_key_missing",
            Self::NoEmail => "no_email",
            Self::MailHandedOver => "mail_handed_over",
            Self::InvalidIdToken => "invalid_id_token",
            Self::AccountClosed => "account_closed",
            Self::IdentityTaken => "identity_taken",
            Self::LastWayIn => "last_way_in",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::ProviderLoginRequired => "provider_login_required",
            Self::TooManyRequests(_) => "rate_limited",
            Self::Busy(_) => "busy",
            Self::Unavailable(_) | Self::RevocationsUnknown | Self::NotReady => "temporarily_unavailable",
            Self::Internal(_) => "internal_error",
        }
    }

    /// A fault of one member.
    #[must_use]
    pub fn of_field(field: &'static str, fault: Fault) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), code: fault.code, detail: fault.detail }])
    }

    /// What a person is told, where one sentence must do: of the first member that is wrong, or of the whole.
    #[must_use]
    pub fn sentence(&self) -> Text {
        if let Self::WeakPassword(_, weakness) = self {
            return Text::new(weakness.english(), weakness.korean());
        }
        if let Self::Invalid(errors) | Self::InvalidQuery(errors) = self
            && let Some(first) = errors.first()
        {
            return first.detail.clone();
        }
        let Entry { en, ko, .. } = self.entry();
        Text::new(en, ko)
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
            return vec![FieldError { field: field.into(), code: weakness.code(), detail }];
        }
        if let Self::Invalid(errors) | Self::InvalidQuery(errors) = self { errors } else { Vec::new() }
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

impl Error {
    /// The error of one item among many, in its caller's language.
    #[must_use]
    pub fn into_bulk(self, language: Language) -> (StatusCode, BulkError) {
        let Entry { status, code, en, ko } = self.entry();
        let detail = Text::new(en, ko).in_language(language).to_owned();
        let errors = self.into_field_errors().into_iter().map(|fault| auth_sdk::FieldError {
            field: fault.field.into_owned(),
            code: fault.code.to_owned(),
            detail: fault.detail.in_language(language).to_owned(),
        });
        (status, BulkError { code: code.to_owned(), detail, errors: errors.collect() })
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
        if let Self::ShownOnce(location) = &self {
            problem = problem.with_header(header::LOCATION, as_header(location));
        }
        problem.with_errors(self.into_field_errors()).into_response()
    }
}

/// Names of rules and numbers are always header values.
pub fn as_header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
