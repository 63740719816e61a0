//! The parts of the OpenAPI document that belong to no single call.

use axum::http::StatusCode;
use utoipa::{
    OpenApi,
    openapi::{
        Content, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder,
        path::Operation,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

const PROBLEM_JSON: &str = "application/problem+json";

/// Title, licence and tags.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Auth API",
        description = "Accounts, logins, tokens and sessions. Errors are RFC 9457 problem details.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "auth", description = "Registering, logging in, tokens and sessions"),
        (name = "users", description = "Accounts"),
        (name = "roles", description = "Roles and permissions"),
        (name = "api-keys", description = "Credentials of programs that act for a person"),
        (name = "audit", description = "What happened, to whom, by whom"),
        (name = "system", description = "What the system runs by, and how it fares"),
        (name = "meta", description = "Health and public keys"),
    ),
    components(schemas(auth_sdk::Problem)),
)]
struct Frame;

/// The document before the router adds the paths.
pub fn frame() -> Document {
    Frame::openapi()
}

/// Adds what holds for every path: how to authenticate, that faults are problems, and that any call can have one.
pub fn finish(mut document: Document) -> Document {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))));
    let admin_key = ApiKeyValue::with_description("Authorization", "`KakaoAK ` and the admin key of the Kakao app");
    components.add_security_scheme("kakao_admin_key", SecurityScheme::ApiKey(ApiKey::Header(admin_key)));
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(finish_operation);
    }
    document
}

fn finish_operation(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            finish_response(status, response);
        }
    }
    let fault = ResponseBuilder::new().description("Any other fault").content(PROBLEM_JSON, problem()).build();
    operation.responses.responses.insert("default".to_owned(), fault.into());
}

fn finish_response(status: &str, response: &mut Response) {
    let status = status.parse().ok().and_then(|number| StatusCode::from_u16(number).ok());
    if response.description.is_empty() {
        response.description = status.and_then(|status| status.canonical_reason()).unwrap_or("Answer").to_owned();
    }
    let is_fault = status.is_some_and(|status| status.is_client_error() || status.is_server_error());
    if is_fault && !has_form_of_its_own(response) {
        response.content.clear();
        response.content.insert(PROBLEM_JSON.to_owned(), problem().into());
    }
}

/// Whether a fault is told in the words of another protocol.
fn has_form_of_its_own(response: &Response) -> bool {
    let usual = problem();
    let schema = |content: &RefOr<Content>| match content {
        RefOr::T(content) => content.schema.clone(),
        RefOr::Ref(_) => None,
    };
    response.content.values().any(|content| schema(content) != usual.schema)
}

fn problem() -> Content {
    Content::new(Some(Ref::from_schema_name("Problem")))
}
