//! Which entries are asked for, as the form and every address of the log has it.

use auth_sdk::AuditFilter;
use jiff::{civil::DateTime, tz::Offset};
use url::form_urlencoded;

use crate::forms::Members;

/// What the list can be narrowed by.
const NAMES: [&str; 9] = ["event", "outcome", "actor", "target", "about", "ip_address", "request_id", "from", "to"];
/// Those that have no field of their own: they come by links.
const BY_LINK: [&str; 3] = ["about", "ip_address", "request_id"];

/// What is asked for.
pub struct Asked(Members);

impl Asked {
    /// By a query or a form.
    pub const fn new(members: Members) -> Self {
        Self(members)
    }

    /// As the API takes it. Times of the form have no zone: they are of the one that the page shows.
    pub fn filter(&self, offset: Offset) -> AuditFilter {
        let text = |name: &str| self.0.find(name).map(str::to_owned);
        let time = |name: &str| self.0.find(name).map(|text| instant(text, offset));
        AuditFilter {
            event: text("event"),
            outcome: text("outcome"),
            actor: text("actor"),
            target: text("target"),
            about: text("about"),
            ip_address: text("ip_address"),
            request_id: text("request_id"),
            from: time("from"),
            to: time("to"),
        }
    }

    /// Where the page begins.
    pub fn cursor(&self) -> Option<&str> {
        self.0.find("cursor")
    }

    /// Whether new entries are to appear by themselves.
    pub fn is_live(&self) -> bool {
        self.is("live", "1")
    }

    /// Whether anything narrows the list.
    pub fn is_narrow(&self) -> bool {
        NAMES.iter().any(|name| self.0.find(name).is_some())
    }

    /// What a member says.
    pub fn value(&self, name: &str) -> &str {
        self.0.find(name).unwrap_or_default()
    }

    /// Whether a member says this.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.0.find(name) == Some(value)
    }

    /// What links have narrowed it by: what, to which value, and the list without it.
    pub fn by_link(&self) -> Vec<(&'static str, &str, String)> {
        let set = BY_LINK.into_iter().filter_map(|name| Some((name, self.0.find(name)?)));
        set.map(|(name, value)| (name, value, self.build("/admin/audit", Some(name), &[]))).collect()
    }

    /// The same list, at another address or with more said.
    pub fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        self.build(path, None, more)
    }

    /// The list from another entry on; the newest without one.
    pub fn from(&self, cursor: Option<&str>) -> String {
        let more: Vec<_> = cursor.map(|cursor| ("cursor", cursor)).into_iter().collect();
        self.address("/admin/audit", &more)
    }

    /// The list as it grows, or as it is.
    pub fn turned(&self) -> String {
        let more: &[_] = if self.is_live() { &[] } else { &[("live", "1")] };
        self.address("/admin/audit", more)
    }

    /// A copy of it.
    pub fn copy(&self, format: &str) -> String {
        self.address("/admin/audit/export", &[("format", format)])
    }

    fn build(&self, path: &str, without: Option<&str>, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for name in NAMES.into_iter().filter(|name| Some(*name) != without) {
            if let Some(value) = self.0.find(name) {
                query.append_pair(name, value);
            }
        }
        query.extend_pairs(more);
        let query = query.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// A time of a form; what is none the API refuses with a sentence about it.
fn instant(text: &str, offset: Offset) -> String {
    let at = text.parse::<DateTime>().ok().and_then(|time| offset.to_timestamp(time).ok());
    at.map_or_else(|| text.to_owned(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_the_zone_that_is_shown() {
        let seoul = jiff::tz::offset(9);
        for (text, sent) in [
            ("2026-11-26T09:30", "2026-11-26T00:30:00Z"),
            ("2026-11-26T09:30:15", "2026-11-26T00:30:15Z"),
            ("yesterday", "yesterday"),
        ] {
            assert_eq!(instant(text, seoul), sent);
        }
    }

    #[test]
    fn addresses_hold_what_was_asked_for_and_nothing_else() {
        let asked =
            Asked::new(Members::of_query("event=logged_in&from=2026-01-01T00%3A00&cursor=a&live=1&evil=%3Cb%3E"));
        assert_eq!(asked.from(None), "/admin/audit?event=logged_in&from=2026-01-01T00%3A00");
        assert_eq!(asked.copy("csv"), "/admin/audit/export?event=logged_in&from=2026-01-01T00%3A00&format=csv");
        assert_eq!(Asked::new(Members::default()).turned(), "/admin/audit?live=1");
        let linked = Asked::new(Members::of_query("about=1&request_id=%3Cb%3E"));
        assert_eq!(
            linked.by_link(),
            [
                ("about", "1", "/admin/audit?request_id=%3Cb%3E".to_owned()),
                ("request_id", "<b>", "/admin/audit?about=1".to_owned())
            ]
        );
    }
}
