//! Asks before something is done, names whom it is done to, and asks for the password where the API wants to know once more
//! who is there.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::{
    failure::{Failure, Result},
    forms::Members,
    frame::{Frame, Section},
    visit::Operator,
};

/// The API's code for a session that was not proven lately enough.
pub const STALE: &str = "reauthentication_required";

/// A question.
pub struct Question {
    pub title: String,
    pub sentence: String,
    /// The button's words.
    pub button: String,
    pub weight: Weight,
    /// Where the answer goes.
    pub action: String,
    /// What the answer carries along.
    pub carried: Vec<(String, String)>,
}

/// How much there is to lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Light,
    Heavy,
}

/// What a form is to say once the API has refused what it asked for.
#[derive(Default)]
pub struct Refusal {
    pub asks_password: bool,
    pub fault: Option<String>,
}

#[derive(Template)]
#[template(path = "_confirm.html")]
struct Part {
    frame: Frame,
    question: Question,
    refusal: Refusal,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Page {
    frame: Frame,
    question: Question,
    refusal: Refusal,
}

/// Asks.
///
/// # Errors
/// When a page needs who is signed in, and that cannot be had.
pub async fn ask(operator: &Operator, question: Question) -> Result<Response> {
    show(operator, question, Refusal::default()).await
}

/// Asks, and for the password at once: what was asked for by a link was refused for want of it.
///
/// # Errors
/// As [`ask`].
pub async fn ask_password(operator: &Operator, question: Question) -> Result<Response> {
    show(operator, question, Refusal { asks_password: true, fault: None }).await
}

/// Proves who is there, if the form holds a password, and does what was asked. A refusal is shown beside the question.
///
/// # Errors
/// Whatever has nothing to do with the question.
pub async fn carry_out<T>(
    operator: &Operator,
    members: &Members,
    question: Question,
    act: impl AsyncFnOnce() -> Result<T>,
) -> Result<Result<T, Response>> {
    match prove_and(operator, members, act).await? {
        Ok(done) => Ok(Ok(done)),
        Err(refusal) => show(operator, question, refusal).await.map(Err),
    }
}

/// Proves who is there, if the form holds a password, and does what was asked; or what the form is to say.
///
/// # Errors
/// Whatever has nothing to do with the form.
pub async fn prove_and<T>(
    operator: &Operator,
    members: &Members,
    act: impl AsyncFnOnce() -> Result<T>,
) -> Result<Result<T, Refusal>> {
    let password = members.raw("password");
    let proof = match password {
        Some(password) => operator.api().reauthenticate(password).await.map_err(Failure::from),
        None => Ok(()),
    };
    let outcome = match proof {
        Ok(()) => act().await,
        Err(refused) => Err(refused),
    };
    Ok(match outcome {
        Ok(done) => Ok(done),
        Err(stale) if stale.is(STALE) => Err(Refusal { asks_password: true, fault: None }),
        Err(failure) => Err(Refusal { asks_password: password.is_some(), fault: Some(failure.into_sentence()?) }),
    })
}

async fn show(operator: &Operator, question: Question, refusal: Refusal) -> Result<Response> {
    let html = if operator.wants_part {
        Part { frame: operator.part(Section::None), question, refusal }.render()?
    } else {
        Page { frame: operator.frame(Section::None).await?, question, refusal }.render()?
    };
    Ok(Html(html).into_response())
}

impl Question {
    /// The members of the form that led here, carried along.
    pub fn carrying(self, members: &Members) -> Self {
        Self { carried: members.to_carry(), ..self }
    }
}

/// Whether a failure is only that somebody must prove once more who they are.
pub fn is_stale(failure: &Failure) -> bool {
    failure.is(STALE)
}
