//! Both engines hold the same schema, but for what is listed here.

use std::collections::BTreeSet;

use auth_service::db::{Engine, migrate};

use crate::databases::Database;

/// A revocation's number, by which the log is tailed: PostgreSQL keeps the transaction's, SQLite counts rows. And the
/// trigrams of people: an index on PostgreSQL, a table by the rows' numbers on SQLite.
const ONLY_POSTGRES: [&str; 5] = [
    "CREATE INDEX idx_revocations_xact ON revocations (xact)",
    "CREATE INDEX idx_users_search_text ON users USING gin (search_text gin_trgm_ops)",
    "column revocations.xact XID8 NOT NULL",
    "key revocations PRIMARY (id)",
    "key users PRIMARY (id)",
];
const ONLY_SQLITE: [&str; 6] = [
    "column revocations.xact INTEGER NOT NULL",
    "column users.search_key INTEGER NOT NULL",
    "key revocations PRIMARY (xact)",
    "key revocations UNIQUE (id)",
    "key users PRIMARY (search_key)",
    "key users UNIQUE (id)",
];

const POSTGRES_CATALOG: [&str; 4] = [
    "SELECT 'column ' || table_name || '.' || column_name || ' '
         || CASE udt_name WHEN 'int4' THEN 'INTEGER' WHEN 'int8' THEN 'BIGINT' WHEN 'bool' THEN 'BOOLEAN'
            ELSE upper(udt_name) END
         || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
     FROM information_schema.columns WHERE table_schema = 'public'",
    "SELECT 'key ' || c.conrelid::regclass || CASE c.contype WHEN 'p' THEN ' PRIMARY (' ELSE ' UNIQUE (' END
         || string_agg(a.attname, ', ' ORDER BY k.place) || ')'
     FROM pg_constraint AS c CROSS JOIN unnest(c.conkey) WITH ORDINALITY AS k (attnum, place)
     JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
     WHERE c.contype IN ('p', 'u') AND c.connamespace = 'public'::regnamespace
     GROUP BY c.oid, c.conrelid, c.contype",
    "SELECT 'reference ' || c.conrelid::regclass || '.' || a.attname || ' to ' || c.confrelid::regclass
         || CASE c.confdeltype WHEN 'c' THEN ' CASCADE' ELSE '' END
     FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
     WHERE c.contype = 'f'",
    "SELECT replace(replace(indexdef, 'public.', ''), ' USING btree', '')
     FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'idx%'",
];

const SQLITE_CATALOG: [&str; 4] = [
    "SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type
         || CASE WHEN c.\"notnull\" OR c.pk THEN ' NOT NULL' ELSE '' END
     FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'users_search%'",
    "SELECT 'key ' || t.name || ' PRIMARY (' || group_concat(c.name, ', ' ORDER BY c.pk) || ')'
     FROM sqlite_master AS t, pragma_table_info(t.name) AS c
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'users_search%' AND c.pk GROUP BY t.name
     UNION ALL
     SELECT 'key ' || t.name || ' UNIQUE (' || group_concat(c.name, ', ' ORDER BY c.seqno) || ')'
     FROM sqlite_master AS t, pragma_index_list(t.name) AS i, pragma_index_info(i.name) AS c
     WHERE t.type = 'table' AND i.origin = 'u' GROUP BY i.name",
    "SELECT 'reference ' || t.name || '.' || f.\"from\" || ' to ' || f.\"table\"
         || CASE f.on_delete WHEN 'CASCADE' THEN ' CASCADE' ELSE '' END
     FROM sqlite_master AS t, pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table'",
    "SELECT sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'idx%'",
];

/// What every database is born with.
const ROWS: [&str; 4] = [
    "SELECT name || ': ' || description FROM roles WHERE is_system",
    "SELECT name || ': ' || description FROM permissions",
    "SELECT roles.name || ' may ' || permissions.name FROM role_permissions
     JOIN roles ON roles.id = role_permissions.role_id JOIN permissions ON permissions.id = role_permissions.permission_id",
    "SELECT 'catalogue ' || version FROM role_catalogue",
];

async fn facts(database: &Database, queries: &[&str]) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for query in queries {
        let found = database.lines(query).await;
        assert!(!found.is_empty(), "{query}");
        facts.extend(found.iter().map(|fact| respell(fact)));
    }
    facts
}

/// One spelling: PostgreSQL adds parentheses and types to an index's condition, SQLite keeps the lines of its script.
fn respell(fact: &str) -> String {
    let fact = fact.split_whitespace().collect::<Vec<_>>().join(" ");
    match fact.split_once(" WHERE ") {
        Some((columns, condition)) => {
            format!("{columns} WHERE {}", condition.replace(['(', ')'], "").replace("::text", ""))
        }
        None => fact,
    }
}

async fn both() -> (Database, Database) {
    let (postgres, sqlite) = (Database::empty(Engine::Postgres), Database::empty(Engine::Sqlite));
    for database in [&postgres, &sqlite] {
        migrate::apply(&database.open(), migrate::SCRIPTS).await.unwrap();
    }
    (postgres, sqlite)
}

#[tokio::test]
async fn the_catalogs_are_equal_but_for_the_known_differences() {
    let (postgres, sqlite) = both().await;
    let (postgres, sqlite) = (facts(&postgres, &POSTGRES_CATALOG).await, facts(&sqlite, &SQLITE_CATALOG).await);
    assert_eq!(postgres.difference(&sqlite).collect::<Vec<_>>(), ONLY_POSTGRES, "on PostgreSQL alone");
    assert_eq!(sqlite.difference(&postgres).collect::<Vec<_>>(), ONLY_SQLITE, "on SQLite alone");
    println!("{} columns, keys, references and indexes are the same", postgres.intersection(&sqlite).count());
}

#[tokio::test]
async fn both_engines_begin_with_the_same_roles_and_permissions() {
    let (postgres, sqlite) = both().await;
    assert_eq!(facts(&postgres, &ROWS).await, facts(&sqlite, &ROWS).await);
}
