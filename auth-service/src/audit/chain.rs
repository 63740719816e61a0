//! The chain: what is hashed of an entry, and in which form, so that anyone can check it. `docs/audit.md` tells the same in
//! words, with an example that a test here recomputes.

pub mod store;

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    db::Ts,
    ids::{TokenHash, UserId},
};

/// An entry as it is stored, less its personal parts.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ChainRow {
    pub id: Uuid,
    pub at: Ts,
    pub event: String,
    pub outcome: String,
    pub actor_id: Option<UserId>,
    pub target_kind: Option<String>,
    pub target_id: Option<Uuid>,
    pub request_id: Option<String>,
    pub details: String,
    pub personal_hash: Vec<u8>,
}

/// A place in the chain: the entry with this number, and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number; the first entry has 1.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
}

impl Link {
    /// Before the first entry.
    #[must_use]
    pub fn beginning() -> Self {
        Self { seq: 0, hash: vec![0; 32] }
    }

    /// The place of `row` behind this one.
    #[must_use]
    pub(super) fn follow(&self, row: &ChainRow) -> Self {
        let seq = self.seq.saturating_add(1);
        Self { seq, hash: hash_entry(&self.hash, seq, row).as_bytes().to_vec() }
    }

    /// Its hash in hexadecimal.
    #[must_use]
    pub fn hash_in_hex(&self) -> String {
        HEXLOWER.encode(&self.hash)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash_in_hex())
    }
}

impl FromStr for Link {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write SEQ:HASH, as `audit verify` and the log print it";
        let (seq, hash) = text.split_once(':').ok_or(FORM)?;
        let hash = HEXLOWER.decode(hash.as_bytes()).map_err(|_| FORM)?;
        let seq = seq.parse().ok().filter(|seq| *seq >= 0).ok_or(FORM)?;
        if hash.len() == 32 { Ok(Self { seq, hash }) } else { Err(FORM) }
    }
}

/// The members of the canonical JSON, in the order in which they stand there: by name.
#[derive(Serialize)]
struct Canonical<'a> {
    actor_id: Option<UserId>,
    at: String,
    details: &'a str,
    event: &'a str,
    id: Uuid,
    outcome: &'a str,
    personal_hash: String,
    request_id: Option<&'a str>,
    seq: i64,
    target_id: Option<Uuid>,
    target_kind: Option<&'a str>,
}

/// SHA-256 of the hash before and of the entry's canonical JSON.
fn hash_entry(previous: &[u8], seq: i64, row: &ChainRow) -> TokenHash {
    TokenHash::of(&[previous, canonical_json(seq, row).as_bytes()].concat())
}

/// The entry as JSON in the one form that is hashed (RFC 8785).
fn canonical_json(seq: i64, row: &ChainRow) -> String {
    let canonical = Canonical {
        actor_id: row.actor_id,
        // Always six digits, or equal times could be written in two ways.
        at: format!("{:.6}", Timestamp::from(row.at)),
        details: &row.details,
        event: &row.event,
        id: row.id,
        outcome: &row.outcome,
        personal_hash: HEXLOWER.encode(&row.personal_hash),
        request_id: row.request_id.as_deref(),
        seq,
        target_id: row.target_id,
        target_kind: row.target_kind.as_deref(),
    };
    // Texts and numbers always serialise.
    serde_json::to_string(&canonical).unwrap_or_default()
}

/// SHA-256 of the salt and of the personal parts, as a JSON array.
pub fn hash_personal(salt: &[u8], ip_address: Option<&str>, user_agent: Option<&str>) -> TokenHash {
    let parts = json!([ip_address, user_agent]).to_string();
    TokenHash::of(&[salt, parts.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../docs/audit.md");

    fn example() -> (Vec<u8>, ChainRow) {
        let salt: Vec<u8> = (0..16).collect();
        let personal = hash_personal(&salt, Some("203.0.113.7"), Some("curl/8.5.0 \"테스트\""));
        let user = "019b7700-0000-7000-8000-000000000001".parse().unwrap();
        let row = ChainRow {
            id: "019b7701-2345-7000-8000-00000000000a".parse().unwrap(),
            at: "2026-01-01T00:00:00.5Z".parse::<Timestamp>().unwrap().into(),
            event: "logged_in".to_owned(),
            outcome: "done".to_owned(),
            actor_id: Some(UserId(user)),
            target_kind: Some("user".to_owned()),
            target_id: Some(user),
            request_id: Some("the-request_1".to_owned()),
            details: r#"{"session_id":"019b7701-2345-7000-8000-00000000000b"}"#.to_owned(),
            personal_hash: personal.as_bytes().to_vec(),
        };
        (salt, row)
    }

    #[test]
    fn the_example_of_the_documentation_is_right() {
        let (_, row) = example();
        let first = Link::beginning().follow(&row);
        let hex = HEXLOWER.encode(&first.hash);
        println!("{}\n{}\n{hex}", HEXLOWER.encode(&row.personal_hash), canonical_json(1, &row));
        assert!(DOCUMENT.contains(&HEXLOWER.encode(&row.personal_hash)));
        assert!(DOCUMENT.contains(&canonical_json(1, &row)));
        assert!(DOCUMENT.contains(&hex));
    }

    #[test]
    fn every_part_of_an_entry_changes_its_hash() {
        let (_, row) = example();
        let right = Link::beginning().follow(&row);
        let changes: [fn(&mut ChainRow); 10] = [
            |row| row.id = Uuid::nil(),
            |row| row.at = row.at.plus(std::time::Duration::from_micros(1)),
            |row| row.event.push('x'),
            |row| row.outcome.push('x'),
            |row| row.actor_id = None,
            |row| row.target_kind = None,
            |row| row.target_id = None,
            |row| row.request_id = None,
            |row| row.details.push(' '),
            |row| row.personal_hash[0] ^= 1,
        ];
        for change in changes {
            let mut other = row.clone();
            change(&mut other);
            assert_ne!(Link::beginning().follow(&other), right, "{other:?}");
        }
        assert_ne!(Link { seq: 1, ..Link::beginning() }.follow(&row).hash, right.hash, "another place");
    }

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let (_, row) = example();
        let link = Link::beginning().follow(&row);
        assert_eq!(link.to_string().parse(), Ok(link));
        for text in ["", "1", "1:", "1:00", ":", "-1:00", "x:y", &format!("1:{}", "0".repeat(66))] {
            assert!(text.parse::<Link>().is_err(), "{text}");
        }
    }
}
