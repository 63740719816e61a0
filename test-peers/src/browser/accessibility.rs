//! What keeps people from using a page, as axe-core finds it.

use std::fmt;

use serde_json::{Value, json};

use super::{Browser, words};
use crate::{PeerError, installation};

/// A rule that a page breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its name, such as `color-contrast`.
    pub rule: String,
    /// What it asks for.
    pub help: String,
    /// Where it is broken, and what to do there.
    pub places: Vec<String>,
}

impl Violation {
    fn read(found: &Value) -> Self {
        let places = found["places"].as_array().into_iter().flatten().map(words).collect();
        Self { rule: words(&found["rule"]), help: words(&found["help"]), places }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.help)?;
        self.places.iter().try_for_each(|place| write!(f, "\n  {place}"))
    }
}

impl Browser {
    /// The rules with these tags, such as `wcag2aa`, that the page breaks as it is shown now.
    ///
    /// # Errors
    /// [`PeerError::Missing`] without axe-core; [`PeerError::Answer`].
    pub fn violations(&self, tags: &[&str]) -> Result<Vec<Violation>, PeerError> {
        installation::node_modules("axe-core")?;
        let found = self.step(&json!({"do": "violations", "tags": tags}))?;
        Ok(found.as_array().into_iter().flatten().map(Violation::read).collect())
    }
}
