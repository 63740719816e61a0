//! Passwords in memory: offered at login, or chosen anew; wiped when dropped, never printed.

use zeroize::Zeroizing;

/// Bytes of an offered password beyond which it cannot be right, whatever system its hash came from.
const MAX_OFFERED_BYTES: usize = 1024;
/// Fewest characters of a new password, whatever the configuration says (ASVS 6.2.1).
pub(super) const MIN_CHARACTERS: usize = 8;
/// Most characters of a new password.
pub(super) const MAX_CHARACTERS: usize = 128;

/// A password as somebody typed it: exact bytes, neither truncated nor normalised.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// A password chosen for an account, of a permitted length; its strength is not yet known.
#[derive(Clone)]
pub struct NewPassword(Password);

/// Why a text is not a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LengthError {
    /// Fewer characters than allowed.
    #[error("the password needs at least {min} characters")]
    TooShort {
        /// Fewest characters allowed.
        min: usize,
    },
    /// More than allowed.
    #[error("the password may have at most {max} characters")]
    TooLong {
        /// Most characters allowed.
        max: usize,
    },
}

impl Password {
    /// Takes any text of 1 to 1024 bytes: people keep passwords that older rules allowed.
    pub fn parse(text: String) -> Result<Self, LengthError> {
        let text = Zeroizing::new(text);
        match text.len() {
            0 => Err(LengthError::TooShort { min: 1 }),
            1..=MAX_OFFERED_BYTES => Ok(Self(text)),
            _ => Err(LengthError::TooLong { max: MAX_OFFERED_BYTES }),
        }
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl NewPassword {
    /// Takes a text of `min_length` (never less than 8) to 128 characters, counted as Unicode code points.
    pub fn parse(text: String, min_length: usize) -> Result<Self, LengthError> {
        let text = Zeroizing::new(text);
        let min = min_length.clamp(MIN_CHARACTERS, MAX_CHARACTERS);
        match text.chars().count() {
            length if length < min => Err(LengthError::TooShort { min }),
            length if length > MAX_CHARACTERS => Err(LengthError::TooLong { max: MAX_CHARACTERS }),
            _ => Ok(Self(Password(text))),
        }
    }

    /// The password itself.
    #[must_use]
    pub fn password(&self) -> &Password {
        &self.0
    }
}

impl LengthError {
    /// The code of the field error (`too_short`, `too_long`).
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offered_password_is_any_text_up_to_1024_bytes() {
        for text in ["x", " ", "\0", "a\0b", "비밀번호", "🦀", "e\u{301}"] {
            assert_eq!(Password::parse(text.into()).unwrap_or_else(|_| panic!("{text:?}")).expose(), text);
        }
        assert!(Password::parse("x".repeat(1024)).is_ok());
        assert_eq!(Password::parse(String::new()).err(), Some(LengthError::TooShort { min: 1 }));
        assert_eq!(Password::parse("x".repeat(1025)).err(), Some(LengthError::TooLong { max: 1024 }));
    }

    #[test]
    fn new_password_is_counted_in_characters_not_bytes() {
        assert!(NewPassword::parse("비밀번호비밀번호".into(), 8).is_ok());
        assert!(NewPassword::parse("🦀".repeat(128), 8).is_ok());
        assert_eq!(NewPassword::parse("비밀번호".into(), 8).err(), Some(LengthError::TooShort { min: 8 }));
        assert_eq!(NewPassword::parse("x".repeat(129), 8).err(), Some(LengthError::TooLong { max: 128 }));
    }

    #[test]
    fn configured_minimum_holds_but_never_falls_below_eight() {
        assert_eq!(NewPassword::parse("x".repeat(14), 15).err(), Some(LengthError::TooShort { min: 15 }));
        assert!(NewPassword::parse("x".repeat(15), 15).is_ok());
        assert_eq!(NewPassword::parse("x".repeat(7), 1).err(), Some(LengthError::TooShort { min: 8 }));
    }
}
