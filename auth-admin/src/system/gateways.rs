//! Who takes part: gateways with their routes and what is behind them, and instances of the API.

use askama::Template;
use auth_sdk::{FreshnessState, GatewayServer, Instance};
use axum::response::{Html, IntoResponse, Response};

use crate::{
    failure::Result,
    frame::{Frame, Section, number},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "system/gateways.html")]
struct GatewaysPage {
    frame: Frame,
    gateways: Vec<Instance>,
    instances: Vec<Instance>,
}

/// The page.
pub async fn show(operator: Operator) -> Result<Response> {
    let api = operator.api();
    let (frame, all) = tokio::join!(operator.frame(Section::Gateways), api.list_instances());
    let (gateways, instances) = all?.items.into_iter().partition(|instance| instance.role == "gateway");
    Ok(Html(GatewaysPage { frame: frame?, gateways, instances }.render()?).into_response())
}

impl GatewaysPage {
    /// How an instance looks: its class and its text's key.
    fn state(&self, instance: &Instance) -> (&'static str, &'static str) {
        match instance {
            Instance { left_at: Some(_), .. } => ("", "instance-left"),
            Instance { late: true, .. } => ("bad", "instance-late"),
            _ => ("ok", "instance-here"),
        }
    }

    /// A server behind a gateway, likewise.
    fn server(&self, server: &GatewayServer) -> (&'static str, &'static str) {
        match (server.healthy, server.ejected) {
            (true, false) => ("ok", "up"),
            (true, true) => ("warn", "server-ejected"),
            (false, _) => ("bad", "down"),
        }
    }

    fn number(&self, n: &u64) -> String {
        number(*n)
    }
}

/// How what a gateway knows of the revocations looks: its class and its text's key.
pub const fn freshness(state: &FreshnessState) -> (&'static str, &'static str) {
    match state {
        FreshnessState::Current => ("ok", "feed-current"),
        FreshnessState::Stale => ("bad", "feed-stale"),
        FreshnessState::Unknown => ("bad", "feed-unknown"),
    }
}
