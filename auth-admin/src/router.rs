//! Every path of the console, once; and the middleware, in order, each with its why.

use axum::{
    Router,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state, map_response},
    response::Redirect,
    routing::{get, post},
};
use service_kit::{body::BodyLimits, edge::Edge};
use tower::ServiceBuilder;

use crate::{app::App, assets, audit, failure, guard, likes, overview, roles, session, setup, system, users};

/// Bytes of a form: the longest is a selection of people.
const FORM_LIMIT: usize = 64 * 1024;

fn pages() -> Router<App> {
    Router::new()
        .route("/", get(async || Redirect::to("/admin/")))
        .route("/admin", get(async || Redirect::to("/admin/")))
        .route("/admin/", get(overview::show))
        // Before anybody is known.
        .route("/admin/health", get(async || StatusCode::NO_CONTENT))
        .route("/admin/assets/{version}/{name}", get(assets::show))
        .route("/admin/setup", get(setup::show).post(setup::run))
        .route("/admin/sign-in", get(session::show).post(session::sign_in))
        .route("/admin/new-password", post(session::choose_password))
        .route("/admin/arrive", get(session::arrive))
        .route("/admin/sign-out", post(session::sign_out))
        .route("/admin/likes", post(likes::keep))
        // People.
        .route("/admin/users", get(users::list::show))
        .route("/admin/users/new", get(users::new::ask).post(users::new::run))
        .route("/admin/users/bulk", get(users::bulk::preview).post(users::bulk::run))
        .route("/admin/users/{id}", get(users::person::show))
        .route("/admin/users/{id}/profile", get(users::profile::ask).post(users::profile::run))
        .route("/admin/users/{id}/roles", get(users::roles::ask).post(users::roles::run))
        .route("/admin/users/{id}/export", get(users::export::show).post(users::export::prove))
        .route("/admin/users/{id}/{part}/{name}", get(users::person::ask_part).post(users::person::end_part))
        .route("/admin/users/{id}/{act}", get(users::acts::ask).post(users::acts::run))
        .merge(rights())
        .merge(operation())
        .fallback(async || failure::Failure::NotFound)
}

/// Who may do what, and what was done.
fn rights() -> Router<App> {
    Router::new()
        // Roles and permissions.
        .route("/admin/roles", get(roles::matrix::show))
        .route("/admin/roles/new", get(roles::new::ask).post(roles::new::run))
        .route("/admin/roles/{id}/permissions", get(roles::grant::ask).post(roles::grant::run))
        .route("/admin/roles/{id}/description", get(roles::describe::ask).post(roles::describe::run))
        .route("/admin/roles/{id}/delete", get(roles::delete::ask).post(roles::delete::run))
        .route("/admin/permissions/new", get(roles::permissions::ask).post(roles::permissions::run))
        .route("/admin/permissions/{id}", get(roles::permissions::show))
        .route(
            "/admin/permissions/{id}/delete",
            get(roles::permissions::ask_delete).post(roles::permissions::run_delete),
        )
        // The audit log.
        .route("/admin/audit", get(audit::list::show))
        .route("/admin/audit/newer", get(audit::tail::show))
        .route("/admin/audit/export", get(audit::export::show))
        .route("/admin/audit/verify", get(audit::verify::ask).post(audit::verify::run))
}

/// What the system runs by.
fn operation() -> Router<App> {
    Router::new()
        .route("/admin/api-keys", get(system::api_keys::show))
        .route("/admin/api-keys/{owner}/{key}/revoke", get(system::api_keys::ask).post(system::api_keys::run))
        .route("/admin/signing-keys", get(system::signing_keys::show))
        .route("/admin/signing-keys/rotate", get(system::signing_keys::ask_rotate).post(system::signing_keys::rotate))
        .route(
            "/admin/signing-keys/{kid}/withdraw",
            get(system::signing_keys::ask_withdraw).post(system::signing_keys::withdraw),
        )
        .route("/admin/gateways", get(system::gateways::show))
        .route("/admin/providers", get(system::providers::show))
        .route("/admin/mails", get(system::mails::show))
        .route("/admin/mails/{id}/retry", get(system::mails::ask).post(system::mails::run))
        .route("/admin/settings", get(system::settings::show))
        .route("/admin/doctor", get(system::doctor::ask).post(system::doctor::run))
}

/// The whole console.
pub fn router(app: App) -> Router {
    let layers = ServiceBuilder::new()
        // First in and last out: whatever happens below, the answer has its id, headers and log line.
        .layer(Edge::new(app.proxies.clone()))
        // Before anything could be made of a foreign host.
        .layer(app.hosts.clone())
        // Around all that makes pages, failures too.
        .layer(map_response(guard::bind))
        // A failure is a note until here, where it is known who asked, and in what language.
        .layer(from_fn_with_state(app.clone(), failure::render))
        // Before a form is read: other sites send none.
        .layer(from_fn(guard::watch))
        .layer(BodyLimits::new(&[("/admin", FORM_LIMIT)]));
    pages().layer(layers).with_state(app)
}
