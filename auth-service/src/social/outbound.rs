//! The one client for calls to providers: short, small, without redirects, and never to an address of our own network.

mod address;
mod error;
mod resolver;
#[cfg(test)]
mod tests;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::{Certificate, Client, RequestBuilder, Response, redirect::Policy};
use serde::de::DeserializeOwned;
use service_kit::{
    config::{Environment, is_loopback},
    redis::system_roots_pem,
};
use url::{Host, Url, form_urlencoded};

pub use error::OutboundError;
use resolver::Resolver;

/// The longest that a call may take, from the name's look-up to the last byte of the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer, bytes.
const LONGEST_ANSWER: usize = 1024 * 1024;
const USER_AGENT: &str = concat!("auth-system/", env!("CARGO_PKG_VERSION"));
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Those of the public Internet, by HTTPS.
    Public,
    /// This machine too, and without TLS if need be: providers that stand in for real ones.
    Loopback,
}

/// How a call proves whose it is.
#[derive(Clone, Copy)]
pub enum Authorization<'a> {
    /// Not at all.
    None,
    /// By an access token (RFC 6750 section 2.1).
    Bearer(&'a str),
    /// By a client's id and secret (RFC 6749 section 2.3.1).
    Basic {
        /// The client's id.
        id: &'a str,
        /// Its secret.
        secret: &'a str,
    },
    /// By a scheme of the provider's own, such as `KakaoAK`.
    Other {
        /// Its name.
        scheme: &'a str,
        /// What follows the name.
        credentials: &'a str,
    },
}

/// What a provider answered. The body may hold tokens, so `Debug` leaves it out.
#[derive(Clone)]
pub struct Answer {
    /// Its status; redirects are answers too, for none is followed.
    pub status: StatusCode,
    /// The type of its body, in lower case and without parameters.
    pub content_type: Option<String>,
    /// Its body.
    pub body: Bytes,
}

/// Calls providers; cheap to clone, and the clones share connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    reach: Reach,
}

impl Reach {
    /// What this environment allows.
    #[must_use]
    pub const fn of(environment: Environment) -> Self {
        match environment {
            Environment::Development | Environment::Test => Self::Loopback,
            Environment::Production => Self::Public,
        }
    }

    /// Whether a host at this address may be called.
    fn admits(self, address: IpAddr) -> bool {
        address::is_public(address) || (self == Self::Loopback && address::is_loopback(address))
    }
}

impl Answer {
    /// Whether the call succeeded.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Its body, read as JSON.
    ///
    /// # Errors
    /// [`OutboundError::Json`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, OutboundError> {
        serde_json::from_slice(&self.body).map_err(|cause| OutboundError::of_json(&cause))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Outbound {
    /// A client that trusts the system's roots and those of `extra_roots`, in PEM.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn open(reach: Reach, extra_roots: Option<&[u8]>) -> Result<Self, String> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(HeaderMap::from_iter([(header::ACCEPT, JSON)]))
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(Arc::new(Resolver::new(reach)));
        if let Some(extra) = extra_roots {
            let roots = Certificate::from_pem_bundle(extra).map_err(|cause| format!("SSL_CERT_FILE: {cause}"))?;
            // The variable that names more roots makes the verifier look nowhere else.
            let system = Certificate::from_pem_bundle(&system_roots_pem()).unwrap_or_default();
            builder = builder.tls_certs_merge(roots.into_iter().chain(system));
        }
        let subject = if extra_roots.is_some() { "SSL_CERT_FILE" } else { "TLS to providers" };
        let client = builder.build().map_err(|cause| format!("{subject}: {}", error::trace(&cause)))?;
        Ok(Self { client, reach })
    }

    /// Whether this URL may be called: HTTPS, or the machine itself where that is allowed; nobody's password in it; no
    /// address of a network of our own. What a name stands for is checked when it is called.
    ///
    /// # Errors
    /// [`OutboundError::Forbidden`].
    pub fn admit(&self, url: &Url) -> Result<(), OutboundError> {
        let name = url.host_str().unwrap_or_default();
        let forbidden = |reason| Err(OutboundError::Forbidden { host: name.to_owned(), reason });
        let is_near = self.reach == Reach::Loopback && is_loopback(name);
        let address = match url.host() {
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            None => return forbidden("its URL has no host"),
        };
        match url.scheme() {
            "https" => {}
            "http" if is_near => {}
            _ => return forbidden("only https is called"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return forbidden("its URL has a user or a password");
        }
        if address.is_some_and(|address| !self.reach.admits(address)) {
            return forbidden("its address is not public");
        }
        Ok(())
    }

    /// Asks for a document.
    ///
    /// # Errors
    /// [`OutboundError`] when there is no answer; one with the status of an error is an answer.
    pub async fn get(&self, url: &Url, authorization: &Authorization<'_>) -> Result<Answer, OutboundError> {
        self.send(url, self.client.get(url.clone()), authorization).await
    }

    /// Posts a form.
    ///
    /// # Errors
    /// [`OutboundError`] when there is no answer; one with the status of an error is an answer.
    pub async fn post_form(
        &self,
        url: &Url,
        fields: &[(&str, &str)],
        authorization: &Authorization<'_>,
    ) -> Result<Answer, OutboundError> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.post(url.clone()).header(header::CONTENT_TYPE, FORM).body(form);
        self.send(url, request, authorization).await
    }

    async fn send(
        &self,
        url: &Url,
        request: RequestBuilder,
        authorization: &Authorization<'_>,
    ) -> Result<Answer, OutboundError> {
        self.admit(url)?;
        let host = url.host_str().unwrap_or_default();
        let request = match authorization.header(host)? {
            Some(value) => request.header(header::AUTHORIZATION, value),
            None => request,
        };
        let response = request.send().await.map_err(|cause| OutboundError::of_call(host, &cause))?;
        let status = response.status();
        let content_type = content_type(response.headers());
        Ok(Answer { status, content_type, body: read_body(host, response).await? })
    }
}

impl Authorization<'_> {
    fn header(&self, host: &str) -> Result<Option<HeaderValue>, OutboundError> {
        let text = match self {
            Self::None => return Ok(None),
            Self::Bearer(token) => format!("Bearer {token}"),
            Self::Basic { id, secret } => {
                let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                format!("Basic {}", BASE64.encode(format!("{}:{}", encode(id), encode(secret)).as_bytes()))
            }
            Self::Other { scheme, credentials } => format!("{scheme} {credentials}"),
        };
        let mut value =
            HeaderValue::try_from(text).map_err(|_| OutboundError::Credentials { host: host.to_owned() })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// The body, counted while it is read: its announced length may be a lie, or missing.
async fn read_body(host: &str, mut response: Response) -> Result<Bytes, OutboundError> {
    let mut body = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(|cause| OutboundError::of_call(host, &cause))? {
        if body.len() + piece.len() > LONGEST_ANSWER {
            return Err(OutboundError::TooLong { host: host.to_owned() });
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}
