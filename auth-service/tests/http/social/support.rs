//! A service with providers, an app, and a person at a browser.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use test_peers::{Kakao, Naver, RegisteredClient, Reply, Visitor, free_port};

use crate::{
    mailbox::IN_TIME,
    support::{Answer, Deployment, Engine, Instance},
    waiting::until,
};

/// Where the app is told codes; nothing listens there, for tests look at the redirect itself.
pub const APP: &str = "https://app.example.com/callback";
/// RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A service that knows some providers, and one instance of it.
pub struct World {
    pub deployment: Deployment,
    pub api: Instance,
    /// What browsers find the instance by.
    pub base: String,
    pub kakao: Kakao,
    pub naver: Naver,
    /// An issuer known by its documents alone: Kakao speaks OpenID Connect too.
    pub acme: Kakao,
}

impl World {
    pub async fn new(engine: Engine) -> Self {
        Self::with(engine, &[]).await
    }

    /// The same with more variables.
    pub async fn with(engine: Engine, variables: &[(&str, &str)]) -> Self {
        Self::on(Deployment::new(engine), variables).await
    }

    /// The same on a deployment of the test's own.
    pub async fn on(deployment: Deployment, variables: &[(&str, &str)]) -> Self {
        Self::at(free_port().unwrap(), deployment, variables).await
    }

    /// The same at a port of the test's own, which more providers know.
    pub async fn at(port: u16, deployment: Deployment, variables: &[(&str, &str)]) -> Self {
        let base = format!("http://127.0.0.1:{port}");
        let client = |name: &str| client(port, name);
        let deployment = deployment.set("PUBLIC_URL", &base).set("OAUTH_REDIRECT_URIS", APP);
        let now = deployment.clock.now().as_second();
        let (kakao, naver) = (Kakao::start(client("kakao")).unwrap(), Naver::start(client("naver")).unwrap());
        let acme = Kakao::start(client("acme")).unwrap();
        kakao.set_now(now);
        naver.set_now(now);
        acme.set_now(now);
        let deployment = [
            ("KAKAO_CLIENT_ID", "kakao-client"),
            ("KAKAO_CLIENT_SECRET", "kakao-secret"),
            ("KAKAO_AUTH_URL", &kakao.url()),
            ("KAKAO_API_URL", &kakao.url()),
            ("KAKAO_ADMIN_KEY", kakao.admin_key()),
            ("NAVER_CLIENT_ID", "naver-client"),
            ("NAVER_CLIENT_SECRET", "naver-secret"),
            ("NAVER_AUTH_URL", &naver.url()),
            ("NAVER_API_URL", &naver.url()),
            ("OIDC_ACME_ISSUER", &acme.url()),
            ("OIDC_ACME_CLIENT_ID", "acme-client"),
            ("OIDC_ACME_CLIENT_SECRET", "acme-secret"),
            ("OIDC_ACME_SCOPES", "openid account_email"),
        ]
        .into_iter()
        .chain(variables.iter().copied())
        .fold(deployment, |deployment, (name, value)| deployment.set(name, value));
        let api = deployment.start_on(port).await;
        Self { deployment, api, base, kakao, naver, acme }
    }

    /// Moves everybody's clock.
    pub fn advance(&self, by: Duration) {
        self.deployment.clock.advance(by);
        let now = self.deployment.clock.now().as_second();
        self.kakao.set_now(now);
        self.naver.set_now(now);
        self.acme.set_now(now);
    }

    /// The address at which a login at a provider begins.
    pub fn authorize_url(&self, provider: &str) -> String {
        let query = [
            ("redirect_uri", APP),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "app-state"),
        ];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        format!("{}/api/v1/oauth/{provider}/authorize?{query}", self.base)
    }

    /// Goes through a provider in this browser, until the app is told something.
    pub async fn go(&self, browser: Visitor, url: &str) -> (Visitor, Reply) {
        let (browser, reply) = self.go_until(browser, url, APP).await;
        assert!(reply.location().unwrap_or_default().starts_with(APP), "{reply:?}");
        (browser, reply)
    }

    /// Follows redirects until one goes to an address that begins so, or there is none.
    pub async fn go_until(&self, mut browser: Visitor, url: &str, end: &str) -> (Visitor, Reply) {
        let (mut next, end) = (url.to_owned(), end.to_owned());
        tokio::task::spawn_blocking(move || {
            loop {
                let reply = browser.get(&next).unwrap();
                match reply.location() {
                    Some(location) if !location.starts_with(&end) => next = location,
                    Some(_) | None => return (browser, reply),
                }
            }
        })
        .await
        .unwrap()
    }

    /// Logs in through a provider with a fresh browser; gives the app's code.
    pub async fn code(&self, provider: &str) -> String {
        let (_, reply) = self.go(Visitor::default(), &self.authorize_url(provider)).await;
        assert_eq!(reply.location_query("state").as_deref(), Some("app-state"), "{reply:?}");
        reply.location_query("code").unwrap_or_else(|| panic!("{reply:?}"))
    }

    /// Exchanges a code as the app does.
    pub async fn exchange(&self, code: &str) -> Answer {
        self.api.post("/api/v1/oauth/exchange", json!({"code": code, "code_verifier": VERIFIER})).await
    }

    /// Logs in through a provider, all the way.
    pub async fn log_in(&self, provider: &str) -> Answer {
        let code = self.code(provider).await;
        self.exchange(&code).await
    }

    /// Begins to link a provider to the account of an access token.
    pub async fn start_link(&self, access: &str, provider: &str) -> Answer {
        let wish = json!({"redirect_uri": APP, "code_challenge": CHALLENGE, "state": "app-state"});
        self.api.bearing(access).post(&format!("/api/v1/users/me/identities/{provider}"), wish).await
    }

    /// Links the person at a provider to that account, all the way.
    pub async fn link(&self, access: &str, provider: &str) -> Answer {
        let started = self.start_link(access, provider).await;
        let (_, reply) = self.go(Visitor::default(), &started.text("authorization_url")).await;
        self.exchange(&reply.location_query("code").unwrap_or_else(|| panic!("{reply:?}"))).await
    }

    /// Takes a provider from that account.
    pub async fn unlink(&self, access: &str, provider: &str) -> Answer {
        self.api.bearing(access).delete(&format!("/api/v1/users/me/identities/{provider}")).await
    }

    /// `GET /users/me` with the tokens of an answer.
    pub async fn me(&self, answer: &Answer) -> Value {
        let me = self.api.me(&answer.text("access_token")).await;
        assert_eq!(me.status, 200, "{me:?}");
        me.body
    }

    /// The caller's identities.
    pub async fn identities(&self, access: &str) -> Vec<Value> {
        let answer = self.api.bearing(access).get("/api/v1/users/me/identities").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["items"].as_array().unwrap().clone()
    }
}

impl Deployment {
    /// Waits until somebody waits for a lock of PostgreSQL's, or it `is_over` without.
    pub async fn waits_for_a_lock(&self, is_over: impl Fn() -> bool) {
        let waiting =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until("somebody waits", IN_TIME, async || is_over() || self.number(waiting).await > 0).await;
    }
}

/// What a provider of this name knows of the service at a port.
pub fn client(port: u16, name: &str) -> RegisteredClient {
    let (id, secret) = (format!("{name}-client"), format!("{name}-secret"));
    RegisteredClient::new(&id, &secret, &[&format!("http://127.0.0.1:{port}/api/v1/oauth/{name}/callback")])
}

/// The challenge of a verifier (RFC 7636 section 4.2).
pub fn challenge_of(verifier: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    BASE64URL_NOPAD.encode(digest.as_ref())
}

/// A person at Kakao with an address.
pub fn at_kakao(id: u64, email: &str) -> Value {
    json!({
        "id": id,
        "kakao_account": {
            "email": email, "is_email_valid": true, "is_email_verified": true,
            "profile": {"nickname": "라이언"},
        },
    })
}
