//! How a page is looked at: in what size, light, motion and language, with scripts or without.

use serde_json::{Value, json};

use super::Browser;
use crate::PeerError;

/// How somebody looks at pages.
#[derive(Clone, Copy, Debug)]
pub struct Outlook {
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// Light or dark.
    pub scheme: Scheme,
    /// Whether things may move.
    pub motion: Motion,
    /// Whether pages may run scripts.
    pub scripts: Scripts,
    /// The browser's language, such as `ko-KR`.
    pub locale: &'static str,
}

/// What somebody prefers for their eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// Whether somebody bears it that things move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// They do.
    Full,
    /// They have asked for less.
    Reduced,
}

/// Whether somebody lets pages run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scripts {
    /// They run.
    On,
    /// None does; those of the tests do.
    Off,
}

impl Default for Outlook {
    fn default() -> Self {
        let (scheme, motion, scripts) = (Scheme::Light, Motion::Full, Scripts::On);
        Self { width: 1280, height: 800, scheme, motion, scripts, locale: "en-US" }
    }
}

impl Browser {
    /// Forgets everything, and opens an empty page for somebody who looks at it so.
    ///
    /// # Errors
    /// [`PeerError::Answer`].
    pub fn start_afresh_as(&self, outlook: &Outlook) -> Result<(), PeerError> {
        self.step(&json!({"do": "startAfresh", "outlook": outlook.to_context()})).map(drop)
    }

    /// Gives the page another size.
    ///
    /// # Errors
    /// [`PeerError::Answer`].
    pub fn resize(&self, width: u16, height: u16) -> Result<(), PeerError> {
        self.step(&json!({"do": "resize", "width": width, "height": height})).map(drop)
    }

    /// Turns the light on or off.
    ///
    /// # Errors
    /// [`PeerError::Answer`].
    pub fn prefer(&self, scheme: Scheme) -> Result<(), PeerError> {
        self.step(&json!({"do": "prefer", "scheme": scheme.as_str()})).map(drop)
    }
}

impl Outlook {
    fn to_context(self) -> Value {
        let motion = match self.motion {
            Motion::Full => "no-preference",
            Motion::Reduced => "reduce",
        };
        json!({
            "viewport": {"width": self.width, "height": self.height},
            "colorScheme": self.scheme.as_str(),
            "reducedMotion": motion,
            "javaScriptEnabled": self.scripts == Scripts::On,
            "locale": self.locale,
        })
    }
}

impl Scheme {
    /// As in a style sheet.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}
