//! Finds people among millions.
//!
//! What a list costs depends on how it is found. Few people who fit are looked up first and sorted; where many fit, the
//! order's index is walked until a page is full, and they are met soon. Which of the two is tried, for an estimate that is
//! wrong by much costs a second.

use std::fmt::Write as _;

use auth_sdk::UserStatus;
use uuid::Uuid;

use super::{
    filter::{Filter, Search},
    stretch::Stretch,
};
use crate::{
    db::{Bind, Conn, DbError, Engine, Statement},
    roles,
    users::store::UserRow,
};

/// The most people who are looked up and sorted.
const FEW: i64 = 5_000;
/// The most people who are counted.
const COUNTED: i64 = 1_000;

const COLUMNS: &str = "
    users.id, users.email, users.email_verified_at, users.username, users.display_name, users.phone, users.avatar_url,
    users.locale, users.status, users.password_hash, users.password_changed_at, users.token_version, users.created_at,
    users.updated_at, users.last_login_at, users.deleted_at,
    (SELECT version FROM role_catalogue) AS catalogue_version";

/// The people of a page and one more, if there is one; and how many fit in all, where that is known at no great cost.
pub async fn find(conn: &mut Conn, filter: &Filter) -> Result<(Vec<UserRow>, Option<i64>), DbError> {
    let Some(source) = choose_source(conn, filter).await? else { return Ok((Vec::new(), Some(0))) };
    let engine = conn.engine();
    let total = count(conn, filter, &source).await?;
    let (most, mut rows) = (filter.page.limit + 1, Vec::new());
    for stretch in Stretch::of(filter) {
        let room = most - i64::try_from(rows.len()).unwrap_or(most);
        if room > 0 {
            let mut statement = source.begin(COLUMNS, engine);
            push_conditions(&mut statement, filter, &source);
            stretch.push(&mut statement, filter);
            statement.push(" LIMIT ").bind(Bind::Number(room));
            rows.extend(statement.fetch_all(conn).await?);
        }
    }
    Ok((rows, total))
}

/// Where rows come from.
enum Source {
    /// Every account, in the order's index.
    All,
    /// These few who match what is searched for.
    Matching(Vec<Uuid>),
    /// These few who hold the role, or whom a small index holds.
    Among(Vec<Uuid>),
}

/// Where to look; nothing when nobody can fit.
async fn choose_source(conn: &mut Conn, filter: &Filter) -> Result<Option<Source>, DbError> {
    if let Some(search) = &filter.search {
        let statement = select_matching(search, filter.deleted, conn.engine());
        if let Some(ids) = find_few(conn, statement).await? {
            return Ok(Some(ids).filter(|ids| !ids.is_empty()).map(Source::Matching));
        }
    }
    for statement in select_marked(filter) {
        if let Some(ids) = find_few(conn, statement).await? {
            return Ok(Some(ids).filter(|ids| !ids.is_empty()).map(Source::Among));
        }
    }
    if let Some(name) = &filter.role {
        // By its id, for a planner knows how many hold which id, and not which name is whose.
        let Some(role) = roles::store::find_by_name(conn, name.as_str()).await? else { return Ok(None) };
        let mut statement = Statement::new("SELECT user_id FROM user_roles WHERE role_id = ");
        statement.bind(Bind::Id(role.id));
        if let Some(ids) = find_few(conn, statement).await? {
            return Ok(Some(ids).filter(|ids| !ids.is_empty()).map(Source::Among));
        }
    }
    Ok(Some(Source::All))
}

/// The ids that a statement selects, unless they are too many.
async fn find_few(conn: &mut Conn, mut statement: Statement) -> Result<Option<Vec<Uuid>>, DbError> {
    statement.push(" LIMIT ").bind(Bind::Number(FEW + 1));
    let ids: Vec<(Uuid,)> = statement.fetch_all(conn).await?;
    let is_few = i64::try_from(ids.len()).is_ok_and(|count| count <= FEW);
    Ok(is_few.then(|| ids.into_iter().map(|(id,)| id).collect()))
}

/// Selects the ids of those of whom an index holds no others.
fn select_marked(filter: &Filter) -> impl Iterator<Item = Statement> + use<> {
    let by_status = match filter.status {
        Some(UserStatus::Disabled) => Some("SELECT id FROM users WHERE deleted_at IS NULL AND status = 'disabled'"),
        Some(UserStatus::Pending) => Some("SELECT id FROM users WHERE deleted_at IS NULL AND status = 'pending'"),
        Some(UserStatus::Active) | None => None,
    };
    let by_address = match filter.verified {
        Some(true) => Some("SELECT id FROM users WHERE deleted_at IS NULL AND email_verified_at IS NOT NULL"),
        Some(false) => Some("SELECT id FROM users WHERE deleted_at IS NULL AND email_verified_at IS NULL"),
        None => None,
    };
    // Those who are deleted are in none, and are few.
    let marks = if filter.deleted { [None, None] } else { [by_status, by_address] };
    marks.into_iter().flatten().map(Statement::new)
}

/// Selects the ids of those who match, each kind of text by an index of its own.
fn select_matching(search: &Search, deleted: bool, engine: Engine) -> Statement {
    let text = match search {
        Search::Part(text) if engine == Engine::Postgres => {
            let mut statement = Statement::new("SELECT id FROM users WHERE search_text LIKE ");
            statement.bind(Bind::Text(containing(text)));
            return statement;
        }
        Search::Part(text) => {
            let mut statement = Statement::new(
                "SELECT users.id FROM users_search JOIN users ON users.search_key = users_search.rowid WHERE users_search MATCH ",
            );
            statement.bind(Bind::Text(phrase(text)));
            return statement;
        }
        Search::Prefix(text) => text,
    };
    let mut statement = Statement::new("SELECT id FROM (");
    let mut separator = "";
    for prefix in PREFIXES {
        statement.push(separator).push("SELECT id FROM (SELECT users.id FROM users WHERE ");
        // The indexes of names are of those who are not deleted.
        statement.push(if deleted { "users.deleted_at IS NOT NULL AND " } else { "users.deleted_at IS NULL AND " });
        push_prefix(&mut statement, prefix, text).push(" LIMIT ").bind(Bind::Number(FEW + 1)).push(") AS part");
        separator = " UNION ALL ";
    }
    statement.push(") AS parts");
    statement
}

impl Source {
    /// A statement up to its conditions, on the rows of this source, which are collected before anything else is done.
    fn begin(&self, columns: &'static str, engine: Engine) -> Statement {
        let (Self::Matching(ids) | Self::Among(ids)) = self else {
            let mut statement = Statement::new("SELECT");
            statement.push(columns).push(" FROM users WHERE ");
            return statement;
        };
        let mut statement = Statement::new("WITH found AS MATERIALIZED (SELECT users.* FROM users WHERE id ");
        let listed = Bind::Text(list(ids, engine));
        match engine {
            Engine::Postgres => statement.push("= ANY(").bind(listed).push("::text::uuid[])"),
            Engine::Sqlite => statement.push("IN (SELECT unhex(value) FROM json_each(").bind(listed).push("))"),
        };
        statement.push(") SELECT").push(columns).push(" FROM found AS users WHERE ");
        statement
    }
}

/// Ids as one value: an array of PostgreSQL, one of JSON for SQLite.
fn list(ids: &[Uuid], engine: Engine) -> String {
    let (open, quote, close) = match engine {
        Engine::Postgres => ('{', "", '}'),
        Engine::Sqlite => ('[', "\"", ']'),
    };
    let mut text = String::from(open);
    for (at, id) in ids.iter().enumerate() {
        let separator = if at == 0 { "" } else { "," };
        // Writing to a text cannot fail.
        let _ = write!(text, "{separator}{quote}{}{quote}", id.simple());
    }
    text.push(close);
    text
}

fn push_conditions(statement: &mut Statement, filter: &Filter, source: &Source) {
    statement.push(if filter.deleted { "users.deleted_at IS NOT NULL" } else { "users.deleted_at IS NULL" });
    if let Some(status) = filter.status {
        // A constant, so that the small index of those who are not active is found.
        statement.push(match status {
            UserStatus::Active => " AND users.status = 'active'",
            UserStatus::Disabled => " AND users.status = 'disabled'",
            UserStatus::Pending => " AND users.status = 'pending'",
        });
    }
    if let Some(is_verified) = filter.verified {
        statement.push(if is_verified {
            " AND users.email_verified_at IS NOT NULL"
        } else {
            " AND users.email_verified_at IS NULL"
        });
    }
    match (&filter.search, source) {
        (Some(Search::Part(text)), Source::All | Source::Among(_)) => {
            statement.push(" AND users.search_text LIKE ").bind(Bind::Text(containing(text))).push(" ESCAPE '\\'");
        }
        (Some(Search::Prefix(text)), Source::All | Source::Among(_)) => {
            let mut separator = " AND (";
            for prefix in PREFIXES {
                push_prefix(statement.push(separator), prefix, text);
                separator = " OR ";
            }
            statement.push(")");
        }
        (Some(_), Source::Matching(_)) | (None, _) => {}
    }
    if let Some(role) = &filter.role {
        statement
            .push(" AND EXISTS (SELECT 1 FROM user_roles WHERE user_id = users.id AND role_id = (SELECT id FROM roles WHERE name = ")
            .bind(Bind::Text(role.as_str().to_owned()))
            .push("))");
    }
    if let Some(time) = filter.created_after {
        statement.push(" AND users.created_at > ").bind(Bind::Time(time));
    }
    if let Some(time) = filter.last_login_before {
        statement.push(" AND (users.last_login_at < ").bind(Bind::Time(time)).push(" OR users.last_login_at IS NULL)");
    }
}

/// How many fit, if it is not more than can be counted at once. Where they would have to be looked for, nobody counts.
async fn count(conn: &mut Conn, filter: &Filter, source: &Source) -> Result<Option<i64>, DbError> {
    let is_searched = filter.search.is_some()
        || filter.role.is_some()
        || filter.last_login_before.is_some()
        || (filter.verified.is_some() && filter.status.is_some());
    if matches!(source, Source::All) && is_searched {
        return Ok(None);
    }
    let mut statement = source.begin(" COUNT(*) FROM (SELECT 1 AS found", conn.engine());
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
