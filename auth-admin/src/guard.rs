//! Keeps other sites out: a call that changes something must come from a page of ours, and pages run nothing but ours.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::failure::Failure;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a page may do: our own files, nothing inline.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
);

/// Refuses what other sites send.
pub async fn watch(request: Request, next: Next) -> Response {
    let is_safe = [Method::GET, Method::HEAD].contains(request.method());
    if is_safe || is_ours(request.headers()) { next.run(request).await } else { Failure::ForeignForm.into_response() }
}

/// Gives every page its policy.
pub async fn bind(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    // One address gives a page, a part of one, and both languages.
    headers.append(header::VARY, HeaderValue::from_static("hx-request, accept-language, cookie"));
    response
}

/// Browsers say where a request comes from; those too old for it say at least from which origin.
fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some() && origin == text(header::HOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pairs: &[(HeaderName, &str)]) -> bool {
        let pairs = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        is_ours(&HeaderMap::from_iter(pairs))
    }

    #[test]
    fn only_pages_of_ours_send_forms() {
        let host = (header::HOST, "auth.example.com");
        assert!(judged(&[(SEC_FETCH_SITE, "same-origin")]));
        assert!(judged(&[host.clone(), (header::ORIGIN, "https://auth.example.com")]));
        for site in ["cross-site", "same-site", "none"] {
            assert!(!judged(&[host.clone(), (SEC_FETCH_SITE, site), (header::ORIGIN, "https://auth.example.com")]));
        }
        for origin in ["null", "https://evil.example", "https://auth.example.com.evil.example", ""] {
            assert!(!judged(&[host.clone(), (header::ORIGIN, origin)]), "{origin}");
        }
        assert!(!judged(&[host]));
    }
}
