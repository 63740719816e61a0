//! What can be wrong with the chain, in a word and in a sentence.

use std::fmt;

use uuid::Uuid;

use super::Link;

/// Something that is not as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An entry that does not have the hash that its contents and the entry before it give.
    Changed(i64, Uuid),
    /// Numbers that no entry has, and the entry that follows.
    Missing(i64, i64, Uuid),
    /// The end is missing.
    Shortened(Link, i64),
    /// An entry with a number that retention has removed.
    Stray(i64, Uuid),
    /// Personal parts that do not have the hash that was sealed.
    Personal(i64, Uuid),
    /// Personal parts that are gone though nobody was erased.
    Unexplained(i64, Uuid),
    /// A checkpoint that the log itself does not tell of.
    Checkpoint(i64),
    /// The entry with the expected number has another hash.
    Rewritten(Link),
    /// What was expected was removed by retention.
    Outdated(Link),
}

impl Fault {
    /// Its name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Changed(..) => "changed",
            Self::Missing(..) => "missing",
            Self::Shortened(..) => "shortened",
            Self::Stray(..) => "stray",
            Self::Personal(..) => "personal",
            Self::Unexplained(..) => "unexplained",
            Self::Checkpoint(_) => "checkpoint",
            Self::Rewritten(_) => "rewritten",
            Self::Outdated(_) => "outdated",
        }
    }

    /// The number of the entry that is at fault, the first where there are several.
    #[must_use]
    pub const fn seq(&self) -> i64 {
        match self {
            Self::Changed(seq, _)
            | Self::Missing(seq, _, _)
            | Self::Stray(seq, _)
            | Self::Personal(seq, _)
            | Self::Unexplained(seq, _)
            | Self::Checkpoint(seq)
            | Self::Rewritten(Link { seq, .. })
            | Self::Outdated(Link { seq, .. }) => *seq,
            Self::Shortened(_, head) => head.saturating_add(1),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(seq, id) => write!(f, "entry {seq} ({id}) was changed, moved or put in"),
            Self::Missing(from, to, id) if from == to => {
                write!(f, "entry {from} was removed or moved, so entry {} ({id}) cannot be checked", to + 1)
            }
            Self::Missing(from, to, id) => {
                write!(f, "entries {from} to {to} were removed or moved, so entry {} ({id}) cannot be checked", to + 1)
            }
            Self::Shortened(expected, head) => {
                write!(f, "entries {} to {} were removed from the end", head + 1, expected.seq)
            }
            Self::Stray(seq, id) => write!(f, "entry {seq} ({id}) was put in where retention has removed all"),
            Self::Personal(seq, id) => {
                write!(f, "entry {seq} ({id}): the ip_address, user_agent or salt was changed or removed")
            }
            Self::Unexplained(seq, id) => {
                write!(f, "entry {seq} ({id}): the personal parts are gone, but nobody it tells of was erased")
            }
            Self::Checkpoint(seq) => {
                write!(f, "the checkpoint at entry {seq} was put in or changed: no audit_trimmed entry tells of it")
            }
            Self::Rewritten(expected) => write!(f, "entry {} does not have the expected hash", expected.seq),
            Self::Outdated(expected) => {
                write!(f, "entry {} was removed by retention: compare with a newer copy of the head", expected.seq)
            }
        }
    }
}
