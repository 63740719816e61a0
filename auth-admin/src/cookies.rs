//! The console's cookies: the session, and what somebody likes.
//!
//! The session's is `SameSite=Strict`: no other site can have it sent along, not even by a link. Both carry `__Host-`, which
//! browsers take only over TLS, or on `localhost`.

use axum::http::{HeaderMap, HeaderValue, header};
use service_kit::language::Language;

/// The credential of a session.
pub const SESSION: &str = "__Host-console";
/// What somebody likes: language, theme, columns.
pub const LIKES: &str = "__Host-console-likes";
/// What the device is known by at a login, which slows strangers' guesses down and not the person's.
pub const DEVICE: &str = "__Host-console-device";

const YEAR: u64 = 365 * 86_400;

/// The value of a cookie.
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Sets the session's cookie, for as long as the browser runs: the API ends it long before.
pub fn begin(credential: &str) -> HeaderValue {
    value(&format!("{SESSION}={credential}; Path=/; Secure; HttpOnly; SameSite=Strict"))
}

/// Takes it away.
pub fn end() -> HeaderValue {
    value(&format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"))
}

/// Keeps what the device is known by for half a year.
pub fn know_device(token: &str) -> HeaderValue {
    value(&format!("{DEVICE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}", YEAR / 2))
}

/// Light, dark, or as the system is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system is.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// As in a cookie and in `data-theme`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads a name; anything else is the system's.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// What somebody likes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Likes {
    /// The language, where it is not the browser's.
    pub language: Option<Language>,
    /// The theme.
    pub theme: Theme,
    /// The columns of the list of people that are not shown.
    pub hidden: Vec<String>,
}

impl Likes {
    /// Reads the cookie; what it says wrongly is as if it were not said.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let mut likes = Self::default();
        for part in find(headers, LIKES).unwrap_or_default().split('.') {
            match part.split_once('-') {
                Some(("language", "ko")) => likes.language = Some(Language::Korean),
                Some(("language", "en")) => likes.language = Some(Language::English),
                Some(("theme", name)) => likes.theme = Theme::parse(name),
                Some(("hide", name)) if name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') => {
                    likes.hidden.push(name.to_owned());
                }
                Some(_) | None => {}
            }
        }
        likes.hidden.truncate(10);
        likes
    }

    /// The cookie that says it.
    #[must_use]
    pub fn to_cookie(&self) -> HeaderValue {
        let language = self.language.map(|language| match language {
            Language::Korean => "language-ko".to_owned(),
            Language::English => "language-en".to_owned(),
        });
        let theme = Some(format!("theme-{}", self.theme.as_str()));
        let hidden = self.hidden.iter().map(|name| format!("hide-{name}"));
        let parts: Vec<String> = language.into_iter().chain(theme).chain(hidden).collect();
        value(&format!("{LIKES}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={YEAR}", parts.join(".")))
    }
}

/// All of these are made of letters, digits and punctuation.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likes_come_back_as_they_went() {
        let likes = Likes {
            language: Some(Language::Korean),
            theme: Theme::Dark,
            hidden: vec!["created_at".to_owned(), "roles".to_owned()],
        };
        let cookie = likes.to_cookie();
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        let headers = HeaderMap::from_iter([(header::COOKIE, format!("a=b; {pair}").parse().unwrap())]);
        assert_eq!(Likes::read(&headers), likes);
    }

    #[test]
    fn forged_likes_are_none() {
        for forged in ["", "x", "theme-<script>", "hide-A B", "language-fr", "...---..."] {
            let headers = HeaderMap::from_iter([(header::COOKIE, format!("{LIKES}={forged}").parse().unwrap())]);
            assert_eq!(Likes::read(&headers), Likes::default(), "{forged}");
        }
    }
}
