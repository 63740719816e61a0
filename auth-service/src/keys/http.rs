//! The public keys, for whoever verifies our tokens.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::app::App;

/// Public keys
///
/// The keys that access tokens are signed with, as a JWK set (RFC 7517). Empty when tokens are signed by HS256.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "meta", responses((status = 200, description = "JWK set", content_type = "application/json")))]
pub async fn show_jwks(State(app): State<App>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")];
    (headers, app.keys.jwks()).into_response()
}
