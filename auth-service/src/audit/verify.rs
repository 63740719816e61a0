//! Walks along the chain and names every sealed entry that is not as it was sealed.

use uuid::Uuid;

use super::{
    Fault,
    chain::{
        Link, hash_personal,
        store::{self, SealedRow},
    },
    trim,
};
use crate::db::{Conn, Db, DbError};

/// Entries that are read at a time.
const BATCH: i64 = 1_000;
/// Faults that are named; of a log that was rewritten as a whole, more would say nothing new.
const MOST_FAULTS: usize = 1_000;

/// Entries that one part of a verification reads: so many are checked well within a second.
pub const PART: u64 = 20_000;

/// What a verification found.
#[derive(Debug)]
pub struct Report {
    /// The number of the first entry that was to be read.
    pub from: i64,
    /// Sealed entries that were read.
    pub entries: u64,
    /// Of them, entries whose personal parts were erased.
    pub erased: u64,
    /// Entries that wait for their seal.
    pub unsealed: i64,
    /// Where retention has cut the beginning off.
    pub checkpoint: Option<Link>,
    /// The end of the chain, or of the part that was read.
    pub head: Link,
    /// The number of the last entry that there is.
    pub last: i64,
    /// Where to go on; nothing at the end of the chain.
    pub next: Option<i64>,
    /// Whether the expected entry was met, and is as it was then.
    pub as_expected: bool,
    /// The first thousand faults, in the order of the chain.
    pub faults: Vec<Fault>,
}

/// Checks the whole log in constant memory, beside running servers. `expected` is a head that was kept elsewhere.
///
/// # Errors
/// When the database fails.
pub async fn verify(db: &Db, expected: Option<&Link>) -> Result<Report, DbError> {
    walk(db, expected, None, u64::MAX).await
}

/// Checks [`PART`] entries: from the one with the number `from`, or from the beginning. What the first of them hangs on is
/// taken as it is stored, for the part before has checked it; `expected` is compared by the part that comes by.
///
/// # Errors
/// When the database fails.
pub async fn verify_part(db: &Db, expected: Option<&Link>, from: Option<i64>) -> Result<Report, DbError> {
    walk(db, expected, from, PART).await
}

async fn walk(db: &Db, expected: Option<&Link>, from: Option<i64>, most: u64) -> Result<Report, DbError> {
    let mut conn = db.read().await?;
    let (mut walk, mut last) = Walk::begin(&mut conn, expected, from).await?;
    let next = loop {
        if walk.report.entries >= most {
            break Some(last.saturating_add(1));
        }
        let rows = store::list_sealed(&mut conn, last, BATCH).await?;
        let Some(end) = rows.last().map(|row| row.seq) else { break None };
        if rows.iter().any(|row| row.salt.is_none()) {
            walk.note_unexplained(store::list_unexplained(&mut conn, last, end).await?);
        }
        for row in rows {
            walk.step(&mut conn, row).await?;
        }
        last = end;
    };
    walk.finish(&mut conn, next).await
}

/// Where a verification has come to.
struct Walk<'a> {
    report: Report,
    expected: Option<&'a Link>,
    /// The last number that was removed before the walk began.
    start: i64,
    /// Whether the expected entry was met, or lies before this part.
    met: bool,
}

impl<'a> Walk<'a> {
    /// The walk, and the number that its first entry must lie behind.
    async fn begin(conn: &mut Conn, expected: Option<&'a Link>, from: Option<i64>) -> Result<(Self, i64), DbError> {
        let checkpoint = store::find_checkpoint(conn).await?;
        let base = checkpoint.clone().unwrap_or_else(Link::beginning);
        let start = base.seq;
        // Numbers that retention has removed are read too: nobody may have put anything there.
        let before = from.map(|from| from.saturating_sub(1)).filter(|before| *before > start);
        let head = match before {
            Some(before) => store::find_last_to(conn, before).await?.filter(|last| last.seq > start).unwrap_or(base),
            None => base,
        };
        let met = before.is_some() && expected.is_some_and(|expected| expected.seq < head.seq);
        let report = Report {
            from: before.unwrap_or(start).saturating_add(1),
            entries: 0,
            erased: 0,
            unsealed: 0,
            checkpoint,
            head,
            last: 0,
            next: None,
            as_expected: false,
            faults: Vec::new(),
        };
        let mut walk = Self { report, expected, start, met };
        walk.meet();
        Ok((walk, before.unwrap_or(i64::MIN)))
    }

    async fn step(&mut self, conn: &mut Conn, row: SealedRow) -> Result<(), DbError> {
        let (seq, id) = (row.seq, row.entry.id);
        self.report.entries += 1;
        self.check_personal(&row);
        if seq <= self.start {
            self.fault(Fault::Stray(seq, id));
            return Ok(());
        }
        if seq != self.report.head.seq + 1 {
            self.skip_what_was_trimmed(conn).await?;
        }
        if seq <= self.report.head.seq {
            // Retention took it after it was read.
            return Ok(());
        }
        let expected = self.report.head.follow(&row.entry);
        let found = Link { seq, hash: row.hash.unwrap_or_default() };
        if seq != expected.seq {
            self.fault(Fault::Missing(expected.seq, seq - 1, id));
        } else if found != expected {
            self.fault(Fault::Changed(seq, id));
        }
        self.report.head = found;
        self.meet();
        Ok(())
    }

    /// Retention may have run since the walk began.
    async fn skip_what_was_trimmed(&mut self, conn: &mut Conn) -> Result<(), DbError> {
        let checkpoint = store::find_checkpoint(conn).await?;
        if let Some(checkpoint) = checkpoint.filter(|checkpoint| checkpoint.seq > self.report.head.seq) {
            self.report.head = checkpoint.clone();
            self.report.checkpoint = Some(checkpoint);
            self.meet();
        }
        Ok(())
    }

    fn check_personal(&mut self, row: &SealedRow) {
        let (ip_address, user_agent) = (row.ip_address.as_deref(), row.user_agent.as_deref());
        let is_right = match &row.salt {
            Some(salt) => hash_personal(salt, ip_address, user_agent).as_bytes() == row.entry.personal_hash,
            None => {
                self.report.erased += 1;
                ip_address.is_none() && user_agent.is_none()
            }
        };
        if !is_right {
            self.fault(Fault::Personal(row.seq, row.entry.id));
        }
    }

    fn note_unexplained(&mut self, rows: Vec<(i64, Uuid)>) {
        for (seq, id) in rows {
            self.fault(Fault::Unexplained(seq, id));
        }
    }

    /// Compares with what is expected, when the walk has come to it.
    fn meet(&mut self) {
        let Some(expected) = self.expected.filter(|expected| expected.seq == self.report.head.seq) else { return };
        self.met = true;
        self.report.as_expected = *expected == self.report.head;
        if !self.report.as_expected {
            self.fault(Fault::Rewritten(expected.clone()));
        }
    }

    async fn finish(mut self, conn: &mut Conn, next: Option<i64>) -> Result<Report, DbError> {
        if let Some(forged) = find_forged_checkpoint(conn).await? {
            self.fault(Fault::Checkpoint(forged.seq));
        }
        self.report.next = next;
        if let Some(expected) = self.expected.filter(|_| !self.met && next.is_none()) {
            let cut_at = self.report.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.seq);
            let head = self.report.head.seq;
            self.fault(match expected.seq {
                seq if seq > head => Fault::Shortened(expected.clone(), head),
                seq if seq < cut_at => Fault::Outdated(expected.clone()),
                _ => Fault::Rewritten(expected.clone()),
            });
        }
        self.report.last = store::find_head(conn).await?.seq;
        self.report.unsealed = store::count_unsealed(conn).await?;
        Ok(self.report)
    }

    fn fault(&mut self, fault: Fault) {
        if self.report.faults.len() < MOST_FAULTS {
            self.report.faults.push(fault);
        }
    }
}

/// The checkpoint, if no entry tells of it.
async fn find_forged_checkpoint(conn: &mut Conn) -> Result<Option<Link>, DbError> {
    let mut checkpoint = store::find_checkpoint(conn).await?;
    while let Some(found) = checkpoint {
        if store::has_trim(conn, &trim::details(&found)).await? {
            return Ok(None);
        }
        checkpoint = store::find_checkpoint(conn).await?;
        // Otherwise retention has come by and left another in its place.
        if checkpoint.as_ref() == Some(&found) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
