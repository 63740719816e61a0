//! The console vouches for who is in front of it: limits count, and the audit log names, that address and not its own.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::HeaderName,
    middleware::Next,
    response::Response,
};
use service_kit::proxies::ClientAddr;

use super::{X_CLIENT_SECRET, require_console};
use crate::{
    app::App,
    error::{Error, Result},
};

/// Where the console says whose request it passes on.
pub const X_CLIENT_ADDRESS: HeaderName = HeaderName::from_static("x-client-address");

/// Takes the console's word for the client's address; a secret that is not its own is refused whatever is called.
///
/// # Errors
/// [`Error::InvalidToken`].
pub async fn believe(State(app): State<App>, mut request: Request, next: Next) -> Result<Response> {
    if request.headers().contains_key(X_CLIENT_SECRET) {
        require_console(&app, request.headers()).map_err(|_| Error::InvalidToken)?;
        let told = request.headers().get(X_CLIENT_ADDRESS).and_then(|value| value.to_str().ok());
        if let Some(ip) = told.and_then(|text| text.parse::<IpAddr>().ok()) {
            request.extensions_mut().insert(ClientAddr { ip: ip.to_canonical(), undeclared_proxy: None });
        }
    }
    Ok(next.run(request).await)
}
