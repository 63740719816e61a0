//! Where a browser may be sent with a code: exactly what the operator listed, and nothing that merely looks like it.

use std::{fmt, str::FromStr};

use service_kit::config::{Environment, is_loopback};
use url::Url;

/// Addresses of apps that may be sent codes.
#[derive(Clone, Debug, Default)]
pub struct RedirectUris {
    listed: Vec<ListedUri>,
    takes_loopback: bool,
}

/// One of `OAUTH_REDIRECT_URIS`, as it was written.
#[derive(Clone, Debug)]
pub struct ListedUri(String);

/// An address that was admitted.
#[derive(Clone, Debug)]
pub struct RedirectUri(Url);

impl FromStr for ListedUri {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| "write absolute addresses: https://app.example.com/callback")?;
        if text.contains('*') {
            return Err("wildcards are not supported: list every address");
        }
        if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err("an address may have no fragment and no user");
        }
        match url.scheme() {
            "https" => Ok(Self(text.to_owned())),
            // RFC 8252 section 7.3.
            "http" if url.host_str().is_some_and(is_loopback) => Ok(Self(text.to_owned())),
            "http" => Err("http:// is for loopback alone; use https://"),
            // A scheme of an app's own is a domain backwards (RFC 8252 section 7.1): `javascript` and `data` are none.
            scheme if scheme.contains('.') => Ok(Self(text.to_owned())),
            _ => Err("use https://, http:// on loopback, or an app's own scheme such as com.example.app:/callback"),
        }
    }
}

impl RedirectUris {
    /// What the operator listed; in development any port of loopback too (RFC 8252 section 7.3).
    #[must_use]
    pub const fn new(listed: Vec<ListedUri>, environment: Environment) -> Self {
        Self { listed, takes_loopback: matches!(environment, Environment::Development) }
    }

    /// Whether nothing can be admitted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.listed.is_empty() && !self.takes_loopback
    }

    /// What the operator listed, as it was written.
    pub fn listed(&self) -> impl Iterator<Item = &str> {
        self.listed.iter().map(|listed| listed.0.as_str())
    }

    /// The address, if codes may go there. Compared as text (RFC 9700 section 2.1): no two readers can then differ.
    #[must_use]
    pub fn admit(&self, text: &str) -> Option<RedirectUri> {
        let url = Url::parse(text).ok()?;
        let is_listed = self.listed.iter().any(|listed| listed.0 == text);
        (is_listed || self.takes_loopback && is_plain_loopback(&url)).then_some(RedirectUri(url))
    }
}

impl RedirectUri {
    /// From what was admitted before and stored.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        Url::parse(text).ok().map(Self)
    }

    /// The address with these parameters added to its own.
    #[must_use]
    pub fn with<'a>(&self, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let mut url = self.0.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url.into()
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

fn is_plain_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && url.host_str().is_some_and(is_loopback)
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uris(listed: &[&str], environment: Environment) -> RedirectUris {
        RedirectUris::new(listed.iter().map(|text| text.parse().unwrap()).collect(), environment)
    }

    #[test]
    fn only_what_is_listed_is_admitted_in_no_other_spelling() {
        let uris = uris(&["https://app.example.com/callback"], Environment::Production);
        assert!(uris.admit("https://app.example.com/callback").is_some());
        for other in [
            "https://app.example.com/callback/",
            "https://app.example.com/callback?x=1",
            "https://app.example.com/callback#x",
            "https://app.example.com:443/callback",
            "https://APP.example.com/callback",
            "https://app.example.com/./callback",
            "https://app.example.com/a/../callback",
            "https://app.example.com/%63allback",
            "https://app.example.com.evil.example/callback",
            "https://app.example.com@evil.example/callback",
            "https://evil.example/https://app.example.com/callback",
            "https:app.example.com/callback",
            "https:\\\\app.example.com/callback",
            "//app.example.com/callback",
            " https://app.example.com/callback",
            "http://app.example.com/callback",
            "javascript:alert(1)",
            "http://127.0.0.1/callback",
            "",
        ] {
            assert!(uris.admit(other).is_none(), "{other}");
        }
    }

    #[test]
    fn development_takes_any_port_of_loopback_and_no_lookalike() {
        let uris = uris(&[], Environment::Development);
        for own in ["http://127.0.0.1:3000/cb", "http://localhost:5173/a?b=c", "http://[::1]:8080/"] {
            assert!(uris.admit(own).is_some(), "{own}");
        }
        for other in [
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example/",
            "http://user@localhost/",
            "http://localhost@evil.example/",
            "https://localhost/",
            "http://localhost/#x",
            "http://192.168.0.2/",
        ] {
            assert!(uris.admit(other).is_none(), "{other}");
        }
    }

    #[test]
    fn what_cannot_be_safe_cannot_be_listed() {
        for text in [
            "callback",
            "https://*.example.com/",
            "https://app.example.com/#x",
            "https://me@app.example.com/",
            "http://app.example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert!(text.parse::<ListedUri>().is_err(), "{text}");
        }
        for text in ["com.example.app:/callback", "http://127.0.0.1:8123/cb", "https://app.example.com/cb?tenant=1"] {
            assert!(text.parse::<ListedUri>().is_ok(), "{text}");
        }
    }

    #[test]
    fn parameters_are_added_to_those_that_are_there() {
        let uris = uris(&["https://app.example.com/cb?tenant=1"], Environment::Production);
        let uri = uris.admit("https://app.example.com/cb?tenant=1").unwrap();
        assert_eq!(uri.with([("state", "a b&c=d")]), "https://app.example.com/cb?tenant=1&state=a+b%26c%3Dd");
    }
}
