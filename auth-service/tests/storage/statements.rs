//! Every SQL text of the stores, as it stands in the source, is understood by both engines.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use auth_service::db::{Engine, migrate};

use crate::databases::Database;

/// Where the stores are.
pub const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// A statement, by where it stands, with its text for each engine.
pub struct Statement {
    pub place: String,
    postgres: String,
    sqlite: String,
}

impl Statement {
    pub fn on(&self, engine: Engine) -> &str {
        match engine {
            Engine::Postgres => &self.postgres,
            Engine::Sqlite => &self.sqlite,
        }
    }
}

/// SQL stands in the stores, and what is about the engines themselves beside them.
fn holds_sql(file: &Path) -> bool {
    file.ends_with("store.rs") || file.parent().is_some_and(|folder| folder.ends_with("src/db"))
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { source_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The string literal that begins `text`, and what comes after it.
fn literal(text: &str) -> (String, &str) {
    let body = text.trim_start().strip_prefix('"').unwrap_or_else(|| panic!("no string literal: {:.60}", text));
    let (literal, rest) = body.split_once('"').unwrap();
    assert!(!literal.contains('\\'), "escapes are not read here: {literal}");
    (literal.to_owned(), rest)
}

fn is_sql(text: &str) -> bool {
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].iter().any(|verb| text.trim_start().starts_with(verb))
}

/// The constants of a file that are SQL.
pub fn statements_in(file: &Path) -> Vec<Statement> {
    let source = fs::read_to_string(file).unwrap();
    let name = file.strip_prefix(SOURCE).unwrap().display().to_string();
    let constants = source.split("const ").skip(1).filter_map(|text| text.split_once(": "));
    let statements = constants.filter_map(|(constant, text)| {
        let (postgres, sqlite) = if let Some(text) = text.strip_prefix("&str =") {
            let (sql, _) = literal(text);
            (sql.clone(), sql)
        } else {
            let (_, text) = text.strip_prefix("Pair = Pair {")?.split_once("postgres:")?;
            let (postgres, rest) = literal(text);
            (postgres, literal(rest.split_once("sqlite:")?.1).0)
        };
        is_sql(&postgres).then(|| Statement { place: format!("{name} {constant}"), postgres, sqlite })
    });
    statements.collect()
}

/// Has the engine parse and plan a statement without running it.
fn preparation(engine: Engine, sql: &str) -> String {
    match engine {
        Engine::Postgres => format!("PREPARE one AS {sql}; DEALLOCATE one"),
        Engine::Sqlite => format!("EXPLAIN {sql}"),
    }
}

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    let files: Vec<PathBuf> = source_files(Path::new(SOURCE)).into_iter().filter(|file| holds_sql(file)).collect();
    let stores = files.iter().filter(|file| file.ends_with("store.rs")).count();
    let statements: Vec<Statement> = files.iter().flat_map(|file| statements_in(file)).collect();
    let mut per_file = BTreeMap::<&str, usize>::new();
    for statement in &statements {
        *per_file.entry(statement.place.split_once(' ').unwrap().0).or_default() += 1;
    }
    assert_eq!(per_file.keys().filter(|file| file.ends_with("store.rs")).count(), stores, "{per_file:?}");
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let database = Database::empty(engine);
        migrate::apply(&database.open(), migrate::SCRIPTS).await.unwrap();
        let mut conn = database.connect().await;
        for statement in &statements {
            let prepared = conn.run(&preparation(engine, statement.on(engine))).await;
            assert!(prepared.is_ok(), "{} on {engine:?}: {prepared:?}", statement.place);
        }
        let wrong = conn.run(&preparation(engine, "SELECT id FROM users WHERE nobody = $1")).await;
        assert!(wrong.is_err(), "{engine:?} would tell");
    }
    let pairs = statements.iter().filter(|statement| statement.postgres != statement.sqlite).count();
    println!("{} statements, {pairs} of them differ: {per_file:?}", statements.len());
}
