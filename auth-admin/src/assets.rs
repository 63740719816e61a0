//! Style, scripts and icon, from the program itself; browsers keep them for good, as their address changes with them.

use axum::{
    extract::Path,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use data_encoding::BASE64URL_NOPAD;

const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const JS: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const SVG: HeaderValue = HeaderValue::from_static("image/svg+xml");
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const HEADERS: [HeaderName; 2] = [header::CONTENT_TYPE, header::CACHE_CONTROL];

const FILES: [(&str, HeaderValue, &str); 4] = [
    ("console.css", CSS, include_str!("../assets/console.css")),
    ("console.js", JS, include_str!("../assets/console.js")),
    ("htmx.js", JS, include_str!("../assets/htmx.min.js")),
    ("icon.svg", SVG, include_str!("../assets/icon.svg")),
];

/// Tells the files of this program from those of another: a digest of them all.
#[must_use]
pub fn version() -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for (_, _, text) in FILES {
        context.update(text.as_bytes());
    }
    BASE64URL_NOPAD.encode(&context.finish().as_ref()[..9])
}

/// Answers with a file.
pub async fn show(Path((_version, name)): Path<(String, String)>) -> Response {
    match FILES.into_iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => {
            let [content_type, cache_control] = HEADERS;
            ([(content_type, kind), (cache_control, FOR_GOOD)], text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
