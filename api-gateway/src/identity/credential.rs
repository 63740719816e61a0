//! The one credential of a request, read as the Auth API reads it.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::api_keys::PREFIX;
use crate::refusal::Refusal;

/// Where an API key may be sent, besides `Authorization`.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a caller shows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// An access token.
    Token(&'a str),
    /// An API key.
    ApiKey(&'a str),
}

impl<'a> Credential<'a> {
    /// The token or key of `Authorization: Bearer` (RFC 6750 section 2.1), or the key of `X-API-Key`; nothing when there
    /// is neither. Two of them could mean two people, and another scheme is for somebody else.
    pub(super) fn find(headers: &'a HeaderMap) -> Result<Option<Self>, Refusal> {
        match (single(headers, &AUTHORIZATION)?, single(headers, &API_KEY)?) {
            (None, None) => Ok(None),
            (Some(value), None) => bearer(value).map(Some),
            (None, Some(value)) => match value.to_str() {
                Ok(key) if key.starts_with(PREFIX) => Ok(Some(Self::ApiKey(key))),
                Ok(_) | Err(_) => Err(Refusal::InvalidToken),
            },
            (Some(_), Some(_)) => Err(Refusal::InvalidToken),
        }
    }
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(Refusal::InvalidToken),
    }
}

fn bearer(value: &HeaderValue) -> Result<Credential<'_>, Refusal> {
    match value.to_str().ok().and_then(|text| text.split_once(' ')) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && key.starts_with(PREFIX) => {
            Ok(Credential::ApiKey(key))
        }
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Credential::Token(token)),
        Some(_) | None => Err(Refusal::InvalidToken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pairs: &[(&'static str, &'static str)]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        Credential::find(&headers).map(|found| found.map(|found| format!("{found:?}"))).map_err(drop)
    }

    #[test]
    fn a_token_or_a_key_is_found_where_the_api_looks_for_it() {
        assert_eq!(find(&[]), Ok(None));
        for scheme in ["Bearer abc", "bearer abc", "BEARER abc"] {
            assert_eq!(find(&[("authorization", scheme)]), Ok(Some(r#"Token("abc")"#.to_owned())));
        }
        let key = Ok(Some(r#"ApiKey("ask_1_2")"#.to_owned()));
        assert_eq!(find(&[("authorization", "Bearer ask_1_2")]), key);
        assert_eq!(find(&[("x-api-key", "ask_1_2")]), key);
    }

    #[test]
    fn what_could_mean_two_people_or_somebody_else_is_refused() {
        for pairs in [
            &[("authorization", "Bearer abc"), ("x-api-key", "ask_1_2")][..],
            &[("authorization", "Bearer abc"), ("authorization", "Bearer abc")],
            &[("x-api-key", "ask_1_2"), ("x-api-key", "ask_1_2")],
            &[("authorization", "Basic YTpi")],
            &[("authorization", "Basic YTpi"), ("x-api-key", "ask_1_2")],
            &[("authorization", "Bearer")],
            &[("authorization", "")],
            &[("authorization", "ask_1_2")],
            &[("x-api-key", "abc")],
            &[("x-api-key", "")],
            &[("x-api-key", "Bearer ask_1_2")],
        ] {
            assert_eq!(find(pairs), Err(()), "{pairs:?}");
        }
    }
}
