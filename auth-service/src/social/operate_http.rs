//! The call by which operators see how providers are configured.

use auth_sdk::{Problem, ProviderFault, SystemProvider, SystemProviders};
use axum::{Json, extract::State};
use service_kit::language::Language;

use super::{
    config::{ProviderConfig, ProviderKind},
    provider::Provider,
};
use crate::{app::App, caller::Caller, client::Client, doctor, error::Result, roles::Permission};

/// Show how providers are configured
///
/// Without secrets. What their configuration lacks is told; whether they answer is tried by `POST /api/v1/system/doctor`.
#[utoipa::path(
    get, path = "/api/v1/system/providers", tag = "system", security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = SystemProviders), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem))
)]
pub async fn show_configured_providers(
    State(app): State<App>,
    caller: Caller,
    client: Client,
) -> Result<Json<SystemProviders>> {
    caller.require(Permission::SystemRead)?;
    let social = &app.config.social;
    // Each was opened from its line of the configuration, in this order.
    let pairs = social.providers.iter().zip(app.providers.iter());
    Ok(Json(SystemProviders {
        providers: pairs.map(|pair| to_wire(&app, pair, client.language)).collect(),
        keeps_tokens: social.keep_tokens,
        redirect_uris: social.redirect_uris.listed().map(str::to_owned).collect(),
    }))
}

fn to_wire(app: &App, (config, provider): (&ProviderConfig, &Provider), language: Language) -> SystemProvider {
    let faults = doctor::lacks(&app.config, provider).into_iter();
    SystemProvider {
        name: provider.name.clone(),
        kind: kind(&config.kind).to_owned(),
        title: provider.title.in_language(language).to_owned(),
        issuer: provider.issuer.clone(),
        client_id: provider.client_id.clone(),
        native_client_ids: config.native_client_ids.clone(),
        callback_uri: app.config.social.callback_uri(&provider.name),
        scopes: provider.scopes().split_whitespace().map(str::to_owned).collect(),
        faults: faults
            .map(|lack| ProviderFault { code: lack.code().to_owned(), detail: lack.advice().to_owned() })
            .collect(),
    }
}

const fn kind(kind: &ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Google { .. } => "google",
        ProviderKind::Kakao { .. } => "kakao",
        ProviderKind::Naver { .. } => "naver",
        ProviderKind::GitHub { .. } => "github",
        ProviderKind::Apple { .. } => "apple",
        ProviderKind::OpenId { .. } => "openid",
    }
}
