//! What every page says around its own: texts, who is signed in, where they are, and times as people read them.

use std::sync::Arc;

use auth_sdk::{Place, User};
use fluent_bundle::FluentValue;
use jiff::{Timestamp, tz::Offset};
use service_kit::language::Language;

use crate::{cookies::Theme, direction, texts::Texts, visit::Visit};

/// Korea has one time all year round.
const KOREA: Offset = jiff::tz::offset(9);

/// The parts of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// None of them.
    None,
    Overview,
    Users,
    Roles,
    ApiKeys,
    Audit,
    SigningKeys,
    Gateways,
    Providers,
    Mails,
    Settings,
    Doctor,
}

/// A line of the navigation.
pub struct Line {
    pub section: Section,
    pub path: &'static str,
    pub key: &'static str,
    /// What the API asks for there: whoever has it not is not led there, and refused by the API if they go.
    permission: &'static str,
}

const fn line(section: Section, path: &'static str, key: &'static str, permission: &'static str) -> Line {
    Line { section, path, key, permission }
}

/// The navigation, in groups.
const GROUPS: [(&str, &[Line]); 3] = [
    (
        "nav-people",
        &[
            line(Section::Overview, "/admin/", "nav-overview", "users:read"),
            line(Section::Users, "/admin/users", "nav-users", "users:read"),
            line(Section::Roles, "/admin/roles", "nav-roles", "roles:read"),
            line(Section::ApiKeys, "/admin/api-keys", "nav-api-keys", "api_keys:read"),
        ],
    ),
    (
        "nav-security",
        &[
            line(Section::Audit, "/admin/audit", "nav-audit", "audit:read"),
            line(Section::SigningKeys, "/admin/signing-keys", "nav-signing-keys", "system:read"),
        ],
    ),
    (
        "nav-operation",
        &[
            line(Section::Gateways, "/admin/gateways", "nav-gateways", "system:read"),
            line(Section::Providers, "/admin/providers", "nav-providers", "system:read"),
            line(Section::Mails, "/admin/mails", "nav-mails", "system:read"),
            line(Section::Settings, "/admin/settings", "nav-settings", "system:read"),
            line(Section::Doctor, "/admin/doctor", "nav-doctor", "system:read"),
        ],
    ),
];

/// Somebody who is signed in.
pub struct Who {
    user: User,
}

impl Who {
    /// From their account.
    pub const fn of(user: User) -> Self {
        Self { user }
    }

    /// What to call them.
    pub fn name(&self) -> String {
        name_of(&self.user)
    }

    /// Their address.
    pub fn email(&self) -> &str {
        self.user.email.as_deref().unwrap_or_default()
    }

    /// Whether the API would let them: only to show what leads somewhere, never to decide.
    pub fn may(&self, permission: &str) -> bool {
        self.user.permissions.iter().any(|held| held == permission)
    }
}

/// What to call somebody: by the name they show, or what else is known.
pub fn name_of(user: &User) -> String {
    let name = user.display_name.as_deref().or(user.username.as_deref()).or(user.email.as_deref());
    name.map_or_else(|| user.id.to_string(), direction::settle)
}

/// What surrounds a page.
pub struct Frame {
    texts: Arc<Texts>,
    /// Where the page belongs.
    pub section: Section,
    /// Who is signed in; unknown on parts of pages.
    pub who: Option<Who>,
    /// What a form of this session carries.
    pub form_token: String,
    /// Light or dark.
    pub theme: Theme,
    /// Where the assets are.
    pub assets: String,
    /// Path and query.
    pub here: String,
    now: Timestamp,
}

impl Frame {
    /// The frame of a page.
    pub fn new(visit: &Visit, section: Section, who: Option<Who>) -> Self {
        Self {
            texts: visit.app.texts(visit.language()),
            section,
            who,
            form_token: visit.form_token(),
            theme: visit.likes.theme,
            assets: visit.app.assets.clone(),
            here: visit.here.clone(),
            now: visit.app.clock.now(),
        }
    }

    /// A text.
    pub fn t(&self, key: &str) -> String {
        self.texts.get(key).into_owned()
    }

    /// A text about a value.
    pub fn t1(&self, key: &str, name: &str, value: &str) -> String {
        self.texts.with(key, &[(name, FluentValue::from(direction::isolate(value)))]).into_owned()
    }

    /// A text about several values, where there is one.
    pub fn told(&self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        let values: Vec<_> =
            values.iter().map(|(name, value)| (*name, FluentValue::from(direction::isolate(value)))).collect();
        self.texts.has(key).then(|| self.texts.with(key, &values).into_owned())
    }

    /// A text about a number of things.
    pub fn tn(&self, key: &str, n: &u64) -> String {
        let shown = number(*n);
        self.texts.with(key, &[("n", FluentValue::from(*n)), ("shown", FluentValue::from(shown))]).into_owned()
    }

    /// What a person wrote, to stand alone in a `bdi`.
    pub fn own(&self, value: &str) -> String {
        direction::settle(value)
    }

    /// What a person wrote, to stand beside words of ours where no element can be.
    pub fn apart(&self, value: &str) -> String {
        direction::isolate(value)
    }

    /// What to call somebody.
    pub fn who_is(&self, user: &User) -> String {
        name_of(user)
    }

    /// The letter that stands for somebody.
    pub fn initial(&self, name: &str) -> String {
        initial(name)
    }

    /// A device in words: by its own name, or by browser and system.
    pub fn device(&self, name: &Option<String>, browser: &Option<String>, os: &Option<String>) -> String {
        name.as_deref().map_or_else(|| self.software(browser, os), direction::settle)
    }

    /// Browser and system in words.
    pub fn software(&self, browser: &Option<String>, os: &Option<String>) -> String {
        let known: Vec<&str> = [browser, os].into_iter().flatten().map(String::as_str).collect();
        if known.is_empty() { self.t("device-unknown") } else { known.join(" · ") }
    }

    /// A place in words.
    pub fn place(&self, place: &Place) -> String {
        match &place.city {
            Some(city) => format!("{city}, {}", place.country),
            None => place.country.clone(),
        }
    }

    /// What the API calls `name` in words, where there are some: of the family of keys that begin with `family`.
    pub fn name(&self, family: &str, name: &str) -> String {
        let key = format!("{family}-{}", name.replace(['_', ':'], "-"));
        if self.texts.has(&key) { self.t(&key) } else { name.to_owned() }
    }

    /// As in the attribute `lang`.
    pub fn lang(&self) -> &'static str {
        self.texts.tag()
    }

    /// The message about what was just done, if that is how the page was reached.
    pub fn done(&self) -> Option<String> {
        let query = self.here.split_once('?')?.1;
        let (_, done) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "done")?;
        let key = format!("done-{done}");
        self.texts.has(&key).then(|| self.t(&key))
    }

    /// The navigation of whoever is signed in: its groups, each with its lines.
    pub fn navigation(&self) -> Vec<(&'static str, Vec<&'static Line>)> {
        let may = |line: &&Line| self.may(line.permission);
        let groups = GROUPS.iter().map(|(key, lines)| (*key, lines.iter().filter(may).collect::<Vec<_>>()));
        groups.filter(|(_, lines)| !lines.is_empty()).collect()
    }

    /// Whether the API would let them: only to show what leads somewhere.
    pub fn may(&self, permission: &str) -> bool {
        self.who.as_ref().is_some_and(|who| who.may(permission))
    }

    /// How long ago, or how soon, in words: exactly it stands beside.
    pub fn ago(&self, at: &Timestamp) -> String {
        let seconds = self.now.as_second() - at.as_second();
        let distance = seconds.unsigned_abs();
        let (past, future, unit) = match distance {
            0..60 => ("ago-now", "in-now", 1),
            60..3_600 => ("ago-minutes", "in-minutes", 60),
            3_600..86_400 => ("ago-hours", "in-hours", 3_600),
            86_400..2_592_000 => ("ago-days", "in-days", 86_400),
            2_592_000..31_536_000 => ("ago-months", "in-months", 2_592_000),
            _ => ("ago-years", "in-years", 31_536_000),
        };
        self.tn(if seconds >= 0 { past } else { future }, &(distance / unit))
    }

    /// Date and time, in Korea's time for those who read Korean.
    pub fn exact(&self, at: &Timestamp) -> String {
        match self.texts.language() {
            Language::Korean => KOREA.to_datetime(*at).strftime("%Y-%m-%d %H:%M:%S KST").to_string(),
            Language::English => Offset::UTC.to_datetime(*at).strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        }
    }

    /// The date alone.
    pub fn date(&self, at: &Timestamp) -> String {
        self.offset().to_datetime(*at).strftime("%Y-%m-%d").to_string()
    }

    /// The same as the API reads it.
    pub fn offset_text(&self) -> String {
        match self.texts.language() {
            Language::Korean => "+09:00".to_owned(),
            Language::English => "+00:00".to_owned(),
        }
    }

    /// An hour or a day, as it stands under a chart.
    pub fn bucket(&self, at: &Timestamp, length: &str) -> String {
        let format = if length == "hour" { "%H:%M" } else { "%m-%d" };
        self.offset().to_datetime(*at).strftime(format).to_string()
    }

    /// The time zone of what is shown.
    pub fn offset(&self) -> Offset {
        match self.texts.language() {
            Language::Korean => KOREA,
            Language::English => Offset::UTC,
        }
    }
}

/// A number with its thousands apart.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// The letter that stands for somebody.
fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "·".to_owned(), |c| c.to_uppercase().to_string())
}

#[cfg(test)]
impl Frame {
    /// The frame of a page that nobody asked for.
    pub fn for_tests(language: Language) -> Self {
        Self {
            texts: Arc::new(Texts::read(language).unwrap()),
            section: Section::None,
            who: None,
            form_token: String::new(),
            theme: Theme::System,
            assets: String::new(),
            here: "/admin/".to_owned(),
            now: Timestamp::UNIX_EPOCH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_480, "12,480"), (1_000_000, "1,000,000")] {
            assert_eq!(number(n), text);
        }
    }

    #[test]
    fn a_name_turns_no_sentence_around() {
        let frame = Frame::for_tests(Language::English);
        for (name, asked) in [
            ("שלום", "Disable \u{2068}שלום\u{2069}?"),
            ("\u{2069}\u{202e}שלום", "Disable \u{2068}שלום\u{2069}?"),
            ("김민수", "Disable 김민수?"),
            ("gnp.\u{202e}exe", "Disable gnp.exe?"),
        ] {
            assert_eq!(frame.t1("ask-disable", "name", name), asked);
        }
    }

    #[test]
    fn everybody_has_a_letter() {
        for (name, letter) in [("김민수", "김"), ("alice", "A"), ("<script>", "S"), ("", "·"), ("ßeta", "SS")] {
            assert_eq!(initial(name), letter);
        }
    }
}
