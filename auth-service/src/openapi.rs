//! The parts of the OpenAPI document that belong to no single call.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// Title, tags and the way to authenticate; the router adds the paths.
#[derive(OpenApi)]
#[openapi(
    info(title = "Auth API", description = "Accounts, logins, tokens and sessions. Errors are RFC 9457 problem details.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    tags(
        (name = "auth", description = "Registering, logging in, tokens and sessions"),
        (name = "users", description = "Accounts"),
        (name = "meta", description = "Health and public keys"),
    ),
    modifiers(&Bearer),
)]
pub struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}
