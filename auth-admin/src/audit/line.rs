//! An entry of the log as a line: a sentence in which people are links, and what else there is to know of it.

use auth_sdk::{AuditEntry, AuditRef};
use serde_json::Value;
use uuid::Uuid;

use crate::{direction, frame::Frame};

/// Stand in the sentence for who did it and whom it was done to, until these are put in as links: no text holds them.
const ACTOR: char = '\u{e000}';
const TARGET: char = '\u{e001}';

/// A line; `audit/_line.html` shows it, within a list of the class `timeline`.
pub struct Line {
    pub entry: AuditEntry,
    /// The sentence.
    pub words: Vec<Word>,
    /// What else there is, each with its name.
    pub details: Vec<(String, String)>,
    /// From where and by what, in short.
    pub origin: String,
}

/// A piece of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub enum Word {
    Text(String),
    Person { id: Uuid, name: String },
}

impl Line {
    /// The line of an entry.
    pub fn new(frame: &Frame, entry: AuditEntry) -> Self {
        let (words, details, origin) = (tell(frame, &entry), list_details(frame, &entry), origin_of(frame, &entry));
        Self { entry, words, details, origin }
    }

    /// The lines of many.
    pub fn all(frame: &Frame, entries: Vec<AuditEntry>) -> Vec<Self> {
        entries.into_iter().map(|entry| Self::new(frame, entry)).collect()
    }

    /// Whether somebody was kept from what they tried.
    pub fn is_refused(&self) -> bool {
        self.entry.outcome == "refused"
    }

    /// The other entries of the same request.
    pub fn same_request(&self) -> Option<String> {
        self.entry.request_id.as_deref().map(|id| narrowed("request_id", id))
    }

    /// The other entries from the same address.
    pub fn same_address(&self) -> Option<String> {
        self.entry.ip_address.as_deref().map(|address| narrowed("ip_address", address))
    }
}

fn narrowed(name: &str, value: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    format!("/admin/audit?{query}")
}

/// The sentence. An event that this console does not know, of a newer API, is told by its name.
fn tell(frame: &Frame, entry: &AuditEntry) -> Vec<Word> {
    let key = format!("told-{}", entry.event.replace('_', "-"));
    let who = match (&entry.actor, &entry.target) {
        (Some(actor), Some(target)) if actor.id == target.id => "self",
        (None, _) if !is_by_system(entry) => "nobody",
        (Some(_) | None, _) => "other",
    };
    let (actor, target) = (ACTOR.to_string(), TARGET.to_string());
    let sentence = frame.told(&key, &[("actor", &actor), ("target", &target), ("who", who)]);
    let sentence = sentence.unwrap_or_else(|| frame.name("event", &entry.event));
    let mut words = Vec::new();
    let mut rest = sentence.as_str();
    while let Some(at) = rest.find([ACTOR, TARGET]) {
        let (before, behind) = rest.split_at(at);
        words.extend((!before.is_empty()).then(|| Word::Text(before.to_owned())));
        let is_actor = behind.starts_with(ACTOR);
        words.push(if is_actor { actor_of(frame, entry) } else { target_of(frame, entry) });
        rest = &behind[ACTOR.len_utf8()..];
    }
    words.extend((!rest.is_empty()).then(|| Word::Text(rest.to_owned())));
    words
}

fn actor_of(frame: &Frame, entry: &AuditEntry) -> Word {
    match &entry.actor {
        Some(actor) => person(frame, actor),
        None if entry.details.get("by").is_some_and(|by| by == "operator") => Word::Text(frame.t("audit-operator")),
        None if is_by_system(entry) => Word::Text(frame.t("audit-system")),
        None => Word::Text(frame.t("audit-somebody")),
    }
}

fn target_of(frame: &Frame, entry: &AuditEntry) -> Word {
    let Some(target) = &entry.target else { return Word::Text(frame.t("audit-unknown-account")) };
    if target.kind == "user" {
        return person(frame, target);
    }
    // Of what is gone, the entry itself says the name.
    let told = entry.details.get("name").and_then(Value::as_str).or(target.name.as_deref());
    let name = told.map_or_else(|| short(target.id), str::to_owned);
    let key = format!("audit-thing-{}", target.kind.replace('_', "-"));
    Word::Text(frame.told(&key, &[("name", &name)]).unwrap_or_else(|| frame.apart(&name)))
}

fn person(frame: &Frame, told: &AuditRef) -> Word {
    let name = told.name.clone().unwrap_or_else(|| short(told.id));
    Word::Person { id: told.id, name: frame.t1("audit-person", "name", &name) }
}

/// The end of an id: its beginning is a time, which many share.
fn short(id: Uuid) -> String {
    let text = id.simple().to_string();
    format!("…{}", &text[text.len() - 8..])
}

/// Whether no client had to do with it.
const fn is_by_system(entry: &AuditEntry) -> bool {
    entry.actor.is_none() && entry.request_id.is_none()
}

fn origin_of(frame: &Frame, entry: &AuditEntry) -> String {
    // Of a library only the name would be known, and that in words that fit every one.
    let software = entry.os.as_ref().map(|_| frame.software(&entry.browser, &entry.os));
    // A program says who it is in its first word; all that want to pass for a browser say the same one.
    let program = entry.user_agent.as_deref().and_then(|agent| agent.split_whitespace().next());
    let program = program.filter(|word| !word.starts_with("Mozilla/")).map(|word| frame.apart(word));
    let known: Vec<String> = [entry.ip_address.clone(), software.or(program)].into_iter().flatten().collect();
    known.join(" · ")
}

fn list_details(frame: &Frame, entry: &AuditEntry) -> Vec<(String, String)> {
    let members = entry.details.as_object().into_iter().flatten();
    members.map(|(name, value)| (frame.name("detail", name), write(value))).collect()
}

fn write(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => direction::settle(text),
        Value::Array(values) if values.is_empty() => "–".to_owned(),
        Value::Array(values) => values.iter().map(write).collect::<Vec<_>>().join(", "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use service_kit::language::Language;

    use super::*;

    fn entry(event: &str, (actor, target): (Value, Value), details: &Value) -> AuditEntry {
        let request = if actor.is_null() { Value::Null } else { json!("r-1") };
        serde_json::from_value(json!({
            "id": "01a20000-0000-7000-8000-000000000001", "at": "2026-11-26T00:00:00Z", "event": event,
            "outcome": "done", "actor": actor, "target": target, "ip_address": null, "user_agent": null,
            "request_id": request, "details": details, "seq": 1, "hash": "00"
        }))
        .unwrap()
    }

    fn user(end: u8, name: Option<&str>) -> Value {
        json!({"type": "user", "id": format!("01a20000-0000-7000-8000-0000000000{end:02}"), "name": name})
    }

    fn said(language: Language, entry: &AuditEntry) -> String {
        let words = tell(&Frame::for_tests(language), entry);
        words
            .into_iter()
            .map(|word| match word {
                Word::Text(text) => text,
                Word::Person { name, .. } => format!("[{name}]"),
            })
            .collect()
    }

    #[test]
    fn a_line_says_who_did_what_to_whom() {
        let (minsu, younghee) = (user(1, Some("김민수")), user(2, Some("이영희")));
        let none = json!({});
        for (entry, korean, english) in [
            (
                entry("user_disabled", (minsu.clone(), younghee.clone()), &none),
                "[김민수 님]이 [이영희 님]을 비활성화했습니다",
                "[김민수] disabled [이영희]",
            ),
            (
                entry("user_updated", (minsu.clone(), minsu.clone()), &none),
                "[김민수 님]이 자신의 프로필을 변경했습니다",
                "[김민수] changed their own profile",
            ),
            (
                entry("user_disabled", (Value::Null, younghee), &json!({"by": "operator"})),
                "서버 운영자 명령이 [이영희 님]을 비활성화했습니다",
                "A command at the server disabled [이영희]",
            ),
            (
                entry("login_failed", (Value::Null, Value::Null), &none),
                "알 수 없는 계정의 로그인이 거절되었습니다",
                "A sign-in as an unknown account was refused",
            ),
            (
                entry(
                    "role_deleted",
                    (minsu, json!({"type": "role", "id": "01a20000-0000-7000-8000-00000000000a"})),
                    &json!({"name": "support"}),
                ),
                "[김민수 님]이 support 역할을 삭제했습니다",
                "[김민수] deleted the role support",
            ),
        ] {
            assert_eq!(said(Language::Korean, &entry), korean);
            assert_eq!(said(Language::English, &entry), english);
        }
    }

    #[test]
    fn names_are_not_read_as_texts_and_unknown_events_keep_their_word() {
        let evil = user(1, Some("{ $target } <b>\u{e001}"));
        let told = said(Language::English, &entry("users_listed", (evil, Value::Null), &json!({})));
        assert_eq!(told, "[{ $target } <b>\u{e001}] looked through the list of people");
        let told = entry("sky_fell", (user(1, None), Value::Null), &json!({}));
        assert_eq!(said(Language::English, &told), "sky_fell");
    }

    #[test]
    fn a_name_turns_nothing_around_but_itself() {
        let actor = user(1, Some("שלום\u{2069}\u{202e}"));
        let told = said(Language::English, &entry("user_disabled", (actor, user(2, Some("b\u{202e}c"))), &json!({})));
        assert_eq!(told, "[\u{2068}שלום\u{2069}] disabled [bc]");
        assert_eq!(write(&json!(["a\u{202e}", "b"])), "a, b");
    }

    #[test]
    fn who_has_no_name_is_told_by_the_end_of_their_id() {
        let told = entry("logged_in", (user(12, None), user(12, None)), &json!({}));
        assert_eq!(said(Language::English, &told), "[…00000012] signed in");
    }

    #[test]
    fn details_are_written_as_they_are() {
        for (value, text) in [
            (json!(["a", "b"]), "a, b"),
            (json!([]), "–"),
            (json!(null), "–"),
            (json!(3), "3"),
            (json!(true), "true"),
            (json!({"a": [1]}), "{\"a\":[1]}"),
        ] {
            assert_eq!(write(&value), text);
        }
    }
}
