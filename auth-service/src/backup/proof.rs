//! Whether a backup's audit log is the one that an operator noted a place of, before anything is touched.
//!
//! Of a dump the log is laid into an SQLite file of its own first, so that it is walked along by the one that knows how,
//! and no statement of a dump runs that nobody vouches for.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek},
    process::Stdio,
};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{BackupError, programs::Programs};
use crate::{
    audit::{self, Link},
    db::{
        Column::{self, Bytes, Id, Number, Text, Time},
        Conn, Db, DbConfig, Table, Ts,
        migrate::{self, SCRIPTS},
    },
};

/// The log, and of people those whose deletion explains what is not in it any more.
const TABLES: [Table; 3] = [
    Table {
        name: "audit_logs",
        columns: &[
            ("id", Id),
            ("at", Time),
            ("event", Text),
            ("outcome", Text),
            ("actor_id", Id),
            ("target_kind", Text),
            ("target_id", Id),
            ("request_id", Text),
            ("details", Text),
            ("ip_address", Text),
            ("user_agent", Text),
            ("salt", Bytes),
            ("personal_hash", Bytes),
            ("seq", Number),
            ("hash", Bytes),
        ],
    },
    Table { name: "audit_checkpoints", columns: &[("seq", Number), ("hash", Bytes), ("removed_at", Time)] },
    Table {
        name: "users",
        columns: &[
            ("id", Id),
            ("locale", Text),
            ("status", Text),
            ("token_version", Number),
            ("created_at", Time),
            ("updated_at", Time),
            ("deleted_at", Time),
            ("search_text", Text),
        ],
    },
];
/// Rows that are laid down at a time.
const BATCH: usize = 1_000;

/// Passes if the log of a database is whole, and holds the place that was noted.
///
/// # Errors
/// [`BackupError::Refused`] with the first difference.
pub async fn prove(db: &Db, expected: &Link) -> Result<(), BackupError> {
    let report = audit::verify(db, Some(expected)).await?;
    report.faults.first().map_or(Ok(()), |fault| {
        Err(BackupError::refused(format!("the backup's audit log is not the one that --expect was noted of: {fault}")))
    })
}

/// The same of a dump of PostgreSQL. Blocks.
///
/// # Errors
/// As [`prove`], and when the dump cannot be read.
pub fn prove_dump(dump: &mut File, programs: &Programs, expected: &Link) -> Result<(), BackupError> {
    let cannot = |cause: io::Error| BackupError::File(format!("no temporary file: {cause}"));
    let folder = tempfile::tempdir().map_err(cannot)?;
    let data_dir = folder.path().to_owned();
    let config = DbConfig { primary_url: None, replica_url: None, pool_max_size: 1, data_dir, auto_migrate: false };
    let mut arguments = ["--file=-", "--data-only"].map(str::to_owned).to_vec();
    arguments.extend(TABLES.map(|table| format!("--table={}", table.name)));
    let output = programs.start("pg_restore", &arguments, Stdio::from(dump.try_clone().map_err(cannot)?))?;
    let proof = async {
        let db = Db::open(&config, None)?;
        migrate::apply(&db, SCRIPTS).await?;
        let mut tx = db.begin().await?;
        lay_down(&mut BufReader::new(output), &mut tx).await?;
        tx.commit_unhurried().await?;
        prove(&db, expected).await
    };
    tokio::runtime::Handle::current().block_on(proof)?;
    dump.rewind().map_err(cannot)
}

/// Copies the rows of a script of pg_restore.
async fn lay_down(script: &mut (impl BufRead + Send), tx: &mut Conn) -> Result<(), BackupError> {
    let mut line = String::new();
    while read_line(script, &mut line)? {
        let Some((table, names)) = parse_heading(&line) else { continue };
        let mut rows = Vec::new();
        while read_line(script, &mut line)? && line != "\\." {
            rows.extend(parse_row(table, &names, &line)?);
            if rows.len() == BATCH {
                table.insert(tx, &rows).await?;
                rows.clear();
            }
        }
        table.insert(tx, &rows).await?;
    }
    Ok(())
}

/// Reads a line without its end; false where there is none.
fn read_line(script: &mut impl BufRead, line: &mut String) -> Result<bool, BackupError> {
    line.clear();
    let length = script.read_line(line).map_err(|cause| BackupError::Program(cause.to_string()))?;
    if line.ends_with('\n') {
        line.pop();
    }
    Ok(length > 0)
}

/// The table and the columns of `COPY schema.table (column, …) FROM stdin;`.
fn parse_heading(line: &str) -> Option<(&'static Table, Vec<String>)> {
    let (name, rest) = line.strip_prefix("COPY ")?.split_once(" (")?;
    let columns = rest.strip_suffix(") FROM stdin;")?;
    let name = name.rsplit('.').next()?.trim_matches('"');
    let table = TABLES.iter().find(|table| table.name == name)?;
    Some((table, columns.split(", ").map(|column| column.trim_matches('"').to_owned()).collect()))
}

/// A row, as it is laid down; nothing of people who are not deleted.
fn parse_row(table: &Table, names: &[String], line: &str) -> Result<Option<Map<String, Value>>, BackupError> {
    let mut row = Map::new();
    for (name, field) in names.iter().zip(line.split('\t')) {
        let column = table.columns.iter().find(|(known, _)| known == name);
        if let Some((known, column)) = column
            && let Some(text) = unescape(field)
        {
            row.insert((*known).to_owned(), parse_value(*column, &text)?);
        }
    }
    Ok(if table.name == "users" && !row.contains_key("deleted_at") { None } else { Some(row) })
}

fn parse_value(column: Column, text: &str) -> Result<Value, BackupError> {
    let strange = || BackupError::Damaged("a row of its audit log cannot be read".into());
    Ok(match column {
        Column::Id | Column::Text => text.into(),
        Column::Bytes => text.strip_prefix("\\x").ok_or_else(strange)?.into(),
        Column::Number => text.parse::<i64>().map_err(|_| strange())?.into(),
        Column::Time => Ts::from(text.parse::<Timestamp>().map_err(|_| strange())?).as_micros().into(),
        Column::Flag => (text == "t").into(),
    })
}

/// A field as COPY writes it; nothing for NULL.
fn unescape(field: &str) -> Option<String> {
    if field == "\\N" {
        return None;
    }
    let (mut text, mut letters) = (String::with_capacity(field.len()), field.chars());
    while let Some(letter) = letters.next() {
        text.push(match letter {
            '\\' => match letters.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                itself => itself,
            },
            plain => plain,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let heading = r#"COPY "my schema".audit_logs (id, "at", event, details, salt, seq, newer) FROM stdin;"#;
        let (table, names) = parse_heading(heading).unwrap();
        let line =
            "01900000-0000-7000-8000-000000000001\t2026-01-31 12:30:00.000001+09\ta\\tb\\\\c\\n\t\\N\t\\\\x0aff\t7\tz";
        let row = parse_row(table, &names, line).unwrap().unwrap();
        let expected = json!({
            "id": "01900000-0000-7000-8000-000000000001", "at": 1_769_830_200_000_001_i64, "event": "a\tb\\c\n",
            "salt": "0aff", "seq": 7
        });
        assert_eq!(Value::Object(row), expected);
        assert!(parse_heading("COPY public.sessions (id) FROM stdin;").is_none());
        assert!(parse_row(table, &names, "x\tyesterday").is_err());
    }

    #[test]
    fn of_people_only_those_count_who_are_deleted() {
        let (table, names) = parse_heading("COPY public.users (id, email, deleted_at) FROM stdin;").unwrap();
        assert!(parse_row(table, &names, "1\ta@example.com\t\\N").unwrap().is_none());
        assert!(parse_row(table, &names, "1\ta@example.com\t2026-01-31 12:30:00+00").unwrap().is_some());
    }
}
