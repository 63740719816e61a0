//! Errors on the wire: RFC 9457 problem details, written by the handler, rendered once at the edge.

mod generic;

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::language::Language;
use crate::request_id::RequestId;
use crate::{hosts, shed};

const TYPE_BASE: &str = "https://auth-system.dev/errors/";

/// One sentence for people, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: Cow<'static, str>,
    /// Korean.
    pub ko: Cow<'static, str>,
}

impl Text {
    /// A fixed sentence.
    #[must_use]
    pub const fn new(en: &'static str, ko: &'static str) -> Self {
        Self { en: Cow::Borrowed(en), ko: Cow::Borrowed(ko) }
    }

    /// The sentence in one language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Korean => &self.ko,
        }
    }
}

/// What is wrong with one member of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The member's name as on the wire.
    pub field: Cow<'static, str>,
    /// Stable and documented, for programs.
    pub code: &'static str,
    /// For people.
    pub detail: Text,
}

/// An error answer. As a response it has no body yet: the edge adds the request's id and language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// 4xx or 5xx.
    pub status: StatusCode,
    /// Stable and documented, for programs; the last segment of `type`.
    pub code: &'static str,
    /// For people; never a cause, SQL, a path or a stack.
    pub detail: Text,
    /// Every field that is wrong, at once.
    pub errors: Vec<FieldError>,
    /// Headers that belong to the answer, such as `Retry-After`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem without field errors or headers.
    #[must_use]
    pub const fn new(status: StatusCode, code: &'static str, detail: Text) -> Self {
        Self { status, code, detail, errors: Vec::new(), headers: Vec::new() }
    }

    /// The problem that says no more than its status does.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        generic::of_status(status)
    }

    /// With the fields that are wrong.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The body as `application/problem+json`.
    #[must_use]
    pub fn to_json(&self, request_id: &RequestId, language: Language) -> Vec<u8> {
        let errors = self.errors.iter().map(|error| WireError {
            field: &error.field,
            code: error.code,
            detail: error.detail.in_language(language),
        });
        let wire = Wire {
            r#type: format!("{TYPE_BASE}{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail.in_language(language),
            request_id: request_id.as_str(),
            errors: errors.collect(),
        };
        // Strings and numbers always serialise.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// The answer in parts, for a body of any type.
    #[must_use]
    pub fn into_parts(self, request_id: &RequestId, language: Language) -> (StatusCode, HeaderMap, Bytes) {
        let body = Bytes::from(self.to_json(request_id, language));
        let mut headers = HeaderMap::from_iter(self.headers);
        describe(&mut headers, body.len(), language);
        (self.status, headers, body)
    }

    /// Gives `response`, which keeps its headers, this problem as its body.
    pub(crate) fn render(&self, response: &mut Response, request_id: &RequestId, language: Language) {
        let body = self.to_json(request_id, language);
        describe(response.headers_mut(), body.len(), language);
        *response.body_mut() = Body::from(body);
    }
}

fn describe(headers: &mut HeaderMap, length: usize, language: Language) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LANGUAGE, language.tag());
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
}

/// Every problem that any server may answer with, for the documented table of codes.
#[must_use]
pub fn shared() -> Vec<Problem> {
    let own = [hosts::INVALID_HOST, shed::OVERLOADED, shed::TIMED_OUT];
    generic::listed().chain(own).collect()
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers.drain(..));
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Serialize)]
struct Wire<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<WireError<'a>>,
}

#[derive(Serialize)]
struct WireError<'a> {
    field: &'a str,
    code: &'a str,
    detail: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_id::RequestIds;

    #[test]
    fn the_parts_are_those_of_a_rendered_answer() {
        let problem = Problem::of_status(StatusCode::SERVICE_UNAVAILABLE).retry_after(3);
        let (id, language) = (RequestIds::new().make(), Language::Korean);
        let mut rendered = problem.clone().into_response();
        problem.render(&mut rendered, &id, language);
        let (status, headers, body) = problem.clone().into_parts(&id, language);
        assert_eq!((status, &headers), (rendered.status(), rendered.headers()));
        assert_eq!(body, problem.to_json(&id, language));
        assert_eq!(headers[header::CONTENT_LENGTH], body.len().to_string());
        assert_eq!(headers[header::RETRY_AFTER], "3");
    }
}
