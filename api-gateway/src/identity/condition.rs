//! Says once that something broke, and once that it works again: what is tried every second must not fill the log.

use std::fmt::Display;

/// How the last attempt ended, and of what.
pub(super) struct Condition {
    subject: &'static str,
    last: Option<&'static str>,
}

impl Condition {
    /// Nothing was tried yet.
    pub(super) const fn of(subject: &'static str) -> Self {
        Self { subject, last: None }
    }

    /// It works.
    pub(super) fn works(&mut self) {
        if self.last.replace("ok") != Some("ok") {
            tracing::info!("{}: current", self.subject);
        }
    }

    /// It does not, in this way.
    pub(super) fn fails(&mut self, kind: &'static str, cause: &impl Display) {
        if self.last.replace(kind) != Some(kind) {
            tracing::warn!(%cause, "{}: not to be had ({kind}), trying on", self.subject);
        }
    }
}
