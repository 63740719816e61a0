//! What the doctor finds: asked for, as it connects to everything that the system leans on.

use askama::Template;
use auth_sdk::{CheckOutcome, SystemCheck};
use axum::response::{Html, IntoResponse, Response};

use crate::{
    failure::Result,
    forms::Form,
    frame::{Frame, Section},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "system/doctor.html")]
struct DoctorPage {
    frame: Frame,
    /// Nothing before it was asked for.
    checks: Option<Vec<SystemCheck>>,
}

/// The page.
pub async fn ask(operator: Operator) -> Result<Response> {
    let page = DoctorPage { frame: operator.frame(Section::Doctor).await?, checks: None };
    Ok(Html(page.render()?).into_response())
}

/// The page with what was found.
pub async fn run(operator: Operator, Form(_): Form) -> Result<Response> {
    let api = operator.api();
    let (frame, found) = tokio::join!(operator.frame(Section::Doctor), api.examine());
    Ok(Html(DoctorPage { frame: frame?, checks: Some(found?.checks) }.render()?).into_response())
}

impl DoctorPage {
    /// How a check looks: its class and its text's key.
    fn state(&self, outcome: &CheckOutcome) -> (&'static str, &'static str) {
        match outcome {
            CheckOutcome::Ok => ("ok", "check-ok"),
            CheckOutcome::Warning => ("warn", "check-warning"),
            CheckOutcome::Failed => ("bad", "check-failed"),
            CheckOutcome::Skipped => ("", "check-skipped"),
        }
    }
}
