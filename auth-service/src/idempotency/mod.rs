//! `Idempotency-Key`: a call that makes something can be repeated without making it twice.
//!
//! The first call with a key takes it before anything is done, and leaves its answer when it is done. A repeat with the
//! same body is given that answer; while the first is under way a repeat is refused. A call that has left no answer a
//! minute later was cut short, and may be repeated.

mod store;

pub use store::delete_old;

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    caller::Caller,
    error::{Error, Result, as_header},
    fields::{Fault, Fields},
    ids::TokenHash,
};

/// How long an answer is kept.
pub const KEPT: Duration = Duration::from_secs(86_400);
/// How long a call can be under way: longer than any request may take.
const UNDER_WAY: Duration = Duration::from_secs(60);
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is of an earlier call.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key, in characters.
const MAX_KEY: usize = 255;

/// The body of a call that makes something, with the key under which to make it once.
pub struct Once {
    fields: Fields,
    key: Option<String>,
    body_hash: TokenHash,
}

/// Whether an answer may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds no secret.
    Keep,
    /// It shows a secret, once.
    ShowOnce,
}

/// What is kept of an answer.
#[derive(Deserialize, Serialize)]
struct Kept {
    location: Option<String>,
    /// None where it held a secret.
    body: Option<String>,
}

impl FromRequest<App> for Once {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let key = read_key(request.headers())?;
        let (head, body) = request.into_parts();
        // The edge has read it whole, or refused it.
        let bytes = body.collect().await.map_err(|_| Error::MalformedJson)?.to_bytes();
        let body_hash = TokenHash::of(&bytes);
        let fields = Fields::from_request(Request::from_parts(head, Body::from(bytes)), app).await?;
        Ok(Self { fields, key, body_hash })
    }
}

impl Once {
    /// Does what the call asks for, unless it was done before.
    ///
    /// # Errors
    /// Of `act`; [`Error::IdempotencyKeyReused`], [`Error::RequestInProgress`], [`Error::ShownOnce`].
    pub async fn run(
        self,
        (app, caller): (&App, &Caller),
        route: &str,
        answer: Answer,
        act: impl AsyncFnOnce(Fields) -> Result<Response>,
    ) -> Result<Response> {
        let Self { fields, key: Some(key), body_hash } = self else { return act(self.fields).await };
        let place = store::Place {
            user: caller.user_id(),
            // One person's programs choose their keys without knowing of each other.
            route: caller.api_key_id().map_or_else(|| route.to_owned(), |id| format!("{route} {id}")),
            key,
        };
        let now = app.now();
        if !store::take(&mut app.db.write().await?, &place, &body_hash, now).await? {
            return repeat(app, &place, &body_hash).await;
        }
        match act(fields).await {
            Ok(response) => keep(app, &place, answer, response).await,
            Err(refusal) => {
                store::give_up(&mut app.db.write().await?, &place).await?;
                Err(refusal)
            }
        }
    }
}

fn read_key(headers: &HeaderMap) -> Result<Option<String>> {
    let mut values = headers.get_all(KEY).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| (1..=MAX_KEY).contains(&text.len()) && second.is_none());
    text.map(|text| Some(text.to_owned())).ok_or_else(|| {
        Fault::new("invalid_header", "One key of 1 to 255 visible characters.", "1~255자의 키 하나여야 합니다.")
            .of("Idempotency-Key")
    })
}

async fn keep(app: &App, place: &store::Place, answer: Answer, response: Response) -> Result<Response> {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.map(|whole| whole.to_bytes()).unwrap_or_default();
    let location = head.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let text = || String::from_utf8_lossy(&bytes).into_owned();
    let kept = Kept { location, body: (answer == Answer::Keep).then(text) };
    let kept = serde_json::to_string(&kept).unwrap_or_default();
    store::keep(&mut app.db.write().await?, place, head.status.as_u16(), &kept).await?;
    Ok(Response::from_parts(head, Body::from(bytes)))
}

async fn repeat(app: &App, place: &store::Place, body_hash: &TokenHash) -> Result<Response> {
    let Some(row) = store::find(&mut app.db.read().await?, place).await? else { return Err(Error::RequestInProgress) };
    if row.body_hash != body_hash.as_bytes() {
        return Err(Error::IdempotencyKeyReused);
    }
    let (Some(status), Some(kept)) = (row.status, row.answer) else { return Err(Error::RequestInProgress) };
    let kept: Kept = serde_json::from_str(&kept).map_err(|cause| Error::Internal(Box::new(cause)))?;
    let Some(body) = kept.body else { return Err(Error::ShownOnce(kept.location.unwrap_or_default())) };
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() = u16::try_from(status).ok().and_then(|s| StatusCode::from_u16(s).ok()).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    if let Some(location) = kept.location {
        headers.insert(header::LOCATION, as_header(&location));
    }
    Ok(response)
}
