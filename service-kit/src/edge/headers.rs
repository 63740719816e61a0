//! The headers of every answer, each exactly once, whoever set them before.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::request_id::X_REQUEST_ID;

/// The content security policy of answers that are no pages.
pub const API_CSP: HeaderValue =
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

/// The headers as maps that each answer begins with: copying one is much cheaper than inserting one by one.
#[derive(Clone, Debug)]
pub struct SecurityHeaders {
    /// For answers of our own.
    own: HeaderMap,
    /// For answers that a service behind us made.
    passed: HeaderMap,
}

impl Default for SecurityHeaders {
    fn default() -> Self {
        Self::new()
    }
}

impl SecurityHeaders {
    /// The headers of an answer from a program.
    #[must_use]
    pub fn new() -> Self {
        let mut passed = HeaderMap::with_capacity(CAPACITY);
        passed.extend(FIXED);
        let mut own = passed.clone();
        own.insert(header::CONTENT_SECURITY_POLICY, API_CSP);
        own.insert(header::CACHE_CONTROL, NO_STORE);
        Self { own, passed }
    }

    /// Sets them all; a page may bring its own content security policy, and an answer its own caching.
    pub fn set(&self, headers: &mut HeaderMap, request_id: HeaderValue) {
        let mut own = std::mem::replace(headers, self.own.clone());
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

    /// Completes an answer that somebody else made: what it has stays, the first of each if repeated, and what it lacks
    /// is added. A policy for content only when there is one to add; caching is the caller's to decide.
    pub fn fill(&self, headers: &mut HeaderMap, request_id: HeaderValue, csp: Option<&HeaderValue>) {
        join_policies(headers);
        let mut own = std::mem::replace(headers, self.passed.clone());
        if own.keys().any(is_ours) {
            own.remove(header::SERVER);
            for (name, _) in &FIXED {
                // `remove` takes every copy and returns the first.
                if let Some(first) = own.remove(name) {
                    headers.insert(name, first);
                }
            }
        }
        if let (Some(csp), false) = (csp, own.contains_key(header::CONTENT_SECURITY_POLICY)) {
            headers.insert(header::CONTENT_SECURITY_POLICY, csp.clone());
        }
        headers.extend(own);
        headers.insert(X_REQUEST_ID, request_id);
    }
}

/// Of several policies all hold, so that to drop one would allow more; a comma says the same in one header.
fn join_policies(headers: &mut HeaderMap) {
    let policies: Vec<_> = headers.get_all(header::CONTENT_SECURITY_POLICY).iter().map(HeaderValue::as_bytes).collect();
    if policies.len() < 2 {
        return;
    }
    if let Ok(joined) = HeaderValue::from_bytes(&policies.join(&b", "[..])) {
        headers.insert(header::CONTENT_SECURITY_POLICY, joined);
    }
}

fn is_ours(name: &HeaderName) -> bool {
    *name == header::SERVER || FIXED.iter().any(|(fixed, _)| fixed == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(own: &[(&'static str, &'static str)], csp: Option<&HeaderValue>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in own {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        SecurityHeaders::new().fill(&mut headers, HeaderValue::from_static("id"), csp);
        headers
    }

    #[test]
    fn an_answer_without_headers_gets_each_once() {
        let headers = filled(&[], Some(&API_CSP));
        assert!(FIXED.iter().all(|(name, value)| headers.get_all(name).iter().eq([value])));
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], API_CSP);
        assert_eq!(headers[X_REQUEST_ID], "id");
        assert_eq!(headers.len(), FIXED.len() + 2);
    }

    #[test]
    fn what_an_answer_has_stays_and_its_repetitions_go() {
        let own =
            [("x-frame-options", "SAMEORIGIN"), ("x-frame-options", "DENY"), ("server", "x"), ("x-request-id", "y")];
        let headers = filled(&own, None);
        assert_eq!(headers.get_all(header::X_FRAME_OPTIONS).iter().collect::<Vec<_>>(), ["SAMEORIGIN"]);
        assert_eq!(headers.get_all(X_REQUEST_ID).iter().collect::<Vec<_>>(), ["id"]);
        assert!(!headers.contains_key(header::SERVER));
        assert!(!headers.contains_key(header::CONTENT_SECURITY_POLICY));
        assert!(!headers.contains_key(header::CACHE_CONTROL));
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }

    #[test]
    fn an_answers_own_policies_all_stay_in_force() {
        let own = [("content-security-policy", "default-src 'self'"), ("content-security-policy", "img-src *")];
        let headers = filled(&own, Some(&API_CSP));
        let policies: Vec<_> = headers.get_all(header::CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(policies, ["default-src 'self', img-src *"]);
    }
}
