//! The plans of the queries that every login makes.

use auth_service::db::{Engine, migrate};
use rstest::rstest;
use test_peers::Postgres;

use crate::databases::{Database, Raw};

const BY_ADDRESS: &str = "SELECT * FROM users WHERE email = 'person77@example.com' AND deleted_at IS NULL";
const BY_NAME: &str = "SELECT * FROM users WHERE lower(username) = lower('Person77') AND deleted_at IS NULL";
/// The parts of a list by address: those who have one, and those who do not.
const LIST: &str = "SELECT id FROM users WHERE deleted_at IS NULL AND email > '' ORDER BY email DESC, id DESC LIMIT 20";
const LIST_END: &str =
    "SELECT id FROM users WHERE deleted_at IS NULL AND COALESCE(email, '') = '' ORDER BY id LIMIT 20";

/// The same by last login, from the first page and from a later one; the end is of those who never came.
const LAST_LOGIN: &str = "SELECT id FROM users WHERE deleted_at IS NULL AND last_login_at IS NOT NULL
    ORDER BY last_login_at DESC, id DESC LIMIT 20";
const LAST_LOGIN_NEXT: &str = "SELECT id FROM users
    WHERE deleted_at IS NULL AND last_login_at IS NOT NULL
        AND (last_login_at, id) > (A_TIME, AN_ID)
    ORDER BY last_login_at, id LIMIT 20";
const LAST_LOGIN_END: &str = "SELECT id FROM users
    WHERE deleted_at IS NULL AND last_login_at IS NULL AND id > AN_ID
    ORDER BY id LIMIT 20";
const VERIFIED: &str = "SELECT id FROM users WHERE deleted_at IS NULL AND email_verified_at IS NOT NULL
    ORDER BY created_at DESC, id DESC LIMIT 20";

/// Ten thousand people, one in ten of them deleted, one in ten without an address, one in ten with a proven one; one in three
/// came once. And statistics about them.
async fn fill(database: &Database) {
    let (series, id, now) = match database.engine {
        Engine::Postgres => ("SELECT generate_series(1, 10000) AS n", "gen_random_uuid()", "now()"),
        Engine::Sqlite => ("SELECT 1 AS n UNION ALL SELECT n + 1 FROM series WHERE n < 10000", "randomblob(16)", "0"),
    };
    let fill = format!(
        "WITH RECURSIVE series AS ({series})
         INSERT INTO users (id, email, username, locale, status, token_version, created_at, updated_at, deleted_at,
                            search_text, email_verified_at, last_login_at)
         SELECT {id}, CASE WHEN n % 10 <> 1 THEN 'person' || n || '@example.com' END, 'person' || n, 'en', 'active',
             1, {now}, {now}, CASE WHEN n % 10 = 0 THEN {now} END, 'person' || n,
             CASE WHEN n % 10 = 2 THEN {now} END, CASE WHEN n % 3 = 0 THEN {now} END
         FROM series; ANALYZE;"
    );
    database.run(&fill).await;
    for query in [BY_ADDRESS, BY_NAME] {
        assert_eq!(database.lines(&query.replace('*', "email")).await, ["person77@example.com"]);
    }
}

/// What the engine says it will do.
async fn plan(database: &Database, query: &str) -> String {
    match database.connect().await {
        Raw::Postgres(_) => database.lines(&format!("EXPLAIN {query}")).await.join("\n"),
        Raw::Sqlite(mut conn) => {
            // Its sentences stand in the last column.
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
            let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&mut conn).await.unwrap();
            plan.into_iter().map(|(.., sentence)| sentence).collect()
        }
    }
}

async fn people_are_found_by_index(database: Database) {
    migrate::apply(&database.open(), migrate::SCRIPTS).await.unwrap();
    let untold = plan(&database, BY_ADDRESS).await;
    assert!(untold.contains("idx_users_email_active"), "without statistics: {untold}");
    fill(&database).await;
    for (query, index) in [(BY_ADDRESS, "idx_users_email_active"), (BY_NAME, "idx_users_username_active")] {
        let plan = plan(&database, query).await;
        let expected = match database.engine {
            Engine::Postgres => format!("Index Scan using {index} on users"),
            Engine::Sqlite => format!("SEARCH users USING INDEX {index} "),
        };
        assert!(plan.contains(&expected), "{plan}");
    }
    for (query, index) in [
        (LIST, "idx_users_email_active"),
        (LIST_END, "idx_users_without_email"),
        (LAST_LOGIN, "idx_users_last_login"),
        (LAST_LOGIN_NEXT, "idx_users_last_login"),
        (LAST_LOGIN_END, "idx_users_without_login"),
        (VERIFIED, "idx_users_verified"),
    ] {
        let (time, id) = match database.engine {
            Engine::Postgres => ("'2020-01-01'", "'01900000-0000-7000-8000-000000000000'"),
            Engine::Sqlite => ("-1", "x'01900000000070008000000000000000'"),
        };
        let plan = plan(&database, &query.replace("A_TIME", time).replace("AN_ID", id)).await;
        // Equal addresses may be sorted among themselves.
        let is_sorted = ["FOR ORDER BY", "->  Sort"].iter().any(|sort| plan.contains(sort));
        assert!(plan.contains(index) && !is_sorted, "{plan}");
    }
}

#[rstest]
#[tokio::test]
async fn postgresql_finds_people_by_index(#[values(15, 16)] version: u16) {
    let server = Postgres::start_version(version).unwrap_or_else(|error| panic!("{error}"));
    let database = Database::at(server.create_database().unwrap());
    assert!(database.lines("SHOW server_version").await[0].starts_with(&version.to_string()));
    people_are_found_by_index(database).await;
}

#[tokio::test]
async fn sqlite_finds_people_by_index() {
    people_are_found_by_index(Database::empty(Engine::Sqlite)).await;
}
