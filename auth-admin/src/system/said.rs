//! What the API says in English, on a page of another language: by the code or name that it says beside it.

use crate::frame::Frame;

/// A sentence, and the language it is in.
pub struct Said {
    pub text: String,
    pub lang: &'static str,
}

impl Said {
    /// The text with this key where the page's language has one, else the API's own words.
    pub fn new(frame: &Frame, key: &str, values: &[(&str, &str)], english: &str) -> Self {
        match frame.told(key, values) {
            Some(text) => Self { text, lang: frame.lang() },
            None => Self { text: frame.apart(english), lang: "en" },
        }
    }
}

/// The key of what a section of the settings is called.
pub fn section(title: &str) -> String {
    format!("section-{}", title.to_lowercase().replace(' ', "-"))
}

/// The key of what a variable is for; of one that fits a pattern, the pattern's.
pub fn setting(documented_as: &str) -> String {
    format!("setting-{}", documented_as.replace(['<', '>'], ""))
}

/// The key of what a check tries.
pub fn subject(name: &str) -> String {
    format!("checked-{}", name.replace(' ', "-"))
}

/// The key of what a check has found.
pub fn finding(code: &str) -> String {
    format!("finding-{}", code.replace('_', "-"))
}

/// The key of what to do about it.
pub fn fix(code: &str) -> String {
    format!("fix-{}", code.replace('_', "-"))
}

/// The key of what a provider's configuration lacks.
pub fn lack(code: &str) -> String {
    format!("lack-{}", code.replace('_', "-"))
}
