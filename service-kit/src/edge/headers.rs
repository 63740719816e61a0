//! The headers of every answer, each exactly once, whoever set them before.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::request_id::X_REQUEST_ID;

const API_CSP: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Sent over plain http as well: the check of the deployment guide looks there, and a proxy may end TLS before us.
const FIXED: [(HeaderName, HeaderValue); 8] = [
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()",
        ),
    ),
];

/// Sets them all; a page may bring its own content security policy, and an answer its own caching.
pub(crate) fn secure(headers: &mut HeaderMap, request_id: HeaderValue) {
    headers.reserve(FIXED.len() + 3);
    for (name, value) in FIXED {
        headers.insert(name, value);
    }
    // `remove` takes every copy and returns the first, so that an upstream's repetition ends here.
    let csp = headers.remove(header::CONTENT_SECURITY_POLICY).unwrap_or(API_CSP);
    headers.insert(header::CONTENT_SECURITY_POLICY, csp);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    headers.insert(X_REQUEST_ID, request_id);
    headers.remove(header::SERVER);
}
