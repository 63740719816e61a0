//! Names and descriptions of roles.

use crate::fields::Fault;

/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 200;

/// The name of a role: 2 to 50 of `[a-z0-9_-]`, beginning with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleName(String);

impl RoleName {
    /// Reads a name.
    ///
    /// # Errors
    /// `invalid_role_name`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let is_clean = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        if is_clean && (2..=50).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Fault::new(
            "invalid_role_name",
            "2 to 50 of a-z, 0-9, '_' and '-', beginning with a letter.",
            "영문 소문자로 시작하고 영문 소문자, 숫자, '_', '-'로 된 2~50자여야 합니다.",
        ))
    }

    /// The name.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads what something is for.
///
/// # Errors
/// `too_long`, `invalid_characters`.
pub fn parse_description(text: &str) -> Result<String, Fault> {
    if text.chars().count() > MAX_DESCRIPTION {
        return Err(Fault::new("too_long", "At most 200 characters.", "200자를 넘을 수 없습니다."));
    }
    if text.chars().any(char::is_control) {
        return Err(Fault::new("invalid_characters", "No control characters.", "제어 문자는 쓸 수 없습니다."));
    }
    Ok(text.trim().to_owned())
}
