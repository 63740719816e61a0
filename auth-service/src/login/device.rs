//! Known devices: where a person has logged in before, their own count of guesses cannot be used up by strangers.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::ids::OpaqueToken;

/// How long a device is remembered.
pub const LIFE: Duration = Duration::from_secs(180 * 86_400);
/// For clients that keep no cookies: given with a login, and sent with the next.
const HEADER: HeaderName = HeaderName::from_static("x-device-token");
const COOKIE: &str = "__Host-device";

/// The device token that a request carries, in the header or the cookie.
pub fn presented(headers: &HeaderMap) -> Option<OpaqueToken> {
    let in_header = headers.get(HEADER).and_then(|value| value.to_str().ok());
    in_header.or_else(|| in_cookie(headers)).and_then(OpaqueToken::parse)
}

fn in_cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// The headers that hand a token to its device.
pub fn hand_over(token: &OpaqueToken) -> [(HeaderName, HeaderValue); 2] {
    let wire = token.to_wire();
    let cookie = format!("{COOKIE}={wire}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}", LIFE.as_secs());
    let value = |text: &str| {
        // base64url is always a header value.
        HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
    };
    [(HEADER, value(&wire)), (header::SET_COOKIE, value(&cookie))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Entropy;

    #[test]
    fn a_handed_over_token_comes_back_by_header_or_by_cookie() {
        let token = Entropy.token();
        let [(_, in_header), (_, cookie)] = hand_over(&token);
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        let cookies = format!("a=b; {pair}; c=d");
        for (name, value) in [(HEADER, in_header), (header::COOKIE, HeaderValue::from_str(&cookies).unwrap())] {
            let headers = HeaderMap::from_iter([(name, value)]);
            assert_eq!(presented(&headers).unwrap().expose(), token.expose());
        }
    }
}
