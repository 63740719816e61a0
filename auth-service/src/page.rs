//! The frame of the plain pages that people without a front end of their own see: no scripts, one style.

use axum::{
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use data_encoding::BASE64;
use service_kit::{language::Language, problem::Text};

use crate::{ids::TokenHash, mail};

const STYLE: &str = "body{font:16px/1.5 sans-serif;color:#1a1a1a;background:#fff;max-width:24em;margin:15vh auto;padding:0 1em}\
h1{font-size:1.5em}label,input,button{display:block;width:100%;box-sizing:border-box;font:inherit}\
input{margin:.3em 0 1em;padding:.6em;border:1px solid #767676;border-radius:.4em}\
button{padding:.7em;border:0;border-radius:.4em;background:#1a56db;color:#fff;cursor:pointer}\
.fault{color:#b42318}@media(prefers-color-scheme:dark){body{color:#eee;background:#1a1a1a}.fault{color:#ff9d91}}";

/// A page with this title, and this body of HTML under it.
pub fn render(language: Language, title: &Text, body: &str) -> Response {
    let (title, tag) = (mail::escape(title.in_language(language)), language.tag());
    let style = BASE64.encode(TokenHash::of(STYLE.as_bytes()).as_bytes());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let html = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n",
        tag.to_str().unwrap_or("en"),
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CONTENT_LANGUAGE, tag),
        (header::VARY, HeaderValue::from_static("accept-language")),
    ];
    (headers, Html(html)).into_response()
}

/// A paragraph of these words.
pub fn paragraph(words: &str) -> String {
    format!("<p>{}</p>\n", mail::escape(words))
}
