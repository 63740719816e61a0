//! GitHub's login for OAuth apps: <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::grants::{Consent, Grant, Grants, Held, RegisteredClient};
use super::message::{Answer, HttpRequest, with_query};
use super::server::{Place, StandIn};
use crate::PeerError;

/// Tokens of OAuth apps do not end by themselves.
const FOREVER: i64 = 100 * 365 * 86_400;

/// GitHub's servers for login and for the API, at one address.
pub struct GitHub {
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

impl GitHub {
    /// Starts it with one OAuth app.
    ///
    /// # Errors
    /// [`PeerError`] if no port is free.
    pub fn start(client: RegisteredClient) -> Result<Self, PeerError> {
        let place = Place::find()?;
        let state = State { user: Value::Null, consent: Consent::default(), grants: Grants::default() };
        let shared = Arc::new(Shared { client, state: Mutex::new(state) });
        let answerer = Arc::clone(&shared);
        let github = Self { server: StandIn::start(place, move |request| answerer.answer(request)), shared };
        github.sign_in(
            json!({"id": 583_231, "login": "octocat", "name": "The Octocat", "email": null,
                "avatar_url": "https://avatars.github.test/u/583231"}),
            json!([
                {"email": "octocat@github.test", "primary": true, "verified": true, "visibility": "private"},
                {"email": "583231+octocat@users.noreply.github.test", "primary": false, "verified": true, "visibility": null},
            ]),
        );
        Ok(github)
    }

    /// Puts another person at the browser: what `/user` says of them, and the list of `/user/emails`.
    pub fn sign_in(&self, user: Value, emails: Value) {
        self.shared.state().user = json!({"id": user["id"], "user": user, "emails": emails});
    }

    /// Decides what the person does with the question that comes next, and after.
    pub fn set_consent(&self, consent: Consent) {
        self.shared.state().consent = consent;
    }
}

impl Deref for GitHub {
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
        let grant_path = format!("/applications/{}/grant", self.client.id);
        let answer = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/login/oauth/authorize") => self.authorize(request),
            ("POST", "/login/oauth/access_token") => self.token(request).map_err(|refusal| encoded(request, &refusal)),
            ("GET", "/user") => self.bearer(request).map(|held| Answer::json(200, &held.grant.user["user"])),
            ("GET", "/user/emails") => self.emails(request),
            ("DELETE", path) if path == grant_path => self.delete(request),
            _ => Err(not_found()),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn authorize(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        if request.query("client_id") != Some(&self.client.id) {
            return Err(Answer::html(404, "<!doctype html><title>Page not found</title>".into()));
        }
        let registered = self.client.redirect_uris.first().map_or("", String::as_str);
        let state = request.query("state").map(|state| ("state", state));
        let back = |redirect_uri: &str, parameters: &[(&str, &str)]| {
            let parameters: Vec<_> = parameters.iter().copied().chain(state).collect();
            Answer::redirect(with_query(redirect_uri, &parameters))
        };
        // Without one, and after a wrong one, the person goes to the app's own.
        let redirect_uri = match request.query("redirect_uri") {
            None => registered.to_owned(),
            Some(_) => self.client.redirect_uri(request).ok_or_else(|| {
                let description = "The redirect_uri MUST match the registered callback URL for this application.";
                back(registered, &[("error", "redirect_uri_mismatch"), ("error_description", description)])
            })?,
        };
        let mut github = self.state();
        if github.consent == Consent::Deny {
            let description = "The user has denied your application access.";
            return Err(back(&redirect_uri, &[("error", "access_denied"), ("error_description", description)]));
        }
        let scopes = request.query("scope").unwrap_or_default().split([' ', ',']);
        let scopes = scopes.filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let grant = Grant::of(request, &redirect_uri, scopes, &github.user);
        let code = github.grants.add_code(grant).map_err(PeerError::from)?;
        // RFC 9207: not the address of its pages, but that of its login.
        let iss = format!("http://{}/login/oauth", request.header("host").unwrap_or_default());
        Ok(back(&redirect_uri, &[("code", &code), ("iss", &iss)]))
    }

    /// Its refusals are members of an answer of success.
    fn token(&self, request: &HttpRequest) -> Result<Answer, Value> {
        let is_client = request.form("client_id").as_deref() == Some(&self.client.id)
            && request.form("client_secret").as_deref() == Some(&self.client.secret);
        if !is_client {
            let description = "The client_id and/or client_secret passed are incorrect.";
            return Err(refusal("incorrect_client_credentials", description));
        }
        let mut github = self.state();
        let code = request.form("code").unwrap_or_default();
        let bad_code = || refusal("bad_verification_code", "The code passed is incorrect or expired.");
        let grant = github.grants.take_code(&code).ok_or_else(bad_code)?;
        if request.form("redirect_uri").is_some_and(|redirect_uri| redirect_uri != grant.redirect_uri) {
            let description = "The redirect_uri MUST match the registered callback URL for this application.";
            return Err(refusal("redirect_uri_mismatch", description));
        }
        if !grant.is_proven_by(request.form("code_verifier").as_deref()) {
            return Err(bad_code());
        }
        let scope = grant.scopes.join(",");
        let token = github.grants.add_access("gho_", grant, FOREVER);
        let token = token.map_err(|_| refusal("server_error", "no randomness"))?;
        Ok(encoded(request, &json!({"access_token": token, "scope": scope, "token_type": "bearer"})))
    }

    fn emails(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let held = self.bearer(request)?;
        let may_read = held.grant.has_scope("user:email") || held.grant.has_scope("user");
        if may_read { Ok(Answer::json(200, &held.grant.user["emails"])) } else { Err(not_found()) }
    }

    /// The app ends all that a person has granted to it.
    fn delete(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let credentials = BASE64.encode(format!("{}:{}", self.client.id, self.client.secret).as_bytes());
        if request.credentials("Basic") != Some(&credentials) {
            return Err(not_found());
        }
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let mut github = self.state();
        let held = body["access_token"].as_str().and_then(|token| github.grants.find_access(token)).cloned();
        let held = held.ok_or_else(|| Answer::json(422, &json!({"message": "Validation Failed"})))?;
        github.grants.remove_user("id", &held.grant.user["id"]);
        Ok(Answer::text(204, "application/json", String::new()))
    }

    fn bearer(&self, request: &HttpRequest) -> Result<Held, Answer> {
        if request.header("user-agent").is_none() {
            let text =
                "Request forbidden by administrative rules. Please make sure your request has a User-Agent header";
            return Err(Answer::text(403, "text/html", text.to_owned()));
        }
        let github = self.state();
        let token = request.credentials("Bearer").or_else(|| request.credentials("token"));
        let held = token.and_then(|token| github.grants.find_access(token)).cloned();
        held.ok_or_else(|| Answer::json(401, &json!({"message": "Bad credentials", "status": "401"})))
    }
}

/// An answer of the token endpoint: JSON for whoever asks for that, else a form.
fn encoded(request: &HttpRequest, answer: &Value) -> Answer {
    if request.header("accept").is_some_and(|accept| accept.contains("application/json")) {
        return Answer::json(200, answer);
    }
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in answer.as_object().into_iter().flatten() {
        form.append_pair(name, value.as_str().unwrap_or_default());
    }
    Answer::text(200, "application/x-www-form-urlencoded; charset=utf-8", form.finish())
}

fn refusal(error: &str, description: &str) -> Value {
    json!({"error": error, "error_description": description, "error_uri": "https://docs.github.test/"})
}

fn not_found() -> Answer {
    Answer::json(404, &json!({"message": "Not Found", "status": "404"}))
}
