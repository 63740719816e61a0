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

#[derive(Template)]
#[template(path = "_confirm.html")]
struct Part {
    frame: Frame,
    question: Question,
    asks_password: bool,
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Page {
    frame: Frame,
    question: Question,
    asks_password: bool,
    fault: Option<String>,
}

/// Asks.
///
/// # Errors
/// When a page needs who is signed in, and that cannot be had.
pub async fn ask(operator: &Operator, question: Question) -> Result<Response> {
    show(operator, question, false, None).await
}

/// Asks, and for the password at once: what was asked for by a link was refused for want of it.
///
/// # Errors
/// As [`ask`].
pub async fn ask_password(operator: &Operator, question: Question) -> Result<Response> {
    show(operator, question, true, None).await
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
    let asks = members.raw("password").is_some();
    let outcome = match members.raw("password") {
        Some(password) => match operator.api().reauthenticate(password).await {
            Ok(()) => act().await,
            Err(refused) => Err(refused.into()),
        },
        None => act().await,
    };
    let failure = match outcome {
        Ok(done) => return Ok(Ok(done)),
        Err(failure) => failure,
    };
    if failure.is(STALE) {
        return show(operator, question, true, None).await.map(Err);
    }
    let fault = failure.into_sentence()?;
    show(operator, question, asks, Some(fault)).await.map(Err)
}

async fn show(operator: &Operator, question: Question, asks_password: bool, fault: Option<String>) -> Result<Response> {
    let html = if operator.wants_part {
        Part { frame: operator.part(Section::None), question, asks_password, fault }.render()?
    } else {
        Page { frame: operator.frame(Section::None).await?, question, asks_password, fault }.render()?
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
