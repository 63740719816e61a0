//! Kakao's login: the person's consent, tokens, and OpenID Connect.

use serde_json::{Value, json};

use super::super::grants::{Consent, Grant};
use super::super::message::{Answer, HttpRequest, with_query};
use super::{Shared, State};
use crate::PeerError;

const ACCESS_LIFETIME: i64 = 21_599;
const REFRESH_LIFETIME: i64 = 5_184_000;
/// A refresh token that ends before this many seconds have passed is replaced.
const MONTH: i64 = 30 * 86_400;

impl Shared {
    pub(super) fn discovery(&self) -> Answer {
        let at = |path: &str| format!("{}{path}", self.url);
        Answer::json(
            200,
            &json!({
                "issuer": self.url,
                "authorization_endpoint": at("/oauth/authorize"),
                "token_endpoint": at("/oauth/token"),
                "userinfo_endpoint": at("/v1/oidc/userinfo"),
                "jwks_uri": at("/.well-known/jwks.json"),
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "request_uri_parameter_supported": false,
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "claims_supported": ["iss", "aud", "sub", "auth_time", "exp", "iat", "nonce", "nickname", "picture", "email"],
            }),
        )
    }

    pub(super) fn authorize(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        // What is wrong with the app is told to the person, not to the service.
        if request.query("client_id") != Some(&self.client.id) {
            return Err(page("KOE101", "invalid_client"));
        }
        let redirect_uri = self.client.redirect_uri(request).ok_or_else(|| page("KOE006", "invalid_request"))?;
        if request.query("response_type") != Some("code") {
            return Err(page("KOE201", "invalid_request"));
        }
        let state = request.query("state").map(|state| ("state", state));
        let back = |parameters: &[(&str, &str)]| {
            let parameters: Vec<_> = parameters.iter().copied().chain(state).collect();
            Answer::redirect(with_query(&redirect_uri, &parameters))
        };
        let mut kakao = self.state();
        let scopes = match request.query("scope") {
            Some(scopes) => scopes.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            None => kakao.scopes.clone(),
        };
        if let Some(scope) = scopes.iter().find(|scope| !kakao.scopes.contains(scope)) {
            let description = format!("KOE205: invalid scope, not enabled: {scope}");
            return Err(back(&[("error", "invalid_scope"), ("error_description", &description)]));
        }
        if kakao.consent == Consent::Deny {
            return Err(back(&[("error", "access_denied"), ("error_description", "User denied access")]));
        }
        let grant = Grant::of(request, &redirect_uri, scopes, &kakao.user);
        let code = kakao.grants.add_code(grant).map_err(PeerError::from)?;
        Ok(back(&[("code", &code)]))
    }

    pub(super) fn token(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        if request.form("client_id").as_deref() != Some(&self.client.id) {
            return Err(refusal(401, "invalid_client", "Not exist client_id", "KOE101"));
        }
        if request.form("client_secret").as_deref() != Some(&self.client.secret) {
            return Err(refusal(401, "invalid_client", "Bad client credentials", "KOE010"));
        }
        match request.form("grant_type").as_deref() {
            Some("authorization_code") => self.redeem(request),
            Some("refresh_token") => self.refresh(request),
            _ => Err(refusal(400, "invalid_request", "unsupported grant_type", "KOE203")),
        }
    }

    fn redeem(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let mut kakao = self.state();
        let code = request.form("code").unwrap_or_default();
        let unknown =
            || refusal(400, "invalid_grant", &format!("authorization code not found for code={code}"), "KOE320");
        let grant = kakao.grants.take_code(&code).ok_or_else(unknown)?;
        if request.form("redirect_uri").as_deref() != Some(&grant.redirect_uri) {
            return Err(refusal(400, "invalid_grant", "Redirect URI mismatch.", "KOE303"));
        }
        if !grant.is_proven_by(request.form("code_verifier").as_deref()) {
            return Err(refusal(400, "invalid_grant", "code_verifier mismatch", "KOE320"));
        }
        let refresh = kakao.grants.add_refresh(grant.clone(), REFRESH_LIFETIME).map_err(PeerError::from)?;
        let mut answer = self.tokens(&mut kakao, &grant)?;
        answer["refresh_token"] = refresh.into();
        answer["refresh_token_expires_in"] = REFRESH_LIFETIME.into();
        Ok(Answer::json(200, &answer))
    }

    fn refresh(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let mut kakao = self.state();
        let token = request.form("refresh_token").unwrap_or_default();
        let unknown = || refusal(400, "invalid_grant", "expired_or_invalid_refresh_token", "KOE322");
        let held = kakao.grants.find_refresh(&token).ok_or_else(unknown)?;
        let mut answer = self.tokens(&mut kakao, &held.grant)?;
        if held.expires - kakao.grants.now() < MONTH {
            kakao.grants.remove_refresh(&token);
            let refresh = kakao.grants.add_refresh(held.grant, REFRESH_LIFETIME).map_err(PeerError::from)?;
            answer["refresh_token"] = refresh.into();
            answer["refresh_token_expires_in"] = REFRESH_LIFETIME.into();
        }
        Ok(Answer::json(200, &answer))
    }

    fn tokens(&self, kakao: &mut State, grant: &Grant) -> Result<Value, PeerError> {
        let mut answer = json!({
            "access_token": kakao.grants.add_access("", grant.clone(), ACCESS_LIFETIME)?,
            "token_type": "bearer",
            "expires_in": ACCESS_LIFETIME,
            "scope": grant.scopes.join(" "),
        });
        if grant.has_scope("openid") {
            answer["id_token"] = self.id_token(kakao, grant)?.into();
        }
        Ok(answer)
    }

    /// There is an address in it, and not a word on whether it is verified.
    fn id_token(&self, kakao: &mut State, grant: &Grant) -> Result<String, PeerError> {
        let now = kakao.grants.now();
        let account = &grant.user["kakao_account"];
        kakao.keys.sign_id_token(json!({
            "iss": self.url,
            "aud": self.client.id,
            "sub": grant.user["id"].to_string(),
            "iat": now,
            "auth_time": now,
            "exp": now + ACCESS_LIFETIME,
            "nonce": grant.nonce,
            "nickname": account["profile"]["nickname"],
            "picture": account["profile"]["thumbnail_image_url"],
            "email": account["email"],
        }))
    }
}

fn page(code: &str, error: &str) -> Answer {
    Answer::html(400, format!("<!doctype html><title>Kakao</title><p>{error} ({code})</p>"))
}

fn refusal(status: u16, error: &str, description: &str, code: &str) -> Answer {
    Answer::json(status, &json!({"error": error, "error_description": description, "error_code": code}))
}
