//! A person's identities as the wire sees them.

use auth_sdk::{Identities, LinkIdentity, LinkStarted, Problem, ProviderToken};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};

use super::{
    authorize::{self, Wish},
    http::find,
    link, store,
    tokens::renew,
};
use crate::{app::App, caller::SessionCaller, client::Client, error::Result, fields::Fields};

/// List one's identities at providers
#[utoipa::path(
    get, path = "/api/v1/users/me/identities", tag = "users", security(("bearer" = [])),
    responses((status = 200, body = Identities), (status = 401, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_identities(State(app): State<App>, caller: SessionCaller) -> Result<Json<Identities>> {
    let rows = store::list(&mut app.db.read().await?, caller.user_id()).await?;
    Ok(Json(Identities { items: rows.into_iter().map(store::IdentityRow::into_wire).collect() }))
}

/// Begin to link a provider
///
/// From a fresh session. The browser is to open `authorization_url`; what comes back is exchanged like a login, and
/// answered with `linked`.
#[utoipa::path(
    post, path = "/api/v1/users/me/identities/{provider}", tag = "users", security(("bearer" = [])), request_body = LinkIdentity,
    params(("provider" = String, Path, description = "Its name")),
    responses((status = 200, body = LinkStarted), (status = 401, body = Problem), (status = 403, body = Problem, description = "reauthentication_required"), (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn link_identity(
    State(app): State<App>,
    caller: SessionCaller,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Json<LinkStarted>> {
    let provider = find(&app, &name)?;
    let wish = fields.read(|f| {
        let text = |text: &str| Ok(text.to_owned());
        let (uri, challenge) = (f.required("redirect_uri", text), f.required("code_challenge", text));
        let (uri, challenge, state) = (uri?, challenge?, f.optional("state", text)?);
        match Wish::parse(&app, &uri, &challenge, state.as_deref()) {
            Ok(wish) => Some(wish),
            Err((member, fault)) => f.refuse(member, fault),
        }
    })?;
    let authorization_url = authorize::start_link(&app, &caller, provider, wish).await?;
    Ok(Json(LinkStarted { authorization_url }))
}

/// Take a provider's identity from one's account
///
/// From a fresh session, and never the last way in.
#[utoipa::path(
    delete, path = "/api/v1/users/me/identities/{provider}", tag = "users", security(("bearer" = [])),
    params(("provider" = String, Path, description = "Its name")),
    responses((status = 204, description = "It enters the account no more"), (status = 401, body = Problem), (status = 403, body = Problem, description = "reauthentication_required"), (status = 404, body = Problem), (status = 409, body = Problem, description = "last_way_in"), (status = 503, body = Problem))
)]
pub async fn unlink_identity(
    State(app): State<App>,
    caller: SessionCaller,
    Path(name): Path<String>,
    client: Client,
) -> Result<StatusCode> {
    link::unlink(&app, &caller, &name, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get a provider's access token of one's own
///
/// For apps that call a provider's API, where the service keeps the tokens (`OAUTH_KEEP_TOKENS`). Good for a minute at
/// least: it is renewed at the provider before it ends.
#[utoipa::path(
    post, path = "/api/v1/users/me/identities/{provider}/token", tag = "users", security(("bearer" = [])),
    params(("provider" = String, Path, description = "Its name")),
    responses((status = 200, body = ProviderToken), (status = 401, body = Problem), (status = 404, body = Problem, description = "not_found: none is kept"), (status = 409, body = Problem, description = "provider_login_required"), (status = 503, body = Problem, description = "provider_unavailable"))
)]
pub async fn show_provider_token(
    State(app): State<App>,
    caller: SessionCaller,
    Path(name): Path<String>,
) -> Result<Json<ProviderToken>> {
    renew::hand_out(&app, caller.user_id(), find(&app, &name)?).await.map(Json)
}
