//! The console's two languages, and what it says in each.

use std::fmt;

const ENGLISH: &str = include_str!("../../../../auth-admin/locales/en.ftl");
const KOREAN: &str = include_str!("../../../../auth-admin/locales/ko.ftl");

/// A language of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    Korean,
    English,
}

impl Tongue {
    /// The browser's language.
    pub const fn locale(self) -> &'static str {
        match self {
            Self::Korean => "ko-KR",
            Self::English => "en-US",
        }
    }

    /// As in the attribute `lang`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Korean => "ko",
            Self::English => "en",
        }
    }

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Korean => Self::English,
            Self::English => Self::Korean,
        }
    }

    /// A text of one line.
    pub fn say(self, key: &str) -> String {
        let texts = match self {
            Self::Korean => KOREAN,
            Self::English => ENGLISH,
        };
        let text = texts.lines().filter_map(|line| line.split_once(" = ")).find(|(known, _)| *known == key);
        text.unwrap_or_else(|| panic!("no text {key}")).1.to_owned()
    }

    /// A text of one line about somebody. Names stand between marks that keep their direction to themselves.
    pub fn say_of(self, key: &str, name: &str) -> String {
        self.say(key).replace("{ $name }", name)
    }
}

impl fmt::Display for Tongue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}
