//! Heads on their way through: what belongs to one connection stays behind, and what only we may say is ours.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Version};

/// Names that mean something between two neighbours only (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADE: HeaderValue = HeaderValue::from_static("upgrade");

/// How the client's connection looks from here.
pub struct Hop {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// Whether it is a declared proxy, whose word about those before it counts.
    pub peer_is_trusted: bool,
    /// Whether it is encrypted.
    pub is_tls: bool,
}

/// Whether a request asks for a WebSocket (RFC 6455 section 4.1), the only protocol that is changed to here: an upgrade
/// to h2c would carry further requests past every check.
#[must_use]
pub fn asks_for_websocket<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let lists_upgrade = || {
        let tokens = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
        tokens.flat_map(|line| line.split(',')).any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
    };
    request.version() == Version::HTTP_11
        && request.method() == http::Method::GET
        && headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
        && lists_upgrade()
}

/// Leaves behind what belongs to the connection that a message came by. What `Connection` lists goes too, but nothing
/// that we set can be listed away, for that is set afterwards.
pub fn leave_hop(headers: &mut HeaderMap) {
    if !headers.keys().any(|name| HOP_BY_HOP.contains(name)) {
        return;
    }
    if let Some(first) = headers.get(header::CONNECTION)
        && (first != "keep-alive" || headers.get_all(header::CONNECTION).iter().count() > 1)
    {
        let listed: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
            .filter(|name| !is_framing(name))
            .collect();
        for name in listed {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// What a message is about is no hop's affair, whoever lists it.
fn is_framing(name: &HeaderName) -> bool {
    [header::HOST, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::AUTHORIZATION].contains(name)
}

/// Asks the next server for the WebSocket that the client asked us for.
pub fn ask_for_websocket(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, UPGRADE);
    headers.insert(header::UPGRADE, WEBSOCKET);
}

/// Says by whom a request came: what a declared proxy says is kept and continued, what a stranger says is not.
pub fn set_forwarded(headers: &mut HeaderMap, hop: &Hop, host: &HeaderValue) {
    if !hop.peer_is_trusted {
        forget_forwarded(headers);
    }
    let mut chain = String::new();
    for line in headers.get_all(&X_FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()) {
        chain.push_str(line);
        chain.push_str(", ");
    }
    // An address is always a header's value, and what was one stays one.
    if let Ok(chain) = HeaderValue::try_from(chain + &hop.peer.to_string()) {
        headers.insert(X_FORWARDED_FOR, chain);
    }
    let scheme = if hop.is_tls { "https" } else { "http" };
    headers.entry(X_FORWARDED_PROTO).or_insert(HeaderValue::from_static(scheme));
    headers.entry(X_FORWARDED_HOST).or_insert_with(|| host.clone());
}

/// What only a proxy may say, beside `X-Forwarded-…`.
const OF_PROXIES: [&str; 8] = [
    "cf-connecting-ip",
    "forwarded",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-original-host",
    "x-real-ip",
];

/// What makes some frameworks read another path or method than the request line's, which is the one that was judged; and
/// `Proxy`, which makes some programs send their own requests through it.
const OVERRIDES: [&str; 6] =
    ["proxy", "x-http-method", "x-http-method-override", "x-method-override", "x-original-url", "x-rewrite-url"];

/// Takes out what only a proxy may say.
fn forget_forwarded(headers: &mut HeaderMap) {
    forget(headers, |name| name.starts_with("x-forwarded-") || OF_PROXIES.contains(&name));
}

/// Takes out what would have the upstream do something else than was judged.
pub fn forget_overrides(headers: &mut HeaderMap) {
    forget(headers, |name| OVERRIDES.contains(&name));
}

/// Takes out headers in every spelling: some servers read `x_forwarded_for` and `X.Forwarded.For` as one and the same.
fn forget(headers: &mut HeaderMap, is_meant: impl Fn(&str) -> bool) {
    let mut found = Vec::new();
    for name in headers.keys() {
        let text = name.as_str();
        // Most names begin otherwise.
        if matches!(text.as_bytes(), [b'c' | b'f' | b'p' | b't' | b'x', ..]) {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let is_found = if is_plain { is_meant(text) } else { is_meant(&canonical(text)) };
            if is_found {
                found.push(name.clone());
            }
        }
    }
    for name in found {
        headers.remove(name);
    }
}

fn canonical(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// HTTP/2 may send a cookie in pieces, HTTP/1.1 must not (RFC 9113 section 8.2.3).
pub fn join_cookies(headers: &mut HeaderMap) {
    let pieces: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if pieces.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&pieces.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_belongs_to_the_connection_stays_behind() {
        let mut map = headers(&[
            ("connection", "close, X-Secret"),
            ("connection", "x-other"),
            ("x-secret", "1"),
            ("x-other", "2"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("upgrade", "h2c"),
            ("x-kept", "3"),
        ]);
        leave_hop(&mut map);
        assert_eq!(map, headers(&[("x-kept", "3")]));
    }

    #[test]
    fn a_length_and_a_credential_cannot_be_listed_away() {
        let mut map = headers(&[
            ("connection", "content-length, authorization, host"),
            ("content-length", "3"),
            ("authorization", "x"),
        ]);
        leave_hop(&mut map);
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn only_a_declared_proxy_is_believed_about_those_before_it() {
        let forwarded = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "7.7.7.7"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil"),
            ("x_forwarded_for", "9.9.9.9"),
            ("forwarded", "for=9.9.9.9"),
            ("x-real-ip", "9.9.9.9"),
            ("x.forwarded.for", "9.9.9.9"),
            ("true-client-ip", "9.9.9.9"),
        ];
        let host = HeaderValue::from_static("api.example.com");
        let told = |peer_is_trusted| {
            let mut map = headers(&forwarded);
            let hop = Hop { peer: "10.0.0.1".parse().unwrap(), peer_is_trusted, is_tls: false };
            set_forwarded(&mut map, &hop, &host);
            assert_eq!(map.keys_len(), if peer_is_trusted { 8 } else { 3 });
            ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]
                .map(|name| map[name].to_str().unwrap().to_owned())
        };
        assert_eq!(told(false), ["10.0.0.1", "http", "api.example.com"]);
        assert_eq!(told(true), ["6.6.6.6, 7.7.7.7, 10.0.0.1", "https", "evil"]);
    }

    #[test]
    fn nothing_makes_the_upstream_do_something_else_than_was_judged() {
        let mut map = headers(&[
            ("x-original-url", "/admin"),
            ("x_rewrite_url", "/admin"),
            ("x-http-method-override", "DELETE"),
            ("proxy", "http://evil"),
            ("x-kept", "1"),
        ]);
        forget_overrides(&mut map);
        assert_eq!(map, headers(&[("x-kept", "1")]));
    }

    #[test]
    fn a_websocket_is_asked_for_with_both_headers_and_nothing_else_is_changed_to() {
        let asks = |upgrade: &str, connection: &str| {
            let request = Request::get("/").header("upgrade", upgrade).header("connection", connection);
            asks_for_websocket(&request.body(()).unwrap())
        };
        assert!(asks("websocket", "keep-alive, Upgrade"));
        assert!(!asks("h2c", "Upgrade, HTTP2-Settings"));
        assert!(!asks("websocket", "keep-alive"));
        assert!(!asks("websocket, h2c", "upgrade"));
    }

    #[test]
    fn a_cookie_in_pieces_is_put_together() {
        let mut map = headers(&[("cookie", "a=1"), ("cookie", "b=2")]);
        join_cookies(&mut map);
        assert_eq!(map["cookie"], "a=1; b=2");
        assert_eq!(map.len(), 1);
    }
}
