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
        self.0.read(read).map_err(|error| {
            let Error::Invalid(faults) = error else { return error };
            Error::InvalidQuery(faults)
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
            if value.contains('\0') {
                errors.refuse::<()>(&name, Fault::new("invalid_characters", "No NUL.", "NUL 문자는 쓸 수 없습니다."));
            } else if value.len() > MAX_VALUE {
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
    /// A text, and no empty one.
    Text(String),
    /// Neither: the row has none, and comes after those that do.
    Absent,
}

/// The name of an order, and what its keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// By an instant.
    ByTime(&'static str),
    /// By an instant that some rows have not.
    MaybeByTime(&'static str),
    /// By a text.
    ByText(&'static str),
}

impl Sort {
    const fn name(self) -> &'static str {
        match self {
            Self::ByTime(name) | Self::MaybeByTime(name) | Self::ByText(name) => name,
        }
    }
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

impl PageQuery {
    /// The text after which the page begins, in a list by text; every text comes after the empty one.
    pub fn after_text(&self) -> &str {
        match &self.after {
            Some(Cursor { key: SortKey::Text(text), .. }) => text,
            Some(Cursor { key: SortKey::Time(_) | SortKey::Absent, .. }) | None => "",
        }
    }
}

/// Takes `limit` and `cursor`; a cursor of another order is refused.
pub fn page(fields: &mut Fields, sort: Sort) -> Option<PageQuery> {
    let limit = fields.optional("limit", |text| match text.parse() {
        Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        Ok(_) | Err(_) => Err(Fault::new("out_of_range", "1 to 100.", "1에서 100 사이여야 합니다.")),
    });
    let after = fields.optional("cursor", |text| Cursor::parse(text, sort).ok_or_else(invalid_cursor));
    Some(PageQuery { limit: limit?.unwrap_or(DEFAULT_LIMIT), after: after? })
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
            Some(Self { key: SortKey::Text(_) | SortKey::Absent, .. }) | None => {
                (Ts::from(Timestamp::MAX), Uuid::max())
            }
        }
    }

    fn parse(text: &str, sort: Sort) -> Option<Self> {
        let text = String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
        let (order, rest) = text.split_once(' ')?;
        let (id, key) = rest.split_once(' ')?;
        let key = match sort {
            Sort::MaybeByTime(_) | Sort::ByText(_) if key.is_empty() => SortKey::Absent,
            Sort::ByTime(_) | Sort::MaybeByTime(_) => {
                SortKey::Time(key.parse().ok().filter(|at| TIMES.contains(at)).map(Ts::from_micros)?)
            }
            Sort::ByText(_) if key.contains('\0') => return None,
            Sort::ByText(_) => SortKey::Text(key.to_owned()),
        };
        (order == sort.name()).then_some(Self { key, id: id.parse().ok()? })
    }

    fn to_wire(&self, sort: Sort) -> String {
        let key = match &self.key {
            SortKey::Time(time) => time.as_micros().to_string(),
            SortKey::Text(text) => text.clone(),
            SortKey::Absent => String::new(),
        };
        BASE64URL_NOPAD.encode(format!("{} {} {key}", sort.name(), self.id).as_bytes())
    }
}

/// Cuts rows, of which one more than the limit was asked for, to a page; says where the next one begins, if there is one.
pub fn cut<T>(mut rows: Vec<T>, page: &PageQuery, sort: Sort, key: impl Fn(&T) -> Cursor) -> (Vec<T>, Option<String>) {
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
        let (by_time, by_text) = (Sort::ByTime("-created_at"), Sort::ByText("email"));
        let by_login = Sort::MaybeByTime("last_login_at");
        for (sort, key) in [
            (by_time, SortKey::Time(Ts::from_micros(-5))),
            (by_login, SortKey::Time(Ts::from_micros(5))),
            (by_login, SortKey::Absent),
            (by_text, SortKey::Text("a b=@ 김".to_owned())),
            (by_text, SortKey::Absent),
        ] {
            let cursor = Cursor { key, id };
            let wire = cursor.to_wire(sort);
            assert_eq!(Cursor::parse(&wire, sort), Some(cursor));
            for other in [Sort::ByTime("created_at"), Sort::ByText("-email")] {
                assert_eq!(Cursor::parse(&wire, other), None);
            }
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let id = "00000000-0000-0000-0000-000000000007";
        for text in
            ["", "x", "at", "at x 1", "at 0 1", &format!("at {id} "), &format!("at {id} x"), &format!("at {id}")]
        {
            assert_eq!(Cursor::parse(text, Sort::ByTime("at")), None, "{text}");
            assert_eq!(Cursor::parse(&BASE64URL_NOPAD.encode(text.as_bytes()), Sort::ByTime("at")), None, "{text}");
        }
    }
}
