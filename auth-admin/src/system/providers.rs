//! The providers that people log in through, as they are set up here and must be there.

use askama::Template;
use auth_sdk::{ProviderFault, SystemProviders};
use axum::response::{Html, IntoResponse, Response};

use super::said::{self, Said};
use crate::{
    failure::Result,
    frame::{Frame, Section},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "system/providers.html")]
struct ProvidersPage {
    frame: Frame,
    all: SystemProviders,
}

/// The page.
pub async fn show(operator: Operator) -> Result<Response> {
    let api = operator.api();
    let (frame, all) = tokio::join!(operator.frame(Section::Providers), api.list_system_providers());
    Ok(Html(ProvidersPage { frame: frame?, all: all? }.render()?).into_response())
}

impl ProvidersPage {
    /// What a provider's configuration lacks.
    fn lack(&self, fault: &ProviderFault) -> Said {
        Said::new(&self.frame, &said::lack(&fault.code), &[], &fault.detail)
    }
}
