//! What a person may say about themselves, each thing in a form that cannot be wrong.

use url::Url;

use crate::fields::Fault;

/// Unique name for logging in, without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Reads a name.
    ///
    /// # Errors
    /// `invalid_username`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let is_clean = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if (3..=50).contains(&text.len()) && begins_well && is_clean {
            return Ok(Self(text.to_owned()));
        }
        Err(Fault::new(
            "invalid_username",
            "3 to 50 of A-Z, a-z, 0-9, '.', '_' and '-', beginning with a letter or digit.",
            "영문자나 숫자로 시작하고 영문자, 숫자, '.', '_', '-'로 된 3~50자여야 합니다.",
        ))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name for people to read: of a person or of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Reads a name; white space around it is dropped.
    ///
    /// # Errors
    /// `empty`, `too_long`, or `invalid_characters` for control characters.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Fault::new("empty", "This must not be empty.", "비어 있을 수 없습니다."));
        }
        if text.chars().count() > 100 {
            return Err(Fault::new("too_long", "At most 100 characters.", "100자를 넘을 수 없습니다."));
        }
        if text.chars().any(char::is_control) {
            return Err(Fault::new("invalid_characters", "No control characters.", "제어 문자는 쓸 수 없습니다."));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A telephone number in E.164.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// Reads a number.
    ///
    /// # Errors
    /// `invalid_phone`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let is_number =
            (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if is_number {
            Ok(Self(text.to_owned()))
        } else {
            Err(Fault::new("invalid_phone", "Write it as in +821012345678.", "+821012345678 형식이어야 합니다."))
        }
    }

    /// The number, with its plus sign.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Address of a picture: http or https, so that no page that shows it runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvatarUrl(String);

impl AvatarUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// `invalid_url`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.filter(|url| url.username().is_empty() && url.password().is_none()).map(String::from);
        match url.filter(|url| url.len() <= 500) {
            Some(url) => Ok(Self(url)),
            None => Err(Fault::new(
                "invalid_url",
                "An http or https address of at most 500 characters.",
                "500자 이하의 http 또는 https 주소여야 합니다.",
            )),
        }
    }

    /// The address as a browser would send it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Language in which a person is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locale {
    /// English.
    En,
    /// Korean.
    Ko,
}

impl Locale {
    /// Reads `ko` or `en`.
    ///
    /// # Errors
    /// `invalid_locale`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        match text {
            "en" => Ok(Self::En),
            "ko" => Ok(Self::Ko),
            _ => Err(Fault::new("invalid_locale", "ko or en.", "ko 또는 en이어야 합니다.")),
        }
    }

    /// Reads what is stored; English where it is neither.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self::parse(text).unwrap_or(Self::En)
    }

    /// `ko` or `en`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_plain_and_never_look_like_addresses() {
        for text in ["abc", "Test.User_1-x", "0ab", &"a".repeat(50)] {
            assert!(Username::parse(text).is_ok(), "{text}");
        }
        for text in ["", "ab", ".abc", "-abc", "a b c", "a@b.co", "한글이름", &"a".repeat(51)] {
            assert!(Username::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_avatar_is_nothing_that_runs() {
        assert!(AvatarUrl::parse("https://example.com/a.png").is_ok());
        for text in [
            "javascript:alert(1)",
            "data:text/html,x",
            "/a.png",
            "https://u:p@example.com/",
            "",
            &format!("https://e.co/{}", "a".repeat(500)),
        ] {
            assert!(AvatarUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn phones_are_e164() {
        assert!(Phone::parse("+821012345678").is_ok());
        for text in ["01012345678", "+0101234567", "+82-10-1234", "+", "+1234567890123456"] {
            assert!(Phone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_hold_any_script_but_no_control_characters() {
        assert_eq!(DisplayName::parse("  김민수 ").unwrap().as_str(), "김민수");
        for text in ["", "   ", "a\r\nb", &"가".repeat(101)] {
            assert!(DisplayName::parse(text).is_err(), "{text:?}");
        }
    }
}
