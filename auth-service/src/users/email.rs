//! E-mail addresses in the one form that is stored and compared.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::fields::Fault;

/// Longest address in characters (RFC 5321 section 4.5.3.1.3, less the angle brackets).
const MAX_LENGTH: usize = 254;

/// A canonical address: lower case, NFC, its domain in the letters people read (UTS 46), whichever of its spellings came.
/// Whether anybody reads mail there, only a mail can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// `invalid_email` or `too_long`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let invalid =
            || Fault::new("invalid_email", "This is not an e-mail address.", "올바른 이메일 주소가 아닙니다.");
        if text.chars().count() > MAX_LENGTH {
            return Err(Fault::new("too_long", "At most 254 characters.", "254자를 넘을 수 없습니다."));
        }
        let (local, domain) = text.rsplit_once('@').ok_or_else(invalid)?;
        let local: String = local.nfc().flat_map(char::to_lowercase).nfc().collect();
        let (domain, mapped) = idna::domain_to_unicode(domain);
        let canonical = format!("{local}@{domain}");
        if mapped.is_ok() && canonical.chars().count() <= MAX_LENGTH && is_local_part(&local) && is_domain(&domain) {
            Ok(Self(canonical))
        } else {
            Err(invalid())
        }
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows enough to recognise an address one knows: `t***@example.com`. Logs never hold a whole one.
impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        write!(f, "{}***@{domain}", local.chars().next().unwrap_or('*'))
    }
}

/// A dot-atom (RFC 5322 section 3.2.3), non-ASCII letters included (RFC 6531); quoted forms are nobody's real address.
fn is_local_part(text: &str) -> bool {
    text.len() <= 64
        && text.split('.').all(|atom| {
            !atom.is_empty()
                && atom.chars().all(|c| {
                    if c.is_ascii() {
                        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
                    } else {
                        c.is_alphanumeric()
                    }
                })
        })
}

fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_one_spelling() {
        for text in ["Test@Example.COM", "test@example.com", "TEST@EXAMPLE.COM"] {
            assert_eq!(Email::parse(text).unwrap().as_str(), "test@example.com");
        }
        assert_eq!(Email::parse("e\u{301}@example.com").unwrap(), Email::parse("É@example.com").unwrap());
        for text in ["김민수@예시.한국", "김민수@xn--vv4b11d.xn--3e0b707e", "김민수@예시。한국"] {
            assert_eq!(Email::parse(text).unwrap().as_str(), "김민수@예시.한국", "{text}");
        }
        assert_eq!(Email::parse("a@ｅｘａｍｐｌｅ．com").unwrap().as_str(), "a@example.com");
        assert!(Email::parse("a+b.c_d@mail.example.co.kr").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
            "",
            "a",
            "@",
            "a@",
            "@b.co",
            "a@b",
            "a@@b.co",
            "a b@c.co",
            "a@b..co",
            ".a@b.co",
            "a@-b.co",
            "a@b.co\n",
            "a\0@b.co",
            "\"a b\"@c.co",
            "<a@b.co>",
            "a@b.co>",
            "a@b.co,c@d.co",
            "a\u{200b}@b.co",
            "a@xn--zzzz.co",
            &long,
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_log_sees_no_whole_address() {
        assert_eq!(Email::parse("test@example.com").unwrap().to_string(), "t***@example.com");
    }
}
