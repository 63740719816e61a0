//! Every path, once; and the middleware, in order, each with its why.

use axum::{
    Router,
    http::{HeaderValue, header},
    routing::{get, post},
};
use service_kit::{
    body::{AUTH_LIMIT, BodyLimits},
    edge::Edge,
    shed::Shed,
};
use tower::ServiceBuilder;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    api_keys, app::App, audit, console, document, keys, limits, login, mail, meta, passwords, recovery, revocation,
    roles, sessions, social, system, users, users::admin,
};

/// What the vendored documentation page may do: its own scripts and styles, and calls to this server.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The routes of the API, each with its part of the OpenAPI document.
fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(document::frame()).merge(for_everybody()).merge(for_operators())
}

/// What people do for themselves, and what needs nobody.
fn for_everybody() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        // /api/v1/health, /api/v1/health/ready, /.well-known/jwks.json
        .routes(routes!(meta::http::show_health))
        .routes(routes!(meta::http::show_ready))
        .routes(routes!(keys::http::show_jwks))
        // /api/v1/auth: register, login, refresh, logout, reauthenticate, sessions, sessions/{id},
        // password-policy
        .routes(routes!(users::http::register))
        .routes(routes!(login::http::login))
        .routes(routes!(sessions::http::refresh))
        .routes(routes!(sessions::http::logout))
        .routes(routes!(sessions::http::reauthenticate))
        .routes(routes!(sessions::http::list_sessions, sessions::http::delete_sessions))
        .routes(routes!(sessions::http::delete_session))
        // /api/v1/auth: email/verify, email/resend, email/confirm, password/forgot, password/reset, sessions/disown
        .routes(routes!(recovery::http::verify_email))
        .routes(routes!(recovery::http::resend_verification))
        .routes(routes!(recovery::http::confirm_email))
        .routes(routes!(recovery::http::forgot_password))
        .routes(routes!(recovery::http::reset_password))
        .routes(routes!(recovery::http::disown_session))
        .routes(routes!(passwords::http::show_password_policy))
        // /api/v1/users/me: password, email, login-history, export
        .routes(routes!(recovery::http::change_email))
        .routes(routes!(login::http::list_login_history))
        .routes(routes!(users::http::export_me))
        .routes(routes!(users::http::show_me, users::http::update_me, users::http::delete_me))
        .routes(routes!(users::http::change_password))
        // /api/v1/oauth: providers, {provider}/authorize, {provider}/callback, {provider}/id-token, exchange, link,
        // kakao/webhooks;
        // /api/v1/users/me/identities: {provider}, {provider}/token
        .routes(routes!(social::http::list_providers))
        .routes(routes!(social::http::authorize))
        .routes(routes!(social::http::callback, social::http::callback_by_post))
        .routes(routes!(social::http::log_in_by_id_token))
        .routes(routes!(social::http::exchange_code))
        .routes(routes!(social::http::link_by_password))
        .routes(routes!(social::http::link_by_email))
        .routes(routes!(social::http::confirm_link))
        .routes(routes!(social::webhooks_http::take_unlink, social::webhooks_http::take_unlink_by_post))
        .routes(routes!(social::webhooks_http::take_account_status))
        .routes(routes!(social::identities_http::list_identities))
        .routes(routes!(social::identities_http::link_identity, social::identities_http::unlink_identity))
        .routes(routes!(social::identities_http::show_provider_token))
        // /api/v1/api-keys: {id}, {id}/rotate
        .routes(routes!(api_keys::http::list_api_keys, api_keys::http::create_api_key))
        .routes(routes!(api_keys::http::revoke_api_key))
        .routes(routes!(api_keys::http::rotate_api_key))
}

/// What needs a permission.
fn for_operators() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(people())
        // /api/v1/roles: {id}, {id}/permissions; /api/v1/permissions: {id}
        .routes(routes!(roles::http::list_roles, roles::http::create_role))
        .routes(routes!(roles::http::show_role, roles::http::update_role, roles::http::delete_role))
        .routes(routes!(roles::http::set_role_permissions))
        .routes(routes!(roles::permissions_http::list_permissions, roles::permissions_http::create_permission))
        .routes(routes!(roles::permissions_http::delete_permission))
        // /api/v1/api-keys/all
        .routes(routes!(api_keys::all_http::list_all_api_keys))
        .merge(system())
}

/// For our own console and gateways, so not in the document.
fn internal() -> Router<App> {
    Router::new()
        .route("/internal/v1/console", get(console::http::show_state))
        .route("/internal/v1/console/setup", post(console::http::set_up))
        .route("/internal/v1/console/login", post(console::http::log_in))
        .route("/internal/v1/revocations", get(revocation::feed::tail))
        .route("/internal/v1/api-keys/resolve", post(api_keys::http::resolve_api_key))
}

/// What is done about other people: `/api/v1/users`, bulk, {id}, and what belongs to one.
fn people() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(admin::http::list_users, admin::http::create_user))
        .routes(routes!(admin::http::create_users))
        .routes(routes!(admin::http::show_user, admin::http::update_user, admin::state_http::delete_user))
        .routes(routes!(admin::http::export_user))
        .routes(routes!(admin::state_http::restore_user))
        .routes(routes!(admin::state_http::disable_user))
        .routes(routes!(admin::state_http::enable_user))
        .routes(routes!(admin::state_http::unlock_user))
        .routes(routes!(admin::state_http::list_user_roles, admin::state_http::set_user_roles))
        .routes(routes!(admin::sessions_http::list_user_sessions, admin::sessions_http::end_user_sessions))
        .routes(routes!(admin::sessions_http::end_user_session))
        .routes(routes!(admin::sessions_http::send_password_reset))
        .routes(routes!(admin::sessions_http::list_user_logins))
        .routes(routes!(admin::identities_http::list_user_identities))
        .routes(routes!(admin::identities_http::unlink_user_identity))
        .routes(routes!(admin::api_keys_http::list_user_api_keys))
        .routes(routes!(admin::api_keys_http::revoke_user_api_key))
}

/// What happened, and what the system runs by.
fn system() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        // /api/v1/audit-logs: export, verify
        .routes(routes!(audit::http::list_audit_logs))
        .routes(routes!(audit::http::export_audit_logs))
        .routes(routes!(audit::verify_http::verify_audit_logs))
        // /api/v1/system: settings, doctor, providers, mails, mails/{id}/retry, signing-keys, signing-keys/{kid}/withdraw
        .routes(routes!(system::http::show_settings))
        .routes(routes!(system::http::examine_system))
        .routes(routes!(social::operate_http::show_configured_providers))
        .routes(routes!(mail::http::list_mails))
        .routes(routes!(mail::http::retry_mail))
        .routes(routes!(keys::operate_http::list_signing_keys, keys::operate_http::rotate_signing_key))
        .routes(routes!(keys::operate_http::withdraw_signing_key))
}

/// The whole service.
pub fn router(app: App) -> Router {
    let (routes, paths) = api().split_for_parts();
    let routes = if app.config.docs { routes.merge(docs(document::finish(paths))) } else { routes };
    let routes = routes.merge(internal()).merge(recovery::pages::routes());
    let layers = ServiceBuilder::new()
        // First in and last out: whatever happens below, the answer has its id, headers, log line and problem body.
        .layer(Edge::new(app.config.proxies.clone()))
        // Before anything could be made of a foreign host.
        .layer(app.config.hosts.clone())
        // Before the body, which a preflight has not.
        .layer(app.config.cors.layer())
        // Before a place is taken: a slow body waits at its sender's expense.
        .layer(BodyLimits::new(&[
            ("/api/v1/auth", AUTH_LIMIT),
            ("/api/v1/oauth", AUTH_LIMIT),
            ("/internal/v1/console", AUTH_LIMIT),
        ]))
        // Last: past the limit 503 at once, and the time of a handler counts from the last byte of its request.
        .layer(Shed::new(app.config.shed, &["/api/v1/health", "/internal/v1/revocations"]));
    // Before anything counts by address: the console says whose request it passes on.
    let vouching = axum::middleware::from_fn_with_state(app.clone(), console::vouch::believe);
    // Inside all of these: what was refused before counts for nobody.
    let counting = axum::middleware::from_fn_with_state(app.clone(), limits::count);
    routes.route("/", get(meta::http::redirect_to_docs)).layer(counting).layer(vouching).layer(layers).with_state(app)
}

/// The OpenAPI document of what [`router`] serves.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    document::finish(api().into_openapi())
}

fn docs(document: utoipa::openapi::OpenApi) -> Router<App> {
    let json: &'static str = String::leak(document.to_json().unwrap_or_default());
    let policy = |mut response: axum::response::Response| async {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, DOCS_POLICY);
        response
    };
    let page = SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json"));
    Router::from(page)
        .layer(axum::middleware::map_response(policy))
        .route("/openapi.json", get(move || async move { meta::http::openapi_response(json) }))
}
