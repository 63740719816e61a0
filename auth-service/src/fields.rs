//! Reads a JSON object member by member and reports everything that is wrong with it at once.
//!
//! serde stops at the first fault and lets the last of two equal members win. A form wants all faults, and a member
//! sent twice is a request that two readers may understand differently, so it is refused.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::header,
};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use service_kit::problem::{FieldError, Text};

use crate::{db::Ts, error::Error, passwords::LengthError};

/// The most faults that are reported, and the most of a stranger's member name that is repeated: an answer should not be
/// many times its request.
const MAX_FAULTS: usize = 20;
const MAX_NAME: usize = 64;
/// The most items of one list.
const MAX_ITEMS: usize = 1_000;

/// Why one member's value is refused.
#[derive(Debug)]
pub struct Fault {
    /// Stable name, such as `too_short`.
    pub code: &'static str,
    /// One sentence for people.
    pub detail: Text,
}

impl Fault {
    /// A fault with its sentence in English and Korean.
    pub fn new(code: &'static str, en: &'static str, ko: &'static str) -> Self {
        Self { code, detail: Text::new(en, ko) }
    }

    /// The refusal of a request by this fault of one member alone, found after the rest was read.
    pub fn of(self, name: &'static str) -> Error {
        Error::Invalid(vec![FieldError { field: name.into(), code: self.code, detail: self.detail }])
    }
}

impl From<LengthError> for Fault {
    fn from(fault: LengthError) -> Self {
        let detail = match fault {
            LengthError::TooShort { min } => Text {
                en: format!("At least {min} characters.").into(),
                ko: format!("{min}자 이상이어야 합니다.").into(),
            },
            LengthError::TooLong { max } => Text {
                en: format!("At most {max} characters.").into(),
                ko: format!("{max}자를 넘을 수 없습니다.").into(),
            },
        };
        Self { code: fault.code(), detail }
    }
}

/// What a PATCH says about one member.
#[derive(Debug)]
pub enum Change<T> {
    /// It is absent.
    Keep,
    /// It is `null`.
    Clear,
    /// It has a new value.
    Set(T),
}

impl<T: AsRef<str>> Change<T> {
    /// Whether the old value stays, and otherwise the new one: two binds for `CASE WHEN $1 THEN column ELSE $2 END`.
    pub fn as_bind(&self) -> (bool, Option<&str>) {
        match self {
            Self::Keep => (true, None),
            Self::Clear => (false, None),
            Self::Set(value) => (false, Some(value.as_ref())),
        }
    }
}

/// Reads an instant (RFC 3339).
///
/// # Errors
/// `invalid_time`.
pub fn parse_time(text: &str) -> Result<Ts, Fault> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(Ts::from).map_err(|_| {
        Fault::new("invalid_time", "Write a time such as 2026-01-31T09:00:00Z.", "2026-01-31T09:00:00Z처럼 쓰세요.")
    })
}

/// The members of a request's body, each to be taken once.
#[derive(Debug)]
pub struct Fields {
    members: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// From members that were read elsewhere.
    pub fn from_members(members: Map<String, Value>) -> Self {
        Self { members, errors: Vec::new() }
    }

    /// Builds a value with `read`, which takes members; members that it leaves are unknown and refused.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every fault.
    pub fn read<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Error> {
        let value = read(&mut self);
        for (name, _) in std::mem::take(&mut self.members) {
            self.refuse::<()>(&name, Fault::new("unknown", "There is no such member.", "알 수 없는 항목입니다."));
        }
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            Some(_) | None => Err(Error::Invalid(self.errors)),
        }
    }

    /// Whether a member is there to be taken.
    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Takes a text that must be there.
    pub fn required<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        match self.members.remove(name) {
            Some(value) => self.text(name, &value, parse),
            None => self.refuse(name, Fault::new("required", "This member is required.", "필수 항목입니다.")),
        }
    }

    /// Takes a text that may be absent or `null`.
    pub fn optional<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<Option<T>> {
        match self.members.remove(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => self.text(name, &value, parse).map(Some),
        }
    }

    /// Takes what a PATCH says of a text.
    pub fn change<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<Change<T>> {
        match self.members.remove(name) {
            None => Some(Change::Keep),
            Some(Value::Null) => Some(Change::Clear),
            Some(value) => self.text(name, &value, parse).map(Change::Set),
        }
    }

    /// Takes a list of texts that must be there, each at most once.
    pub fn texts<T: PartialEq>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<Vec<T>> {
        let Some(value) = self.members.remove(name) else {
            return self.refuse(name, Fault::new("required", "This member is required.", "필수 항목입니다."));
        };
        let Value::Array(items) = value else {
            return self
                .refuse(name, Fault::new("not_a_list", "This must be a list of texts.", "문자열 목록이어야 합니다."));
        };
        if items.len() > MAX_ITEMS {
            return self.refuse(name, Fault::new("too_many", "At most 1000 items.", "1000개를 넘을 수 없습니다."));
        }
        let mut list = Vec::new();
        for item in items {
            let item = self.text(name, &item, &parse)?;
            if list.contains(&item) {
                return self.refuse(
                    name,
                    Fault::new("duplicate", "An item stands twice.", "같은 항목이 두 번 들어 있습니다."),
                );
            }
            list.push(item);
        }
        Some(list)
    }

    /// Takes a list of texts that may be absent, as an empty one.
    pub fn optional_texts<T: PartialEq>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<Vec<T>> {
        if self.has(name) { self.texts(name, parse) } else { Some(Vec::new()) }
    }

    /// Takes a member of any type that must be there.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        match self.members.remove(name) {
            Some(value) => Some(value),
            None => self.refuse(name, Fault::new("required", "This member is required.", "필수 항목입니다.")),
        }
    }

    /// Takes `true` or `false`; `default` when it is absent.
    pub fn flag(&mut self, name: &str, default: bool) -> Option<bool> {
        match self.members.remove(name) {
            None => Some(default),
            Some(Value::Bool(flag)) => Some(flag),
            Some(_) => self.refuse(
                name,
                Fault::new("not_a_boolean", "This must be true or false.", "true 또는 false여야 합니다."),
            ),
        }
    }

    /// Takes a whole number that may be absent or `null`, and is no less than `least`.
    pub fn number(&mut self, name: &str, least: i64) -> Option<Option<i64>> {
        match self.members.remove(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => match value.as_i64() {
                Some(number) if number >= least => Some(Some(number)),
                Some(_) => self.refuse(name, Fault::new("out_of_range", "This is too small.", "값이 너무 작습니다.")),
                None => {
                    self.refuse(name, Fault::new("not_a_number", "This must be a whole number.", "정수여야 합니다."))
                }
            },
        }
    }

    /// Records a fault of a member that is wrong beside another.
    pub fn refuse<T>(&mut self, name: &str, fault: Fault) -> Option<T> {
        if self.errors.len() < MAX_FAULTS {
            let field = name.chars().take(MAX_NAME).collect::<String>().into();
            self.errors.push(FieldError { field, code: fault.code, detail: fault.detail });
        }
        None
    }

    fn text<T>(&mut self, name: &str, value: &Value, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let parsed = match value {
            Value::String(text) => parse(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(Fault::new("not_a_string", "This must be a string.", "문자열이어야 합니다."))
            }
        };
        parsed.map_err(|fault| self.refuse::<()>(name, fault)).ok()
    }

    fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        let Unique(value) = serde_json::from_slice(bytes).map_err(|fault| {
            if fault.is_data() { Error::DuplicateMember(fault.to_string()) } else { Error::MalformedJson }
        })?;
        match value {
            Value::Object(members) => Ok(Self { members, errors: Vec::new() }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(Error::NotAnObject)
            }
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !media_type.is_some_and(is_json) {
            return Err(Error::UnsupportedMediaType);
        }
        // The edge has read it whole, or refused it.
        let body = Bytes::from_request(request, state).await.map_err(|_| Error::MalformedJson)?;
        Self::from_json(&body)
    }
}

fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Any JSON value in which no object, at any depth, has the same member twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Self)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let Unique(value) = entries.next_value()?;
            if object.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(name));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_stands_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":{"b":1,"b":2}}"#, r#"{"a":[{"b":1,"b":2}]}"#, r#"{"a":1,"\u0061":2}"#]
        {
            assert!(matches!(Fields::from_json(text.as_bytes()), Err(Error::DuplicateMember(_))), "{text}");
        }
    }

    #[test]
    fn malformed_json_and_other_values_are_told_apart() {
        for text in ["", "{", r#"{"a":1}x"#, "{'a':1}", "\u{feff}{}", &"[".repeat(200)] {
            assert!(matches!(Fields::from_json(text.as_bytes()), Err(Error::MalformedJson)), "{text}");
        }
        for text in ["[]", "null", "1", r#""a""#] {
            assert!(matches!(Fields::from_json(text.as_bytes()), Err(Error::NotAnObject)), "{text}");
        }
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let fields = Fields::from_json(br#"{"a":1,"c":"","d":true}"#).unwrap();
        let outcome = fields.read(|f| {
            let a = f.required("a", |text| Ok(text.to_owned()));
            let b = f.required("b", |text| Ok(text.to_owned()));
            let c = f.optional("c", |_| Err::<(), _>(Fault::new("empty", "", "")));
            Some((a?, b?, c?))
        });
        let Err(Error::Invalid(errors)) = outcome else { panic!("refused") };
        let faults: Vec<_> = errors.iter().map(|e| (e.field.as_ref(), e.code)).collect();
        assert_eq!(faults, [("a", "not_a_string"), ("b", "required"), ("c", "empty"), ("d", "unknown")]);
    }
}
