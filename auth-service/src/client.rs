//! Who is at the other end of a request, before anybody has proven anything.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
};

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use service_kit::{language::Language, proxies::ClientAddr, request_id::RequestId};

/// Longest `User-Agent` that is kept, in characters.
const MAX_USER_AGENT: usize = 500;

/// What a request says of its client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its address, behind the proxies that are trusted.
    pub ip: IpAddr,
    /// Set when an undeclared proxy stands between: then `ip` is what that proxy claims, and this is the proxy.
    pub undeclared_proxy: Option<IpAddr>,
    /// Its own words, cut to 500 characters.
    pub user_agent: Option<String>,
    /// The request's id.
    pub request_id: String,
    /// The language its user reads.
    pub language: Language,
}

impl Client {
    /// Its address, and by whose word.
    #[must_use]
    pub fn addr(&self) -> ClientAddr {
        ClientAddr { ip: self.ip, undeclared_proxy: self.undeclared_proxy }
    }

    /// Browser and system in its own words, as far as they are known: never the words themselves.
    #[must_use]
    pub fn device(&self) -> Option<String> {
        let (browser, os) = browser_and_os(self.user_agent.as_deref());
        let known: Vec<String> = [browser, os].into_iter().flatten().collect();
        (!known.is_empty()).then(|| known.join(", "))
    }
}

/// The browser and the operating system that a `User-Agent` names, as far as they are known.
#[must_use]
pub fn browser_and_os(user_agent: Option<&str>) -> (Option<String>, Option<String>) {
    let agent = user_agent.and_then(|text| woothee::parser::Parser::new().parse(text));
    let known = |name: &str| (name != "UNKNOWN").then(|| name.to_owned());
    (agent.as_ref().and_then(|agent| known(agent.name)), agent.as_ref().and_then(|agent| known(agent.os)))
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let addr = parts.extensions.get::<ClientAddr>();
        let user_agent = parts.headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
        Ok(Self {
            ip: addr.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |addr| addr.ip),
            undeclared_proxy: addr.and_then(|addr| addr.undeclared_proxy),
            user_agent: user_agent.map(|text| text.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT).collect()),
            request_id: parts.extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default(),
            language: Language::of(&parts.headers),
        })
    }
}
