//! Copies of the log for other tools: JSON lines and CSV, page by page, so that a log of any size takes the same memory.

use std::str::FromStr;

use auth_sdk::{AuditEntry, AuditRef};
use data_encoding::HEXLOWER;
use serde::Serialize;
use uuid::Uuid;

use super::{Filter, find, store::EntryRow};
use crate::{
    db::{Db, DbError},
    lists::Cursor,
};

/// Entries that are read at a time.
const PAGE: i64 = 1_000;
const CSV_HEADER: &str = "id,at,event,outcome,actor_type,actor_id,target_type,target_id,ip_address,user_agent,request_id,details,seq,hash,personal_hash\r\n";

/// How a copy is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object per line.
    Ndjson,
    /// RFC 4180, with a header.
    Csv,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ndjson" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            _ => Err("write ndjson or csv"),
        }
    }
}

/// An entry in a copy: as in the list, and with what it takes to recompute the chain from the copy alone.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    entry: AuditEntry,
    personal_hash: String,
}

/// A copy in the making, newest entry first.
pub struct Export {
    db: Db,
    filter: Filter,
    format: Format,
    place: Place,
}

enum Place {
    Beginning,
    Behind(Cursor),
    End,
}

impl Export {
    /// A copy of the entries that pass the filter.
    #[must_use]
    pub const fn new(db: Db, filter: Filter, format: Format) -> Self {
        Self { db, filter, format, place: Place::Beginning }
    }

    /// The next part of it; nothing at the end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_part(&mut self) -> Result<Option<String>, DbError> {
        let after = match &self.place {
            Place::Beginning => None,
            Place::Behind(cursor) => Some(cursor),
            Place::End => return Ok(None),
        };
        let rows = find::list(&mut self.db.read_replica().await?, &self.filter, after, PAGE).await?;
        let is_first = after.is_none();
        let is_last = rows.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        self.place = match rows.last() {
            Some(last) if !is_last => Place::Behind(last.cursor()),
            Some(_) | None => Place::End,
        };
        let mut part = String::new();
        if is_first && self.format == Format::Csv {
            part.push_str(CSV_HEADER);
        }
        for row in rows {
            match self.format {
                Format::Ndjson => write_json(&mut part, row),
                Format::Csv => write_csv(&mut part, row),
            }
        }
        Ok(Some(part))
    }
}

/// An entry as the wire shows it.
pub fn to_wire(row: EntryRow) -> AuditEntry {
    let actor = row.actor_id.map(|id| AuditRef { kind: "user".to_owned(), id, name: None });
    let target = row.target_kind.zip(row.target_id).map(|(kind, id)| AuditRef { kind, id, name: None });
    AuditEntry {
        id: row.id,
        at: row.at.into(),
        event: row.event,
        outcome: row.outcome,
        actor,
        target,
        ip_address: row.ip_address,
        user_agent: row.user_agent,
        browser: None,
        os: None,
        request_id: row.request_id,
        details: serde_json::from_str(&row.details).unwrap_or_default(),
        seq: row.seq,
        hash: row.hash.map(|hash| HEXLOWER.encode(&hash)),
    }
}

fn write_json(part: &mut String, row: EntryRow) {
    let personal_hash = HEXLOWER.encode(&row.personal_hash);
    // Texts and numbers always serialise.
    part.push_str(&serde_json::to_string(&Line { entry: to_wire(row), personal_hash }).unwrap_or_default());
    part.push('\n');
}

fn write_csv(part: &mut String, row: EntryRow) {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string());
    let cells = [
        Some(row.id.to_string()),
        Some(row.at.to_string()),
        Some(row.event),
        Some(row.outcome),
        row.actor_id.map(|_| "user".to_owned()),
        text(row.actor_id),
        row.target_kind,
        text(row.target_id),
        row.ip_address,
        row.user_agent,
        row.request_id,
        Some(row.details),
        row.seq.map(|seq| seq.to_string()),
        row.hash.map(|hash| HEXLOWER.encode(&hash)),
        Some(HEXLOWER.encode(&row.personal_hash)),
    ];
    for (place, cell) in cells.iter().enumerate() {
        part.push_str(if place == 0 { "" } else { "," });
        part.push_str(&csv_cell(cell.as_deref().unwrap_or_default()));
    }
    part.push_str("\r\n");
}

/// A cell that a spreadsheet shows as it is: one that would be a formula there, which a `User-Agent` may well be, is
/// made a text by an apostrophe.
fn csv_cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains([',', '"', '\r', '\n']) {
        return format!("\"{guard}{}\"", text.replace('"', "\"\""));
    }
    format!("{guard}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_out_of_its_place() {
        for (text, cell) in [
            ("", ""),
            ("curl/8", "curl/8"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@sum", "'@sum"),
            ("\t=1", "'\t=1"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("a\r\nb", "\"a\r\nb\""),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }
}
