//! Everything that a request can be refused by at the gateway; how each looks stands in one table.

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use rate_limit::Decision;
use service_kit::hosts::INVALID_HOST;
use service_kit::problem::{Problem, Text};

use crate::upstream::Failure;

/// What is left of a quota (draft-ietf-httpapi-ratelimit-headers).
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The quota itself (same draft).
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

const RETRY_AFTER: u64 = 1;

/// Why a request goes no further.
#[derive(Debug)]
pub enum Refusal {
    /// Two readers could read it differently.
    Ambiguous(&'static str),
    /// Nobody expects this host here.
    InvalidHost,
    /// More than 16 KiB of line and headers.
    HeadTooLarge,
    /// Nothing is served here.
    NotFound,
    /// The route exists, for these methods.
    MethodNotAllowed(Vec<Method>),
    /// No credential where one is needed.
    Unauthenticated,
    /// A credential that is malformed, expired, revoked or of somebody else.
    InvalidToken,
    /// The caller lacks a permission that the route asks for.
    Forbidden,
    /// It is not known which tokens are revoked: no snapshot yet, or a stale one on a route that denies then.
    RevocationsUnknown,
    /// The Auth API cannot say whether this API key is good.
    KeyUnknown,
    /// Too many requests.
    TooManyRequests(Decision),
    /// The client's address has as much in progress as one may.
    TooManyAtOnce,
    /// The memory for bodies that are being gathered is full.
    Overloaded,
    /// A browser of an origin that is not allowed asks for a WebSocket.
    ForeignOrigin,
    /// The body is larger than the route allows.
    BodyTooLarge,
    /// The body comes too slowly.
    BodyTooSlow,
    /// The body broke off, or broke the rules of its encoding.
    BodyBroken,
    /// The upstream failed.
    Upstream(Failure),
    /// The upstream took longer than the route allows.
    TimedOut,
    /// This instance should be sent nothing now.
    NotReady,
    /// A defect of ours, which was logged.
    Internal,
}

/// One line of the table.
#[derive(Clone, Copy)]
struct Entry(StatusCode, &'static str, &'static str, &'static str);

type S = StatusCode;

const AMBIGUOUS: Entry = Entry(
    S::BAD_REQUEST,
    "ambiguous_request",
    "The request could be read in more than one way.",
    "요청을 여러 가지로 해석할 수 있어 거부했습니다.",
);
const UNAUTHENTICATED: Entry =
    Entry(S::UNAUTHORIZED, "unauthorized", "Authentication is required.", "인증이 필요합니다.");
const INVALID_TOKEN: Entry = Entry(S::UNAUTHORIZED, "invalid_token", "Invalid token", "토큰이 유효하지 않습니다.");
const RATE_LIMITED: Entry = Entry(
    S::TOO_MANY_REQUESTS,
    "rate_limited",
    "Too many requests; wait as long as Retry-After says.",
    "요청이 너무 많습니다. Retry-After만큼 기다린 뒤 다시 시도하세요.",
);
const UNAVAILABLE: Entry = Entry(
    S::SERVICE_UNAVAILABLE,
    "temporarily_unavailable",
    "The service cannot answer right now; try again shortly.",
    "일시적으로 응답할 수 없습니다. 잠시 후 다시 시도하세요.",
);
const UPSTREAM_BUSY: Entry = Entry(
    S::SERVICE_UNAVAILABLE,
    "upstream_busy",
    "The service behind this gateway is at its limit; try again shortly.",
    "게이트웨이 뒤의 서비스가 혼잡합니다. 잠시 후 다시 시도하세요.",
);
const UPSTREAM_UNAVAILABLE: Entry = Entry(
    S::SERVICE_UNAVAILABLE,
    "upstream_unavailable",
    "The service behind this gateway is not available just now; try again shortly.",
    "게이트웨이 뒤의 서비스를 지금 사용할 수 없습니다. 잠시 후 다시 시도하세요.",
);
const BAD_GATEWAY: Entry = Entry(
    S::BAD_GATEWAY,
    "bad_gateway",
    "The service behind this gateway gave no usable answer.",
    "게이트웨이 뒤의 서비스가 올바르게 응답하지 않았습니다.",
);
const TIMED_OUT: Entry = Entry(
    S::GATEWAY_TIMEOUT,
    "upstream_timed_out",
    "The service behind this gateway took too long to answer.",
    "게이트웨이 뒤의 서비스가 제시간에 응답하지 않았습니다.",
);

impl Refusal {
    /// The answer that the client gets.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Ambiguous(_) => AMBIGUOUS.problem(),
            Self::InvalidHost => INVALID_HOST,
            Self::HeadTooLarge => Problem::of_status(S::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Self::NotFound => Problem::of_status(S::NOT_FOUND),
            Self::MethodNotAllowed(methods) => {
                let names: Vec<_> = methods.iter().map(Method::as_str).collect();
                Problem::of_status(S::METHOD_NOT_ALLOWED).with_header(header::ALLOW, as_header(&names.join(", ")))
            }
            Self::Unauthenticated => UNAUTHENTICATED.challenge("Bearer"),
            Self::InvalidToken => INVALID_TOKEN.challenge(r#"Bearer error="invalid_token""#),
            Self::Forbidden | Self::ForeignOrigin => Problem::of_status(S::FORBIDDEN),
            Self::RevocationsUnknown | Self::KeyUnknown | Self::NotReady | Self::Overloaded => UNAVAILABLE.later(),
            Self::TooManyAtOnce => RATE_LIMITED.later(),
            Self::TooManyRequests(decision) => RATE_LIMITED
                .problem()
                .retry_after(decision.retry_after_seconds().unwrap_or(RETRY_AFTER))
                .with_header(RATE_LIMIT, as_header(&decision.rate_limit_header()))
                .with_header(RATE_LIMIT_POLICY, as_header(&decision.policy_header())),
            Self::BodyTooLarge => Problem::of_status(S::PAYLOAD_TOO_LARGE),
            Self::BodyTooSlow => Problem::of_status(S::REQUEST_TIMEOUT),
            Self::BodyBroken => Problem::of_status(S::BAD_REQUEST),
            Self::Upstream(Failure::AtLimit) => UPSTREAM_BUSY.later(),
            Self::Upstream(Failure::NoServer) => UPSTREAM_UNAVAILABLE.later(),
            Self::Upstream(Failure::Connect(..) | Failure::Broken(..)) => BAD_GATEWAY.problem(),
            Self::TimedOut => TIMED_OUT.problem(),
            Self::Internal => Problem::of_status(S::INTERNAL_SERVER_ERROR),
        }
    }

    /// Writes the cause, once, where the client is told less than the operator must know.
    pub(crate) fn log(&self) {
        match self {
            Self::Ambiguous(reason) => tracing::info!(reason, "refused as ambiguous"),
            Self::Upstream(cause) => tracing::warn!(%cause, "no answer from the upstream"),
            Self::RevocationsUnknown => tracing::warn!("nobody can be admitted: the revocations are not known"),
            Self::KeyUnknown => tracing::warn!("an API key could not be resolved: the Auth API does not answer"),
            Self::InvalidHost
            | Self::HeadTooLarge
            | Self::NotFound
            | Self::MethodNotAllowed(_)
            | Self::Unauthenticated
            | Self::InvalidToken
            | Self::Forbidden
            | Self::TooManyRequests(_)
            | Self::BodyTooLarge
            | Self::BodyTooSlow
            | Self::BodyBroken
            | Self::TimedOut
            | Self::NotReady
            | Self::TooManyAtOnce
            | Self::Overloaded
            | Self::ForeignOrigin
            | Self::Internal => {}
        }
    }
}

/// Every problem that only the gateway answers with, for the documented table of codes.
#[must_use]
pub fn catalogue() -> Vec<Problem> {
    [AMBIGUOUS, INVALID_TOKEN, RATE_LIMITED, UNAVAILABLE, UPSTREAM_BUSY, UPSTREAM_UNAVAILABLE, BAD_GATEWAY, TIMED_OUT]
        .map(Entry::problem)
        .into()
}

impl Entry {
    const fn problem(self) -> Problem {
        let Self(status, code, en, ko) = self;
        Problem::new(status, code, Text::new(en, ko))
    }

    fn later(self) -> Problem {
        self.problem().retry_after(RETRY_AFTER)
    }

    fn challenge(self, scheme: &'static str) -> Problem {
        self.problem().with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme))
    }
}

/// Names of methods and rules, and numbers, are always header values.
pub(crate) fn as_header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
