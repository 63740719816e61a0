//! What single members of `gateway.toml` may be.

use std::time::Duration;

use http::uri::Authority;
use http::{HeaderValue, Method};
use rate_limit::{Quota, Rule};
use url::Url;

use super::table::is_reserved;
use crate::path;
use crate::upstream::ServerUrl;

/// `TRACE` shows credentials to scripts and `CONNECT` opens tunnels: neither is forwarded.
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
const MAX_BODY: u64 = 1 << 40;

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);
/// The shortest that can be written.
pub(super) const MOMENT: Duration = Duration::from_millis(1);

/// A span of time as an operator would write it.
pub(super) fn spell(period: Duration) -> String {
    let milliseconds = period.as_millis();
    let units = [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)];
    let whole = units.iter().find(|(_, unit)| period >= *unit && milliseconds.is_multiple_of(unit.as_millis()));
    whole.map_or(format!("{milliseconds}ms"), |(name, unit)| format!("{}{name}", milliseconds / unit.as_millis()))
}

/// A name for people: logs, metrics and policy tests show it.
pub(super) fn label(text: &str) -> Result<String, &'static str> {
    let fits = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("write 1 to 100 characters") }
}

/// The name of an upstream.
pub(super) fn identifier(text: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let fits = (1..=64).contains(&text.len()) && text.chars().all(plain);
    if fits { Ok(text.to_owned()) } else { Err("write 1 to 64 letters, digits, - and _") }
}

/// A text that must not be empty.
pub(super) fn filled(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it is empty: fill it or leave it out") } else { Ok(text.to_owned()) }
}

/// A path that is asked for.
pub(super) fn plain_path(text: &str) -> Result<String, String> {
    match path::check(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(reason) => Err(format!("{reason}; write a path such as /orders/")),
    }
}

/// A path that a route matches.
pub(super) fn route_path(text: &str) -> Result<String, String> {
    if text.contains('*') {
        return Err("write no star: a path matches everything below it, unless exact = true".to_owned());
    }
    if is_reserved(text) {
        return Err("/internal and /gateway are never forwarded: choose another path".to_owned());
    }
    plain_path(text)
}

/// A method that may be forwarded.
pub(super) fn method(text: &str) -> Result<Method, String> {
    let known = METHODS.into_iter().find(|method| method.as_str() == text);
    known.ok_or_else(|| {
        format!("{text:?} is no method that can be routed: write {}", METHODS.map(|m| m.to_string()).join(", "))
    })
}

/// `resource:action`, as the Auth API names permissions.
pub(super) fn permission(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let part = |part: &str| part.starts_with(|c: char| c.is_ascii_lowercase()) && part.chars().all(plain);
    match text.split_once(':') {
        Some((resource, action)) if text.len() <= 100 && part(resource) && part(action) => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is no permission: write resource:action, such as orders:read")),
    }
}

/// A limit, or `off`.
pub(super) fn quota(text: &str) -> Result<Option<Quota>, String> {
    match text.parse::<Rule>() {
        Ok(Rule::Off) => Ok(None),
        Ok(Rule::Quota(quota)) => Ok(Some(quota)),
        Err(error) => Err(error.to_string()),
    }
}

/// The most bytes of a body, or `off`.
pub(super) fn size(text: &str) -> Result<Option<u64>, &'static str> {
    const FORM: &str = "write a whole number and KiB, MiB or GiB, such as 1MiB, at most 1024GiB, or off";
    if text == "off" {
        return Ok(None);
    }
    let unit = text.find(|c: char| !c.is_ascii_digit()).ok_or(FORM)?;
    let bytes: u64 = match &text[unit..] {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(FORM),
    };
    let count = text[..unit].parse::<u64>().map_err(|_| FORM)?;
    let size = count.checked_mul(bytes).filter(|size| (1..=MAX_BODY).contains(size));
    size.map(Some).ok_or(FORM)
}

/// A `Host` header.
pub(super) fn host_header(text: &str) -> Result<HeaderValue, &'static str> {
    const FORM: &str = "write a host, with its port if need be, such as internal.example";
    let authority = text.parse::<Authority>().map_err(|_| FORM)?;
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(FORM);
    }
    HeaderValue::from_str(text).map_err(|_| FORM)
}

/// A content security policy; an empty one is none.
pub(super) fn content_security_policy(text: &str) -> Result<Option<HeaderValue>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let fits = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let value = HeaderValue::from_str(text).ok().filter(|_| fits);
    value.map(Some).ok_or("write one line of ASCII, such as default-src 'self', or nothing to add none")
}

/// Where a server of an upstream is.
pub(super) fn server(text: &str) -> Result<ServerUrl, String> {
    // A password must not get into a log by way of another fault.
    let shown = if text.contains('@') { "the URL".to_owned() } else { format!("{text:?}") };
    let form = |what: &str| format!("{shown} {what}: write a server such as http://10.0.0.5:9000");
    let url = Url::parse(text).map_err(|_| form("cannot be read"))?;
    let tls = match url.scheme() {
        "http" => false,
        "https" => true,
        _ => return Err(form("is neither http nor https")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "a server's URL must not carry a user or a password: send a header from the service instead".to_owned()
        );
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(form("has more than a host and a port (a path goes into the route's rewrite)"));
    }
    let host = url.host_str().map(|host| host.trim_start_matches('[').trim_end_matches(']'));
    match (host, url.port_or_known_default()) {
        (Some(host), Some(port @ 1..)) => Ok(ServerUrl { tls, host: host.to_owned(), port }),
        _ => Err(form("has no usable host and port")),
    }
}
