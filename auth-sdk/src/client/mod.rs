//! A typed client of the Auth API.
//!
//! [`Client`] is the way to the API, made once; [`Client::on_behalf_of`] gives the calls as somebody makes them.

mod access;
mod audit;
mod console;
mod people;
mod system;

pub use access::Force;
pub use audit::{AuditCopy, AuditFormat};
pub use console::ConsoleEntry;
pub use people::UserAct;

use std::{
    net::IpAddr,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::Problem;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The largest answer that is read, bytes: a page of 100 rows is far smaller.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// How the API is reached.
#[derive(Clone, Debug, Default)]
pub struct ClientConfig {
    /// Where instances of it listen; the next is tried where one cannot be connected to.
    pub bases: Vec<Url>,
    /// What the program is known to the API by, if it is (`ADMIN_CLIENT_SECRET`).
    pub client_secret: Option<String>,
    /// The `Host` to ask for, where the API answers only to its public names.
    pub host: Option<String>,
    /// More roots for TLS, in PEM.
    pub extra_roots: Option<Vec<u8>>,
    /// The longest wait for an answer.
    pub timeout: Duration,
}

/// The way to the API; cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    bases: Vec<Url>,
    /// The base that answered last.
    last: AtomicUsize,
}

/// Who calls, and for whom.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// An access token, an API key, or a credential of the console.
    pub credential: Option<String>,
    /// The address of the person, which the API believes of the console.
    pub address: Option<IpAddr>,
    /// The person's `User-Agent`.
    pub user_agent: Option<String>,
    /// What the person's device is known by, at a login.
    pub device_token: Option<String>,
    /// `ko` or `en`: the language of details.
    pub language: Option<&'static str>,
    /// The request that this call is made for, so that the logs can be read together.
    pub request_id: Option<String>,
}

/// The calls of the API, as one caller makes them.
#[derive(Clone)]
pub struct Api {
    client: Client,
    headers: HeaderMap,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The API refused.
    #[error("{} {}: {}", .0.status, .0.code, .0.detail)]
    Refused(Box<Problem>),
    /// It cannot be reached, or was too slow.
    #[error("the Auth API cannot be reached: {0}")]
    Unreachable(String),
    /// What came is no answer of the API.
    #[error("the answer is not one of the Auth API: {0}")]
    Unexpected(String),
}

impl ClientError {
    /// The stable name of the API's error; empty where it is not the API's.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(problem) => &problem.code,
            Self::Unreachable(_) | Self::Unexpected(_) => "",
        }
    }
}

impl Client {
    /// A client.
    ///
    /// # Errors
    /// One sentence, when the configuration cannot be used.
    pub fn new(config: &ClientConfig) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        if let Some(secret) = &config.client_secret {
            let mut value = HeaderValue::from_str(secret).map_err(|_| "the client secret is no header value")?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-client-secret"), value);
        }
        if let Some(host) = &config.host {
            let value = HeaderValue::from_str(host).map_err(|_| format!("{host} is no host"))?;
            headers.insert(reqwest::header::HOST, value);
        }
        let builder = reqwest::Client::builder().default_headers(headers).connect_timeout(CONNECT_TIMEOUT);
        let mut builder = builder.timeout(config.timeout).redirect(reqwest::redirect::Policy::none()).no_proxy();
        for root in config.extra_roots.iter().flat_map(|pem| reqwest::Certificate::from_pem_bundle(pem)).flatten() {
            builder = builder.add_root_certificate(root);
        }
        let http = builder.build().map_err(|cause| cause.to_string())?;
        if config.bases.is_empty() {
            return Err("no address of the Auth API is known".to_owned());
        }
        Ok(Self(Arc::new(Inner { http, bases: config.bases.clone(), last: AtomicUsize::new(0) })))
    }

    /// The calls as this caller makes them.
    #[must_use]
    pub fn on_behalf_of(&self, caller: &Caller) -> Api {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: Option<String>| {
            // What a browser sent and no header can hold is left out.
            if let Some(Ok(value)) = value.map(|text| HeaderValue::from_str(&text)) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        put("authorization", caller.credential.as_ref().map(|credential| format!("Bearer {credential}")));
        put("x-client-address", caller.address.map(|address| address.to_string()));
        put("user-agent", caller.user_agent.clone());
        put("x-device-token", caller.device_token.clone());
        put("accept-language", caller.language.map(str::to_owned));
        put("x-request-id", caller.request_id.clone());
        Api { client: self.clone(), headers }
    }

    /// Sends to the instance that answered last, and to the others where that cannot be connected to: nothing was sent
    /// then, so that any call may be made again.
    async fn send(
        &self,
        method: &Method,
        path: &str,
        finish: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, ClientError> {
        let Inner { http, bases, last } = &*self.0;
        let first = last.load(Ordering::Relaxed);
        let mut failure = String::new();
        for number in (0..bases.len()).map(|offset| (first + offset) % bases.len()) {
            let url = bases[number].join(path).map_err(|cause| ClientError::Unexpected(cause.to_string()))?;
            match finish(http.request(method.clone(), url)).send().await {
                Ok(response) => {
                    last.store(number, Ordering::Relaxed);
                    return Ok(response);
                }
                Err(cause) if cause.is_connect() => failure = explain(&cause),
                Err(cause) => return Err(ClientError::Unreachable(explain(&cause))),
            }
        }
        Err(ClientError::Unreachable(failure))
    }
}

impl Api {
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, None::<&()>).await
    }

    async fn query<T: DeserializeOwned>(
        &self,
        path: &str,
        (query, page): (&impl Serialize, &impl Serialize),
    ) -> Result<T, ClientError> {
        let finish = |request: RequestBuilder| request.headers(self.headers.clone()).query(query).query(page);
        read(self.client.send(&Method::GET, path, finish).await?).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// A call whose answer says nothing but that it was done.
    async fn act(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<(), ClientError> {
        self.answer(method, path, body).await.map(drop)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ClientError> {
        read(self.answer(method, path, body).await?).await
    }

    async fn answer(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> Result<Response, ClientError> {
        let finish = |request: RequestBuilder| {
            let request = request.headers(self.headers.clone());
            if let Some(body) = body { request.json(body) } else { request }
        };
        admit(self.client.send(&method, path, finish).await?).await
    }
}

/// Passes what was not refused.
async fn admit(response: Response) -> Result<Response, ClientError> {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let bytes = bounded(response).await?;
        return Err(match serde_json::from_slice(&bytes) {
            Ok(problem) => ClientError::Refused(Box::new(problem)),
            Err(_) => ClientError::Unexpected(format!("{status} without a problem")),
        });
    }
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        return Err(ClientError::Unexpected(format!("{status}")));
    }
    Ok(response)
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ClientError> {
    let bytes = bounded(admit(response).await?).await?;
    serde_json::from_slice(&bytes).map_err(|cause| ClientError::Unexpected(cause.to_string()))
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, ClientError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|cause| ClientError::Unreachable(explain(&cause)))? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(ClientError::Unexpected(format!("more than {MAX_ANSWER} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// An error with its causes, without the address, which may hold what was searched for.
fn explain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        let separator = if text.is_empty() { "" } else { ": " };
        text = format!("{text}{separator}{error}");
        cause = error.source();
    }
    if text.is_empty() && error.is_timeout() { "it was too slow".to_owned() } else { text }
}
