//! A client of the program, on a kept-alive connection where nothing else is said.

use std::time::Duration;

use reqwest::{
    ClientBuilder, Method, RequestBuilder,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use crate::support::{DEADLINE, comes_within};

/// A password that passes the default rule.
pub const PASSWORD: &str = "TestPass123!";
/// Longer than the program ever takes: a call that hangs fails its test.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client of one program.
#[derive(Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    headers: HeaderMap,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// JSON where it was, else the text.
    pub body: Value,
}

/// A person who has logged in.
#[derive(Clone, Debug)]
pub struct Person {
    pub access: String,
    pub refresh: String,
}

impl Client {
    pub fn new(port: u16) -> Self {
        Self::with(format!("http://127.0.0.1:{port}"), reqwest::Client::builder())
    }

    /// A client that reaches `base` in its own way.
    pub fn with(base: String, http: ClientBuilder) -> Self {
        let http = http.timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        Self { base, http: http.build().unwrap(), headers: HeaderMap::new() }
    }

    /// The same client, sending one more header with everything.
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        other
    }

    /// A request to fill in and send.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).headers(self.headers.clone())
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.try_post(path, body).await.unwrap()
    }

    /// Posts JSON; fails when no whole answer comes.
    pub async fn try_post(&self, path: &str, body: Value) -> reqwest::Result<Answer> {
        Answer::of(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn health(&self) -> Answer {
        self.get("/api/v1/health").await
    }

    /// Whether it answers that it is ready.
    pub async fn is_ready(&self) -> bool {
        Answer::of(self.request(Method::GET, "/api/v1/health/ready")).await.is_ok_and(|answer| answer.status == 200)
    }

    pub async fn try_register(&self, email: &str) -> reqwest::Result<Answer> {
        self.try_post("/api/v1/auth/register", json!({"email": email, "password": PASSWORD})).await
    }

    pub async fn register(&self, email: &str) -> Answer {
        self.try_register(email).await.unwrap()
    }

    pub async fn login(&self, email: &str) -> Answer {
        self.post("/api/v1/auth/login", json!({"email": email, "password": PASSWORD})).await
    }

    pub async fn try_refresh(&self, token: &str) -> reqwest::Result<Answer> {
        self.try_post("/api/v1/auth/refresh", json!({"refresh_token": token})).await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.try_refresh(token).await.unwrap()
    }

    pub async fn logout(&self, access: &str) -> Answer {
        self.bearing(access).post("/api/v1/auth/logout", json!({})).await
    }

    pub async fn me(&self, access: &str) -> Answer {
        self.bearing(access).get("/api/v1/users/me").await
    }

    /// The same client, with an access token.
    pub fn bearing(&self, access: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {access}"))
    }

    /// Registers a person and logs them in.
    pub async fn person(&self, email: &str) -> Person {
        let answer = self.register(email).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        self.log_in(email).await
    }

    /// The same, as soon as the program is ready for it.
    pub async fn log_in_when_ready(&self, email: &str) -> Person {
        assert!(comes_within(DEADLINE, async || self.is_ready().await).await, "it does not become ready");
        self.log_in(email).await
    }

    /// One more session of a person.
    pub async fn log_in(&self, email: &str) -> Person {
        let answer = self.login(email).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Person { access: answer.text("access_token"), refresh: answer.text("refresh_token") }
    }
}

impl Answer {
    /// Sends a request; fails when no whole answer comes.
    pub async fn of(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Self { status, headers, body })
    }

    /// A member of the body that is a text.
    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("{name} in {self:?}")).to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Asserts that this is the problem for "not now": 503, and when to come back.
    pub fn assert_unavailable(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert!(self.header("retry-after").parse::<u32>().is_ok(), "{self:?}");
    }
}
