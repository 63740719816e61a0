//! Finds people among millions.
//!
//! What a list costs depends on how it is found. Few people who fit are fetched and sorted; where many fit, the order's
//! index is walked until a page is full, and they are met soon. Which of the two is counted first, for an estimate that is
//! wrong by much costs a second.

use uuid::Uuid;

use super::filter::{Filter, Order, Search};
use crate::{
    db::{Bind, Conn, DbError, Engine, Statement},
    lists::{Cursor, SortKey},
    roles,
    users::store::UserRow,
};

/// The most people who are fetched and sorted.
const FEW: i64 = 5_000;
/// The most people who are counted.
const COUNTED: i64 = 1_000;

const COLUMNS: &str = "
    users.id, users.email, users.email_verified_at, users.username, users.display_name, users.phone, users.avatar_url,
    users.locale, users.status, users.password_hash, users.password_changed_at, users.token_version, users.created_at,
    users.updated_at, users.last_login_at, (SELECT version FROM role_catalogue) AS catalogue_version";

/// The people of a page and one more, if there is one; and how many fit in all, where that is known at no great cost.
pub async fn find(conn: &mut Conn, filter: &Filter) -> Result<(Vec<UserRow>, Option<i64>), DbError> {
    let Some(source) = choose_source(conn, filter).await? else { return Ok((Vec::new(), Some(0))) };
    let total = count(conn, filter, &source).await?;
    let mut statement = source.begin(COLUMNS);
    push_conditions(&mut statement, filter, &source);
    push_page(&mut statement, filter);
    Ok((statement.fetch_all(conn).await?, total))
}

/// Where rows come from.
struct Source {
    kind: Kind,
    engine: Engine,
    deleted: bool,
}

enum Kind {
    /// Every account, in the order's index.
    All,
    /// The few who match what is searched for.
    Matching(Search),
    /// The few who hold a role.
    Holding(Uuid),
}

/// Where to look; nothing when there is no such role, so that nobody can hold it.
async fn choose_source(conn: &mut Conn, filter: &Filter) -> Result<Option<Source>, DbError> {
    let engine = conn.engine();
    let searched = filter.search.clone().map(Kind::Matching);
    // By its id, for a planner knows how many hold which id, and not which name is whose.
    let held = match &filter.role {
        Some(role) => match roles::store::find_by_name(conn, role.as_str()).await? {
            Some(role) => Some(Kind::Holding(role.id)),
            None => return Ok(None),
        },
        None => None,
    };
    for kind in [searched, held].into_iter().flatten() {
        let source = Source { kind, engine, deleted: filter.deleted };
        if source.is_small(conn).await? {
            return Ok(Some(source));
        }
    }
    Ok(Some(Source { kind: Kind::All, engine, deleted: filter.deleted }))
}

impl Source {
    /// Whether it holds few rows.
    async fn is_small(&self, conn: &mut Conn) -> Result<bool, DbError> {
        let mut statement = Statement::new("SELECT COUNT(*) FROM (");
        for part in 0..self.parts() {
            statement.push(if part == 0 {
                "SELECT 1 AS found FROM (SELECT 1 AS one"
            } else {
                " UNION ALL SELECT 1 FROM (SELECT 1 AS one"
            });
            self.push_from(&mut statement, part);
            statement.push(" LIMIT ").bind(Bind::Number(FEW + 1)).push(") AS part");
        }
        statement.push(") AS few");
        let counts: Vec<(i64,)> = statement.fetch_all(conn).await?;
        Ok(counts.first().is_some_and(|(count,)| *count <= FEW))
    }

    /// A statement up to its conditions, on the rows of this source, which are collected before anything else is done.
    fn begin(&self, columns: &'static str) -> Statement {
        if matches!(self.kind, Kind::All) {
            let mut statement = Statement::new("SELECT");
            statement.push(columns).push(" FROM users WHERE ");
            return statement;
        }
        let mut statement = Statement::new("WITH found AS MATERIALIZED (");
        for part in 0..self.parts() {
            statement.push(if part == 0 { "SELECT users.*" } else { " UNION SELECT users.*" });
            self.push_from(&mut statement, part);
        }
        statement.push(") SELECT").push(columns).push(" FROM found AS users WHERE ");
        statement
    }

    /// How many selections it takes, each by an index of its own.
    const fn parts(&self) -> usize {
        match &self.kind {
            Kind::Matching(Search::Prefix(_)) => PREFIXES.len(),
            Kind::Matching(Search::Part(_)) | Kind::Holding(_) | Kind::All => 1,
        }
    }

    fn push_from(&self, statement: &mut Statement, part: usize) {
        match &self.kind {
            Kind::All => statement.push(" FROM users"),
            Kind::Matching(Search::Part(text)) => match self.engine {
                Engine::Postgres => {
                    statement.push(" FROM users WHERE search_text LIKE ").bind(Bind::Text(containing(text)))
                }
                Engine::Sqlite => statement
                    .push(" FROM users_search JOIN users ON users.search_key = users_search.rowid WHERE users_search MATCH ")
                    .bind(Bind::Text(phrase(text))),
            },
            Kind::Matching(Search::Prefix(text)) => {
                // The indexes of names are of those who are not deleted.
                statement.push(if self.deleted {
                    " FROM users WHERE users.deleted_at IS NOT NULL AND "
                } else {
                    " FROM users WHERE users.deleted_at IS NULL AND "
                });
                push_prefix(statement, PREFIXES[part], text)
            }
            Kind::Holding(role) => statement
                .push(" FROM user_roles JOIN users ON users.id = user_roles.user_id WHERE user_roles.role_id = ")
                .bind(Bind::Id(*role)),
        };
    }
}

fn push_conditions(statement: &mut Statement, filter: &Filter, source: &Source) {
    statement.push(if filter.deleted { "users.deleted_at IS NOT NULL" } else { "users.deleted_at IS NULL" });
    if let Some(status) = filter.status {
        // A constant, so that the small index of those who are not active is found.
        statement.push(match status {
            auth_sdk::UserStatus::Active => " AND users.status = 'active'",
            auth_sdk::UserStatus::Disabled => " AND users.status = 'disabled'",
            auth_sdk::UserStatus::Pending => " AND users.status = 'pending'",
        });
    }
    match (&filter.search, &source.kind) {
        (Some(Search::Part(text)), Kind::All | Kind::Holding(_)) => {
            statement.push(" AND users.search_text LIKE ").bind(Bind::Text(containing(text))).push(" ESCAPE '\\'");
        }
        (Some(Search::Prefix(text)), Kind::All | Kind::Holding(_)) => {
            let mut separator = " AND (";
            for prefix in PREFIXES {
                push_prefix(statement.push(separator), prefix, text);
                separator = " OR ";
            }
            statement.push(")");
        }
        (Some(_), Kind::Matching(_)) | (None, _) => {}
    }
    if let Some(role) = &filter.role {
        statement
            .push(" AND EXISTS (SELECT 1 FROM user_roles JOIN roles ON roles.id = user_roles.role_id WHERE user_roles.user_id = users.id AND roles.name = ")
            .bind(Bind::Text(role.as_str().to_owned()))
            .push(")");
    }
    if let Some(time) = filter.created_after {
        statement.push(" AND users.created_at > ").bind(Bind::Time(time));
    }
    if let Some(time) = filter.last_login_before {
        statement.push(" AND (users.last_login_at < ").bind(Bind::Time(time)).push(" OR users.last_login_at IS NULL)");
    }
}

fn push_page(statement: &mut Statement, filter: &Filter) {
    if let Some(Cursor { key, id }) = &filter.page.after {
        statement.push(match filter.order {
            Order::OldestFirst => " AND (users.created_at, users.id) > (",
            Order::NewestFirst => " AND (users.created_at, users.id) < (",
            Order::EmailAscending => " AND (users.email, users.id) > (",
            Order::EmailDescending => " AND (users.email, users.id) < (",
        });
        let key = match key {
            SortKey::Time(time) => Bind::Time(*time),
            SortKey::Text(text) => Bind::Text(text.clone()),
        };
        statement.bind(key).push(", ").bind(Bind::Id(*id)).push(")");
    }
    statement.push(match filter.order {
        Order::OldestFirst => " ORDER BY users.created_at, users.id",
        Order::NewestFirst => " ORDER BY users.created_at DESC, users.id DESC",
        Order::EmailAscending => " ORDER BY users.email, users.id",
        Order::EmailDescending => " ORDER BY users.email DESC, users.id DESC",
    });
    statement.push(" LIMIT ").bind(Bind::Number(filter.page.limit + 1));
}

/// How many fit, if it is not more than can be counted at once. Where they would have to be looked for, nobody counts.
async fn count(conn: &mut Conn, filter: &Filter, source: &Source) -> Result<Option<i64>, DbError> {
    let is_searched = filter.search.is_some() || filter.role.is_some() || filter.last_login_before.is_some();
    if matches!(source.kind, Kind::All) && is_searched {
        return Ok(None);
    }
    let mut statement = source.begin(" COUNT(*) FROM (SELECT 1 AS found");
    push_conditions(&mut statement, filter, source);
    statement.push(" LIMIT ").bind(Bind::Number(COUNTED + 1)).push(") AS counted");
    let counts: Vec<(i64,)> = statement.fetch_all(conn).await?;
    Ok(counts.first().map(|(count,)| *count).filter(|count| *count <= COUNTED))
}

/// The pattern of texts that contain this one.
fn containing(text: &str) -> String {
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// The text as a phrase of SQLite's full-text search.
fn phrase(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// What may begin with a text, each with the condition of its index.
const PREFIXES: [[&str; 2]; 3] = [
    ["(users.email >= ", " AND users.email < "],
    ["(lower(users.username) IS NOT NULL AND lower(users.username) >= ", " AND lower(users.username) < "],
    ["(users.search_name IS NOT NULL AND users.search_name >= ", " AND users.search_name < "],
];

fn push_prefix<'s>(statement: &'s mut Statement, [from, to]: [&'static str; 2], text: &str) -> &'s mut Statement {
    let end = Bind::Text(after_prefix(text));
    statement.push(from).bind(Bind::Text(text.to_owned())).push(to).bind(end).push(")")
}

/// The first text after all that begin with this one.
fn after_prefix(text: &str) -> String {
    format!("{text}\u{10ffff}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_means_itself() {
        assert_eq!(containing(r"50%_a\b"), r"%50\%\_a\\b%");
        assert_eq!(phrase(r#"say "hi""#), r#""say ""hi""""#);
    }

    #[test]
    fn every_text_with_a_prefix_comes_before_its_end() {
        for text in ["김", "김민수", "김\u{ffff}z"] {
            assert!(text >= "김" && text < after_prefix("김").as_str());
        }
        assert!("깁" > after_prefix("김").as_str());
    }
}
