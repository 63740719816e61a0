//! Naver Login: <https://developers.naver.com/docs/login/api/api.md>.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::grants::{Consent, Grant, Grants, RegisteredClient};
use super::message::{Answer, HttpRequest, with_query};
use super::server::{Place, StandIn};
use crate::PeerError;

const ACCESS_LIFETIME: i64 = 3_600;
const REFRESH_LIFETIME: i64 = 365 * 86_400;

/// Naver's servers for login and for the API, at one address.
pub struct Naver {
    server: StandIn,
    shared: Arc<Shared>,
}

struct Shared {
    client: RegisteredClient,
    state: Mutex<State>,
}

struct State {
    user: Value,
    consent: Consent,
    grants: Grants,
}

impl Naver {
    /// Starts it with one app.
    ///
    /// # Errors
    /// [`PeerError`] if no port is free.
    pub fn start(client: RegisteredClient) -> Result<Self, PeerError> {
        let place = Place::find()?;
        let state = State { user: somebody(), consent: Consent::default(), grants: Grants::default() };
        let shared = Arc::new(Shared { client, state: Mutex::new(state) });
        let answerer = Arc::clone(&shared);
        Ok(Self { server: StandIn::start(place, move |request| answerer.answer(request)), shared })
    }

    /// Puts another person at the browser: the member `response` of what `/v1/nid/me` says of them; any field but the
    /// id may be left out.
    pub fn sign_in(&self, user: Value) {
        self.shared.state().user = user;
    }

    /// Decides what the person does with the question that comes next, and after.
    pub fn set_consent(&self, consent: Consent) {
        self.shared.state().consent = consent;
    }

    /// Sets its clock, in seconds since 1970; it runs with the system's otherwise.
    pub fn set_now(&self, now: i64) {
        self.shared.state().grants.set_now(now);
    }
}

impl Deref for Naver {
    type Target = StandIn;

    fn deref(&self) -> &StandIn {
        &self.server
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &HttpRequest) -> Answer {
        let answer = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/oauth2.0/authorize") => self.authorize(request),
            ("GET" | "POST", "/oauth2.0/token") => self.token(request),
            ("GET", "/v1/nid/me") => self.me(request),
            _ => Err(Answer::json(404, &json!({"errorMessage": "Not Found", "errorCode": "051"}))),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn authorize(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let page = |error: &str| Answer::html(200, format!("<!doctype html><title>NAVER</title><p>{error}</p>"));
        if request.query("client_id") != Some(&self.client.id) {
            return Err(page("client_id"));
        }
        let redirect_uri = self.client.redirect_uri(request).ok_or_else(|| page("redirect_uri"))?;
        let (Some("code"), Some(state)) = (request.query("response_type"), request.query("state")) else {
            return Err(page("response_type or state"));
        };
        let mut naver = self.state();
        if naver.consent == Consent::Deny {
            let denial = [("error", "access_denied"), ("error_description", "Canceled By User"), ("state", state)];
            return Err(Answer::redirect(with_query(&redirect_uri, &denial)));
        }
        let grant = Grant::of(request, &redirect_uri, Vec::new(), &naver.user);
        let code = naver.grants.add_code(grant).map_err(PeerError::from)?;
        Ok(Answer::redirect(with_query(&redirect_uri, &[("code", &code), ("state", state)])))
    }

    fn token(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let is_client = request.parameter("client_id").as_deref() == Some(&self.client.id)
            && request.parameter("client_secret").as_deref() == Some(&self.client.secret);
        if !is_client {
            return Err(refusal("invalid_client", "wrong client id / client secret pair"));
        }
        match request.parameter("grant_type").as_deref() {
            Some("authorization_code") => self.redeem(request),
            Some("refresh_token") => self.refresh(request),
            Some("delete") => self.delete(request),
            _ => Err(refusal("unsupported_grant_type", "grant_type is not supported")),
        }
    }

    fn redeem(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let mut naver = self.state();
        let code = request.parameter("code").unwrap_or_default();
        let unknown = || refusal("invalid_request", "no valid data in session");
        let grant = naver.grants.take_code(&code).ok_or_else(unknown)?;
        let refresh = naver.grants.add_refresh(grant.clone(), REFRESH_LIFETIME).map_err(PeerError::from)?;
        let mut answer = tokens(&mut naver, grant)?;
        answer["refresh_token"] = refresh.into();
        Ok(Answer::json(200, &answer))
    }

    fn refresh(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let mut naver = self.state();
        let token = request.parameter("refresh_token").unwrap_or_default();
        let unknown = || refusal("invalid_request", "wrong refresh token");
        let held = naver.grants.find_refresh(&token).ok_or_else(unknown)?;
        Ok(Answer::json(200, &tokens(&mut naver, held.grant)?))
    }

    /// Ends the link, with all of the person's tokens. Naver says success of a token that is not good, too.
    fn delete(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let token = request.parameter("access_token").ok_or_else(|| refusal("invalid_request", "access_token"))?;
        let mut naver = self.state();
        let id = naver.grants.find_access(&token).map(|held| held.grant.user["id"].clone());
        if let Some(id) = id {
            naver.grants.remove_user("id", &id);
        }
        Ok(Answer::json(200, &json!({"access_token": token, "result": "success"})))
    }

    fn me(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let naver = self.state();
        let held = request.credentials("Bearer").and_then(|token| naver.grants.find_access(token));
        match held {
            Some(held) => {
                Ok(Answer::json(200, &json!({"resultcode": "00", "message": "success", "response": held.grant.user})))
            }
            None => Err(Answer::json(401, &json!({"resultcode": "024", "message": "Authentication failed"}))),
        }
    }
}

/// The seconds are a string.
fn tokens(naver: &mut State, grant: Grant) -> Result<Value, PeerError> {
    Ok(json!({
        "access_token": naver.grants.add_access("AAAA", grant, ACCESS_LIFETIME)?,
        "token_type": "bearer",
        "expires_in": ACCESS_LIFETIME.to_string(),
    }))
}

/// Naver's refusals have the status of success.
fn refusal(error: &str, description: &str) -> Answer {
    Answer::json(200, &json!({"error": error, "error_description": description}))
}

fn somebody() -> Value {
    json!({
        "id": "mPh7gVVyTpN-8ydYV1vrF9sMrhSuLQHNEZ7wRYYhMf8",
        "nickname": "라인",
        "profile_image": "https://phinf.pstatic.test/contact/profile.png",
        "email": "line@naver.test",
        "mobile": "010-1234-5678",
        "mobile_e164": "+821012345678",
        "name": "이라인",
    })
}
