//! One person: as a file tells of them, and as they are stored once everything about them is in order.

use std::collections::HashMap;

use auth_sdk::UserStatus;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    db::Ts,
    fields::Fault,
    ids::Entropy,
    passwords::PasswordHash,
    roles::DEFAULT_ROLE,
    users::{DisplayName, Email, Locale, Username, search},
};

/// How much of a value is repeated in a refusal.
const MAX_QUOTED: usize = 60;

/// What a file says of one person, nothing of it checked.
#[derive(Default)]
pub(super) struct Raw {
    pub(super) email: Option<String>,
    pub(super) username: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) password_hash: Option<String>,
    pub(super) email_verified: bool,
    pub(super) roles: Vec<String>,
    pub(super) locale: Option<String>,
    /// Active unless the file says otherwise.
    pub(super) status: Option<UserStatus>,
    pub(super) created_at: Option<Ts>,
}

/// Why a person is not taken.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// Stable name.
    pub(super) code: &'static str,
    /// One sentence.
    pub(super) detail: String,
    /// Whose record it was, where that could be read.
    pub(super) email: Option<String>,
}

/// A person who can be stored. Its JSON is what the statements of `store.rs` take.
#[derive(Serialize)]
pub(super) struct Row {
    /// Its place in its batch.
    pub(super) n: usize,
    /// In hexadecimal.
    id: String,
    pub(super) email: String,
    email_verified: bool,
    pub(super) username: Option<String>,
    display_name: Option<String>,
    locale: &'static str,
    status: &'static str,
    password_hash: Option<String>,
    /// Microseconds since 1970.
    created_at: i64,
    search_text: String,
    search_name: Option<String>,
    /// In hexadecimal.
    roles: Vec<String>,
    #[serde(skip)]
    pub(super) line: u64,
}

/// What rows are made by.
pub(super) struct Rules {
    /// The roles there are.
    pub(super) roles: HashMap<String, Uuid>,
    pub(super) now: Ts,
}

impl Refusal {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), email: None }
    }

    pub(super) fn malformed(fault: serde_json::Error) -> Self {
        Self::new("malformed", fault.to_string())
    }

    fn of(member: &str, fault: Fault) -> Self {
        Self { code: fault.code, detail: format!("{member}: {}", fault.detail.en), email: None }
    }
}

impl Row {
    /// Checks what a file says of the person at this place in it.
    pub(super) fn parse(raw: Raw, rules: &Rules, place: u64) -> Result<Self, Refusal> {
        let email = raw.email.clone();
        Self::check(raw, rules, place).map_err(|refusal| Refusal { email: email.map(|text| quote(&text)), ..refusal })
    }

    fn check(raw: Raw, rules: &Rules, place: u64) -> Result<Self, Refusal> {
        let email = raw.email.ok_or_else(|| Refusal::new("required", "there is no email"))?;
        let email = Email::parse(email.trim()).map_err(|fault| Refusal::of("email", fault))?.as_str().to_owned();
        let username = optional("username", raw.username, Username::parse)?.map(|name| name.as_str().to_owned());
        let name = optional("display_name", raw.display_name, DisplayName::parse)?.map(|name| name.as_str().to_owned());
        let locale = optional("locale", raw.locale, Locale::parse)?.unwrap_or(Locale::En);
        let roles = if raw.roles.is_empty() { vec![DEFAULT_ROLE.to_owned()] } else { raw.roles };
        let mut ids = Vec::new();
        for role in roles {
            let id = rules.roles.get(&role);
            let id = id.ok_or_else(|| Refusal::new("unknown_role", format!("there is no role {:?}", quote(&role))))?;
            ids.push(id.simple().to_string());
        }
        ids.sort_unstable();
        ids.dedup();
        if raw.created_at.is_some_and(|time| time > rules.now || time < Ts::from_micros(0)) {
            return Err(Refusal::new("invalid_time", "created_at lies before 1970 or after now"));
        }
        Ok(Self {
            n: 0,
            line: 0,
            id: Entropy.uuid_in_place(rules.now, place).simple().to_string(),
            email_verified: raw.email_verified,
            locale: locale.as_str(),
            status: match raw.status {
                None | Some(UserStatus::Active) => "active",
                Some(UserStatus::Disabled) => "disabled",
                Some(UserStatus::Pending) => "pending",
            },
            password_hash: raw.password_hash.map(check_hash).transpose()?,
            created_at: raw.created_at.unwrap_or(rules.now).as_micros(),
            search_text: search::text(Some(&email), username.as_deref(), name.as_deref()),
            search_name: name.as_deref().map(search::fold),
            roles: ids,
            email,
            username,
            display_name: name,
        })
    }

    /// Whether the person can log in by password.
    pub(super) fn has_password(&self) -> bool {
        self.password_hash.is_some()
    }
}

fn optional<T>(member: &str, text: Option<String>, parse: fn(&str) -> Result<T, Fault>) -> Result<Option<T>, Refusal> {
    text.map(|text| parse(&text).map_err(|fault| Refusal::of(member, fault))).transpose()
}

fn check_hash(text: String) -> Result<String, Refusal> {
    // A hash stays as it is, so nothing may be in it that a database would not keep.
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::new("unsupported_hash", "the password hash holds other than ASCII characters"));
    }
    match PasswordHash::parse(&text) {
        Ok(_) => Ok(text),
        Err(fault) => Err(Refusal::new("unsupported_hash", fault.to_string())),
    }
}

/// The beginning of a value.
pub(super) fn quote(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}

/// Takes a text out of an object; empty and `null` are nothing.
pub(super) fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Refusal::new("wrong_type", format!("{name} is no text")))
        }
    }
}

/// Takes true or false out of an object, as JSON or as the words that databases write; false when it is absent.
pub(super) fn flag(members: &Map<String, Value>, name: &str) -> Result<bool, Refusal> {
    let wrong = || Refusal::new("wrong_type", format!("{name} is neither true nor false"));
    match members.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "yes" | "y" => Ok(true),
            "false" | "f" | "0" | "no" | "n" | "" => Ok(false),
            _ => Err(wrong()),
        },
        Some(Value::Number(_) | Value::Array(_) | Value::Object(_)) => Err(wrong()),
    }
}

/// The status of an account that was closed there, or not.
pub(super) fn closed_if(is_closed: bool) -> Option<UserStatus> {
    is_closed.then_some(UserStatus::Disabled)
}

/// Takes an instant out of an object: RFC 3339, with a space for the `T` as PostgreSQL writes it, or milliseconds since
/// 1970.
pub(super) fn time(members: &Map<String, Value>, name: &str) -> Result<Option<Ts>, Refusal> {
    let wrong = || Refusal::new("invalid_time", format!("{name}: write a time such as 2026-01-31T09:00:00Z"));
    let millis = |millis: i64| millis.checked_mul(1_000).map(Ts::from_micros).ok_or_else(wrong);
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number.as_i64().ok_or_else(wrong).and_then(millis).map(Some),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().map_err(|_| wrong()).and_then(millis).map(Some)
        }
        Some(Value::String(text)) => {
            // PostgreSQL shortens an offset of whole hours, which RFC 3339 does not know.
            let time: Option<jiff::Timestamp> = text.parse().ok().or_else(|| format!("{text}:00").parse().ok());
            time.map(|time| Some(Ts::from(time))).ok_or_else(wrong)
        }
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(wrong()),
    }
}

/// Takes the object under a name; an empty one when it is absent, or is text that holds none.
pub(super) fn object(members: &Map<String, Value>, name: &str) -> Map<String, Value> {
    match members.get(name) {
        Some(Value::Object(object)) => object.clone(),
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(value: Value) -> Option<String> {
        let members = Map::from_iter([("at".to_owned(), value)]);
        time(&members, "at").ok().flatten().map(|time| time.to_string())
    }

    #[test]
    fn times_are_read_as_each_system_writes_them() {
        for value in [
            json!("2024-05-01T00:00:00Z"),
            json!("2024-05-01T09:00:00+09:00"),
            json!("2024-05-01 00:00:00+00"),
            json!("2024-05-01 00:00:00.000000+00"),
            json!(1_714_521_600_000_i64),
            json!("1714521600000"),
        ] {
            assert_eq!(at(value.clone()).as_deref(), Some("2024-05-01T00:00:00Z"), "{value}");
        }
        for value in [json!("yesterday"), json!("2024-13-01T00:00:00Z"), json!(true), json!(1e300), json!(i64::MAX)] {
            assert_eq!(at(value.clone()), None, "{value}");
        }
    }

    #[test]
    fn a_person_is_refused_with_the_first_thing_that_is_wrong() {
        let rules = Rules { roles: HashMap::from([("user".to_owned(), Uuid::nil())]), now: Ts::from_micros(1) };
        let raw = |change: fn(&mut Raw)| {
            let mut raw = Raw { email: Some(" Kim@Example.com ".to_owned()), ..Raw::default() };
            change(&mut raw);
            Row::parse(raw, &rules, 0)
        };
        assert_eq!(raw(|_| ()).ok().unwrap().email, "kim@example.com");
        type Change = fn(&mut Raw);
        let refusals: [(Change, &str); 9] = [
            (|raw| raw.email = None, "required"),
            (|raw| raw.email = Some("kim".into()), "invalid_email"),
            (|raw| raw.username = Some("-".into()), "invalid_username"),
            (|raw| raw.display_name = Some("a\0b".into()), "invalid_characters"),
            (|raw| raw.locale = Some("fr".into()), "invalid_locale"),
            (|raw| raw.roles = vec!["emperor".into()], "unknown_role"),
            (|raw| raw.created_at = Some(Ts::from_micros(2)), "invalid_time"),
            (|raw| raw.password_hash = Some("$1$md5$hash".into()), "unsupported_hash"),
            (
                |raw| {
                    raw.password_hash = Some("pbkdf2_sha256$1$\0$4EDes0CfyRWmoXJKtXEfWJCx9GJejqULxr7m2S21skI=".into())
                },
                "unsupported_hash",
            ),
        ];
        for (change, code) in refusals {
            let refusal = raw(change).err().unwrap();
            assert_eq!(refusal.code, code, "{refusal:?}");
        }
    }
}
