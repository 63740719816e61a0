//! Everything that a request can be refused by at the gateway; how each looks stands in one table.

use http::Method;
use rate_limit::Decision;

/// Why a request goes no further.
#[derive(Debug)]
pub enum Refusal {
    /// Two readers could read it differently.
    Ambiguous(&'static str),
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
}
