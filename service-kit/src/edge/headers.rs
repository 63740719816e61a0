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

/// Room for what answers bring and for what is added below us, so that the map never grows on the way.
const CAPACITY: usize = 24;

/// The headers as one map that each answer begins with: copying it is much cheaper than inserting one by one.
#[derive(Debug)]
pub(crate) struct SecurityHeaders(HeaderMap);

impl SecurityHeaders {
    pub(crate) fn new() -> Self {
        let mut headers = HeaderMap::with_capacity(CAPACITY);
        headers.extend(FIXED);
        headers.insert(header::CONTENT_SECURITY_POLICY, API_CSP);
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        Self(headers)
    }

    /// Sets them all; a page may bring its own content security policy, and an answer its own caching.
    pub(crate) fn set(&self, headers: &mut HeaderMap, request_id: HeaderValue) {
        let mut own = std::mem::replace(headers, self.0.clone());
        // Mostly there is nothing to take out, and looking costs less than removing one by one.
        if own.keys().any(is_ours) {
            FIXED.iter().for_each(|(name, _)| drop(own.remove(name)));
            own.remove(header::SERVER);
        }
        // `remove` takes every copy and returns the first, so that an upstream's repetition ends here.
        if let Some(csp) = own.remove(header::CONTENT_SECURITY_POLICY) {
            own.insert(header::CONTENT_SECURITY_POLICY, csp);
        }
        headers.extend(own);
        headers.insert(X_REQUEST_ID, request_id);
    }
}

fn is_ours(name: &HeaderName) -> bool {
    *name == header::SERVER || FIXED.iter().any(|(fixed, _)| fixed == name)
}
