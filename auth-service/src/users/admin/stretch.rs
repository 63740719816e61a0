//! The parts of a list, each of rows that are found and sorted alike.
//!
//! Whoever has no address comes last where the order is by address, and whoever never logged in where it is by that. The
//! engines put nothing at different ends of an index, so those people are looked for once the others are through: each part
//! is walked in an index of its own, either way.

use uuid::Uuid;

use super::filter::{Filter, Order};
use crate::{
    db::{Bind, Statement},
    lists::{Cursor, SortKey},
};

/// A part of a list, from where a page begins.
pub enum Stretch {
    /// Those who have what the list is sorted by, after the row with this key and id.
    Keyed(Option<(Bind, Uuid)>),
    /// Those who do not, after all others, in the order of their ids, after this one.
    Keyless(Option<Uuid>),
}

impl Stretch {
    /// The parts on which the rows of a page may lie, in their order.
    pub fn of(filter: &Filter) -> Vec<Self> {
        let (keyed, keyless) = match &filter.page.after {
            None => (Some(Self::Keyed(None)), None),
            Some(Cursor { key: SortKey::Time(time), id }) => (Some(Self::Keyed(Some((Bind::Time(*time), *id)))), None),
            Some(Cursor { key: SortKey::Text(text), id }) => {
                (Some(Self::Keyed(Some((Bind::Text(text.clone()), *id)))), None)
            }
            Some(Cursor { key: SortKey::Absent, id }) => (None, Some(*id)),
        };
        let keyless = match filter.order {
            Order::OldestFirst | Order::NewestFirst => None,
            Order::EmailAscending | Order::EmailDescending | Order::LastLoginAscending | Order::LastLoginDescending => {
                Some(Self::Keyless(keyless))
            }
        };
        keyed.into_iter().chain(keyless).collect()
    }

    /// Adds its conditions and its order to a statement.
    pub fn push(self, statement: &mut Statement, filter: &Filter) {
        match self {
            Self::Keyed(after) => push_keyed(statement, filter, after),
            Self::Keyless(after) => push_keyless(statement, filter.order, after),
        }
    }
}

fn push_keyless(statement: &mut Statement, order: Order, after: Option<Uuid>) {
    // The condition of the index.
    statement.push(match order {
        Order::OldestFirst | Order::NewestFirst | Order::EmailAscending | Order::EmailDescending => {
            " AND COALESCE(users.email, '') = ''"
        }
        Order::LastLoginAscending | Order::LastLoginDescending => " AND users.last_login_at IS NULL",
    });
    if let Some(id) = after {
        statement.push(" AND users.id > ").bind(Bind::Id(id));
    }
    statement.push(" ORDER BY users.id");
}

fn push_keyed(statement: &mut Statement, filter: &Filter, after: Option<(Bind, Uuid)>) {
    let order = filter.order;
    statement.push(match order {
        Order::OldestFirst | Order::NewestFirst => "",
        // Every address comes after the empty text. To SQLite this is a bound in the index, which IS NOT NULL is not.
        Order::EmailAscending | Order::EmailDescending => " AND users.email > ''",
        // The condition of the index.
        Order::LastLoginAscending | Order::LastLoginDescending => " AND users.last_login_at IS NOT NULL",
    });
    let is_bound = match order {
        Order::LastLoginAscending => true,
        // Downwards, the row before a page is the closer bound, and of two SQLite may take the other.
        Order::LastLoginDescending => after.is_none(),
        Order::OldestFirst | Order::NewestFirst | Order::EmailAscending | Order::EmailDescending => false,
    };
    // The filter says so too, but with an OR, which is no bound in the index.
    if let Some(time) = filter.last_login_before.filter(|_| is_bound) {
        statement.push(" AND users.last_login_at < ").bind(Bind::Time(time));
    }
    if let Some((key, id)) = after {
        statement.push(match order {
            Order::OldestFirst => " AND (users.created_at, users.id) > (",
            Order::NewestFirst => " AND (users.created_at, users.id) < (",
            Order::EmailAscending => " AND (users.email, users.id) > (",
            Order::EmailDescending => " AND (users.email, users.id) < (",
            Order::LastLoginAscending => " AND (users.last_login_at, users.id) > (",
            Order::LastLoginDescending => " AND (users.last_login_at, users.id) < (",
        });
        statement.bind(key).push(", ").bind(Bind::Id(id)).push(")");
    }
    statement.push(match order {
        Order::OldestFirst => " ORDER BY users.created_at, users.id",
        Order::NewestFirst => " ORDER BY users.created_at DESC, users.id DESC",
        Order::EmailAscending => " ORDER BY users.email, users.id",
        Order::EmailDescending => " ORDER BY users.email DESC, users.id DESC",
        Order::LastLoginAscending => " ORDER BY users.last_login_at, users.id",
        Order::LastLoginDescending => " ORDER BY users.last_login_at DESC, users.id DESC",
    });
}
