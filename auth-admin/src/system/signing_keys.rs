//! The keys that sign access tokens: their age, the next one, and taking one out of use.

use askama::Template;
use auth_sdk::{SigningKey, SigningKeyState, SigningKeys};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};

use crate::{
    confirm::{self, Question, Weight},
    failure::Result,
    forms::Form,
    frame::{Frame, Section},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "system/signing-keys.html")]
struct SigningKeysPage {
    frame: Frame,
    all: SigningKeys,
}

/// The page.
pub async fn show(operator: Operator) -> Result<Response> {
    let api = operator.api();
    let (frame, all) = tokio::join!(operator.frame(Section::SigningKeys), api.list_signing_keys());
    Ok(Html(SigningKeysPage { frame: frame?, all: all? }.render()?).into_response())
}

/// Asks whether to publish another key.
pub async fn ask_rotate(operator: Operator) -> Result<Response> {
    confirm::ask(&operator, rotation(&operator.part(Section::SigningKeys))).await
}

/// Publishes another key.
pub async fn rotate(operator: Operator, Form(members): Form) -> Result<Response> {
    let api = operator.api();
    let question = rotation(&operator.part(Section::SigningKeys)).carrying(&members);
    let done = confirm::carry_out(&operator, &members, question, async || Ok(api.rotate_signing_key().await?)).await?;
    Ok(match done {
        Ok(()) => operator.go("/admin/signing-keys?done=rotated"),
        Err(asked_again) => asked_again,
    })
}

/// Asks whether to take a key out of use.
pub async fn ask_withdraw(operator: Operator, Path(kid): Path<String>) -> Result<Response> {
    confirm::ask(&operator, withdrawal(&operator.part(Section::SigningKeys), &kid)).await
}

/// Takes a key out of use.
pub async fn withdraw(operator: Operator, Path(kid): Path<String>, Form(members): Form) -> Result<Response> {
    let api = operator.api();
    let question = withdrawal(&operator.part(Section::SigningKeys), &kid).carrying(&members);
    let act = async || Ok(api.withdraw_signing_key(&kid).await?);
    Ok(match confirm::carry_out(&operator, &members, question, act).await? {
        Ok(()) => operator.go("/admin/signing-keys?done=withdrawn"),
        Err(asked_again) => asked_again,
    })
}

fn rotation(frame: &Frame) -> Question {
    Question {
        title: frame.t("ask-rotate"),
        sentence: frame.t("ask-why-rotate"),
        button: frame.t("key-rotate"),
        weight: Weight::Light,
        action: "/admin/signing-keys/rotate".to_owned(),
        carried: Vec::new(),
    }
}

fn withdrawal(frame: &Frame, kid: &str) -> Question {
    Question {
        title: frame.t1("ask-withdraw", "kid", kid),
        sentence: frame.t("ask-why-withdraw"),
        button: frame.t("key-withdraw"),
        weight: Weight::Heavy,
        action: format!("/admin/signing-keys/{kid}/withdraw"),
        carried: Vec::new(),
    }
}

impl SigningKeysPage {
    /// How a key looks: its class and its text's key.
    fn look(&self, state: &SigningKeyState) -> (&'static str, &'static str) {
        match state {
            SigningKeyState::Next => ("warn", "key-next"),
            SigningKeyState::Signing => ("ok", "key-signing"),
            SigningKeyState::Verifying => ("", "key-verifying"),
            SigningKeyState::Retired => ("", "key-retired"),
            SigningKeyState::Withdrawn => ("bad", "key-withdrawn"),
        }
    }

    fn may_withdraw(&self, key: &SigningKey) -> bool {
        let is_in_use = !matches!(key.state, SigningKeyState::Retired | SigningKeyState::Withdrawn);
        is_in_use && self.frame.may("system:write")
    }
}
