//! Lists: the query that asks for a page, and the cursor that says where the next one begins.
//!
//! A page is found by the last row's sort key and id, so that it costs the same however far in it lies.

use std::ops::RangeInclusive;

use axum::{extract::FromRequestParts, http::request::Parts};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Map, Value};
use url::form_urlencoded;
use uuid::Uuid;

use crate::{
    db::Ts,
    error::{Error, Result},
    fields::{Fault, Fields},
};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;
/// The longest value of a parameter, in bytes: what is searched for is a name, not a book.
const MAX_VALUE: usize = 1_000;

/// The instants that both databases can compare with, the years 1 to 9999, in microseconds since 1970: nobody forged a
/// cursor of ours who stays within.
const TIMES: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// The parameters of a query, each to be taken once.
#[derive(Debug)]
pub struct Params(Fields);

impl Params {
    /// Builds a value with `read`, which takes parameters; those that it leaves are unknown and refused.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] with every fault.
    pub fn read<T>(self, read: impl FnOnce(&mut Fields) -> Option<T>) -> Result<T> {
        self.0.read(read).map_err(|error| match error {
            Error::Invalid(faults) => Error::InvalidQuery(faults),
            other => other,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let query = parts.uri.query().unwrap_or_default();
        let mut members = Map::new();
        let mut errors = Fields::from_members(Map::new());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.len() > MAX_VALUE {
                errors.refuse::<()>(
                    &name,
                    Fault::new("too_long", "At most 1000 bytes.", "1000바이트를 넘을 수 없습니다."),
                );
            } else if members.insert(name.to_string(), Value::String(value.into_owned())).is_some() {
                errors.refuse::<()>(&name, Fault::new("duplicate", "Give this once.", "한 번만 지정하세요."));
            }
        }
        Self(errors).read(|_| Some(()))?;
        Ok(Self(Fields::from_members(members)))
    }
}

/// What a page is sorted by: the name of the order, and the columns' value in the row before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// An instant.
    Time(Ts),
    /// A text.
    Text(String),
}

/// Where a page begins: after the row with this key and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The row's sort key.
    pub key: SortKey,
    /// The row's id, for rows with equal keys.
    pub id: Uuid,
}

/// Which page of a list.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// Rows on it.
    pub limit: i64,
    /// Where it begins; at the beginning without one.
    pub after: Option<Cursor>,
}

/// Takes `limit` and `cursor`; a cursor of another order is refused.
pub fn page(fields: &mut Fields, sort: &str) -> Option<PageQuery> {
    let limit = fields.optional("limit", |text| match text.parse() {
        Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        Ok(_) | Err(_) => Err(Fault::new("out_of_range", "1 to 100.", "1에서 100 사이여야 합니다.")),
    });
    let after = fields.optional("cursor", |text| Cursor::parse(text, sort).ok_or_else(invalid_cursor));
    Some(PageQuery { limit: limit?.unwrap_or(DEFAULT_LIMIT), after: after? })
}

/// The same for a list that is sorted by time alone.
pub fn page_by_time(fields: &mut Fields, sort: &str) -> Option<PageQuery> {
    let page = page(fields, sort)?;
    match page.after.as_ref().map(|after| &after.key) {
        Some(SortKey::Text(_)) => fields.refuse("cursor", invalid_cursor()),
        Some(SortKey::Time(_)) | None => Some(page),
    }
}

/// Reads `true` or `false`.
///
/// # Errors
/// `not_a_boolean`.
pub fn parse_flag(text: &str) -> Result<bool, Fault> {
    text.parse().map_err(|_| Fault::new("not_a_boolean", "This must be true or false.", "true 또는 false여야 합니다."))
}

fn invalid_cursor() -> Fault {
    Fault::new(
        "invalid_cursor",
        "Send a next_cursor of this list as it was.",
        "이 목록의 next_cursor를 그대로 보내세요.",
    )
}

impl Cursor {
    /// Behind a row of a list that is sorted by time.
    pub const fn at(at: Ts, id: Uuid) -> Self {
        Self { key: SortKey::Time(at), id }
    }

    /// What the time and id of rows must lie below, where the newest come first.
    pub fn below(after: Option<&Self>) -> (Ts, Uuid) {
        match after {
            Some(Self { key: SortKey::Time(at), id }) => (*at, *id),
            Some(Self { key: SortKey::Text(_), .. }) | None => (Ts::from(Timestamp::MAX), Uuid::max()),
        }
    }

    fn parse(text: &str, sort: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
        let (order, rest) = text.split_once(' ')?;
        let (id, key) = rest.split_once(' ')?;
        let key = match key.split_at_checked(1)? {
            ("@", micros) => SortKey::Time(micros.parse().ok().filter(|at| TIMES.contains(at)).map(Ts::from_micros)?),
            ("=", text) if !text.contains('\0') => SortKey::Text(text.to_owned()),
            _ => return None,
        };
        (order == sort).then_some(Self { key, id: id.parse().ok()? })
    }

    fn to_wire(&self, sort: &str) -> String {
        let key = match &self.key {
            SortKey::Time(time) => format!("@{}", time.as_micros()),
            SortKey::Text(text) => format!("={text}"),
        };
        BASE64URL_NOPAD.encode(format!("{sort} {} {key}", self.id).as_bytes())
    }
}

/// Cuts rows, of which one more than the limit was asked for, to a page; says where the next one begins, if there is one.
pub fn cut<T>(mut rows: Vec<T>, page: &PageQuery, sort: &str, key: impl Fn(&T) -> Cursor) -> (Vec<T>, Option<String>) {
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return (rows, None);
    }
    rows.truncate(limit);
    let next = rows.last().map(|last| key(last).to_wire(sort));
    (rows, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_and_only_to_its_own_order() {
        let id = Uuid::from_u128(7);
        for key in [SortKey::Time(Ts::from_micros(-5)), SortKey::Text("a b=@ 김".to_owned())] {
            let cursor = Cursor { key, id };
            let wire = cursor.to_wire("-created_at");
            assert_eq!(Cursor::parse(&wire, "-created_at"), Some(cursor));
            assert_eq!(Cursor::parse(&wire, "email"), None);
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in [
            "",
            "x",
            "created_at",
            "created_at x @1",
            "created_at 0 1",
            "created_at 00000000-0000-0000-0000-000000000007 ",
            "created_at 00000000-0000-0000-0000-000000000007 @x",
            "created_at 00000000-0000-0000-0000-000000000007 @-9223372036854775808",
        ] {
            assert_eq!(Cursor::parse(text, "created_at"), None, "{text}");
            assert_eq!(Cursor::parse(&BASE64URL_NOPAD.encode(text.as_bytes()), "created_at"), None, "{text}");
        }
    }
}
