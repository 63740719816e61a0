//! Batches of people: filled on the reading thread, so that the next is ready while one is being stored.

use std::{collections::BTreeMap, mem, ops::ControlFlow, path::PathBuf};

use serde::Serialize;
use tokio::sync::mpsc::Sender;

use super::{
    firebase::SignerKey,
    row::{Refusal, Row, Rules},
    source::{self, Damage, Ending, Format, Record},
    store::Missing,
};

/// Records of one transaction: each commit has SQLite write a part of its index of trigrams, which are merged later.
const RECORDS: u64 = 5_000;
/// People of one statement: it must end in time on a busy machine too.
pub(super) const STATEMENT: usize = 1_000;

/// A record that was not taken, as a line of the report tells it.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// The line that it begins on, from 1; in a document, the line that it ends on.
    pub line: u64,
    /// Whose record it is, where that could be read.
    pub email: Option<String>,
    /// Stable name of the reason.
    pub code: &'static str,
    /// The reason in a sentence.
    pub detail: String,
}

/// What one transaction stores.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    /// The rows as statements take them, some for each.
    pub(super) json: Vec<String>,
    pub(super) refused: Vec<Refused>,
    /// Records of the file up to its end.
    pub(super) records: u64,
    /// Bytes of the file up to its end.
    pub(super) bytes: u64,
}

/// What comes from the reading thread: batches, and at last how the file ended.
pub(super) enum Message {
    Batch(Batch),
    End(Result<Ending, Damage>),
}

/// What the reading thread does.
pub(super) struct Reading {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) key: Option<SignerKey>,
    pub(super) rules: Rules,
    /// Records that were stored by an earlier run.
    pub(super) skip: u64,
}

impl Reading {
    /// Reads the file to its end, or until nobody listens any more.
    pub(super) fn run(self, sender: &Sender<Message>) {
        let mut records = 0;
        let mut batch = Batch::default();
        let ending = source::read(&self.path, self.format, self.key.as_ref(), &mut |record| {
            records += 1;
            if records <= self.skip {
                return ControlFlow::Continue(());
            }
            batch.add(record, &self.rules, records);
            batch.records = records;
            if records % RECORDS == 0 { send(mem::take(&mut batch), sender) } else { ControlFlow::Continue(()) }
        });
        if batch.records > 0 && send(batch, sender).is_break() {
            return;
        }
        // Nobody may be listening, and that is fine.
        drop(sender.blocking_send(Message::End(ending)));
    }
}

fn send(mut batch: Batch, sender: &Sender<Message>) -> ControlFlow<()> {
    let statements = batch.rows.chunks(STATEMENT);
    batch.json = statements.map(|rows| serde_json::to_string(rows).unwrap_or_default()).collect();
    match sender.blocking_send(Message::Batch(batch)) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

impl Batch {
    fn add(&mut self, record: Record, rules: &Rules, place: u64) {
        self.bytes = record.bytes;
        match record.content.and_then(|raw| Row::parse(raw, rules, place)) {
            Ok(mut row) => {
                (row.n, row.line) = (self.rows.len(), record.line);
                self.rows.push(row);
            }
            Err(Refusal { code, detail, email }) => {
                self.refused.push(Refused { line: record.line, email, code, detail });
            }
        }
    }

    /// Refuses rows that the database did not take.
    pub(super) fn refuse(&mut self, missing: &[Missing]) {
        for Missing { n, email_taken, username_taken } in missing {
            let Some(row) = usize::try_from(*n).ok().and_then(|n| self.rows.get(n)) else { continue };
            let (code, detail) = match (email_taken, username_taken) {
                (true, _) => ("email_taken", "an account with this address exists, or stands earlier in the file"),
                (false, true) => {
                    ("username_taken", "an account with this username exists, or stands earlier in the file")
                }
                // Whoever had it is gone again.
                (false, false) => ("taken", "another account was made or renamed at the same time"),
            };
            let email = Some(row.email.clone());
            self.refused.push(Refused { line: row.line, email, code, detail: detail.into() });
        }
        self.refused.sort_by_key(|refused| refused.line);
    }

    /// How many were refused for which reason.
    pub(super) fn add_reasons(&self, reasons: &mut BTreeMap<&'static str, u64>) {
        for refused in &self.refused {
            *reasons.entry(refused.code).or_default() += 1;
        }
    }
}
