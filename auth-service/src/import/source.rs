//! The file that is imported: its format, its identity, and how far it has been read.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufReader, Read},
    ops::ControlFlow,
    path::Path,
    rc::Rc,
    str::FromStr,
};

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::{Map, Value};

use super::{
    auth0, csv, document,
    firebase::{self, SignerKey},
    keycloak, native, ndjson,
    row::{Raw, Refusal},
    supabase,
};
use crate::ids::TokenHash;

const BUFFER: usize = 64 * 1024;
/// The longest single record: a person, not a book.
pub(super) const MAX_RECORD: usize = 256 * 1024;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own columns, separated by commas.
    Csv,
    /// Our own members, an object a line.
    Ndjson,
    /// A realm export of Keycloak.
    Keycloak,
    /// A user export of Auth0, with or without hashes.
    Auth0,
    /// The table `auth.users` of Supabase, as CSV or JSON.
    Supabase,
    /// The JSON of `firebase auth:export`.
    Firebase,
}

impl Format {
    /// The format's name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Keycloak => "keycloak",
            Self::Auth0 => "auth0",
            Self::Supabase => "supabase",
            Self::Firebase => "firebase",
        }
    }
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Csv, Self::Ndjson, Self::Keycloak, Self::Auth0, Self::Supabase, Self::Firebase];
        let known = all.into_iter().find(|format| format.as_str() == text);
        known.ok_or("write csv, ndjson, keycloak, auth0, supabase or firebase")
    }
}

/// One person in a file.
pub(super) struct Record {
    /// The line that it begins on, from 1.
    pub(super) line: u64,
    /// Bytes of the file up to its end.
    pub(super) bytes: u64,
    pub(super) content: Result<Raw, Refusal>,
}

/// Takes the records, and says when no more are wanted.
pub(super) type Sink<'a> = dyn FnMut(Record) -> ControlFlow<()> + 'a;
/// Understands the members of one person.
pub(super) type Mapper<'a> = dyn Fn(Map<String, Value>) -> Result<Raw, Refusal> + 'a;

/// How a file ended that could be read to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ending {
    /// Whether the last line has no line end, as in a file that was cut short.
    pub(super) is_unfinished: bool,
}

/// A file that cannot be read further.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {detail}")]
pub(super) struct Damage {
    pub(super) line: u64,
    pub(super) detail: String,
}

impl Damage {
    pub(super) fn new(line: u64, detail: impl Into<String>) -> Self {
        Self { line, detail: detail.into() }
    }
}

/// The bytes of a file, counted as they are taken.
pub(super) struct Input<R> {
    inner: R,
    pub(super) position: Rc<Position>,
}

/// How far a file has been taken.
pub(super) struct Position {
    bytes: Cell<u64>,
    line: Cell<u64>,
    /// The byte at which one record has become too long.
    limit: Cell<u64>,
}

impl Position {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    pub(super) fn line(&self) -> u64 {
        self.line.get()
    }

    /// Allows one record's bytes from here on.
    pub(super) fn expect_record(&self) {
        self.limit.set(self.bytes.get() + MAX_RECORD as u64);
    }

    /// Allows any number of bytes, none of which are kept.
    pub(super) fn expect_anything(&self) {
        self.limit.set(u64::MAX);
    }
}

impl<R: Read> Input<R> {
    pub(super) fn new(inner: R) -> Self {
        let position = Position { bytes: Cell::new(0), line: Cell::new(1), limit: Cell::new(u64::MAX) };
        Self { inner, position: Rc::new(position) }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let lines = buffer[..read].iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.position.bytes.set(self.position.bytes.get() + read as u64);
        self.position.line.set(self.position.line.get() + lines);
        if self.position.bytes.get() > self.position.limit.get() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "one account takes more than 256 KiB"));
        }
        Ok(read)
    }
}

/// Reads a file to its end, or until the sink has had enough.
pub(super) fn read(
    path: &Path,
    format: Format,
    key: Option<&SignerKey>,
    sink: &mut Sink<'_>,
) -> Result<Ending, Damage> {
    let (reader, first) = open(path).map_err(|cause| Damage::new(1, cause.to_string()))?;
    let is_array = first == Some(b'[');
    match format {
        Format::Csv => csv::read(reader, Some(&native::COLUMNS), &native::read, sink),
        Format::Ndjson => ndjson::read(reader, &native::read, sink),
        Format::Keycloak => document::read(reader, &keycloak::read, sink),
        Format::Auth0 if is_array => document::read(reader, &auth0::read, sink),
        Format::Auth0 => ndjson::read(reader, &auth0::read, sink),
        Format::Supabase if is_array => document::read(reader, &supabase::read, sink),
        Format::Supabase if first == Some(b'{') => ndjson::read(reader, &supabase::read, sink),
        Format::Supabase => csv::read(reader, None, &supabase::read, sink),
        Format::Firebase => document::read(reader, &|members| firebase::read(&members, key), sink),
    }
}

/// The file without a byte order mark, and its first byte that is no white space.
fn open(path: &Path) -> io::Result<(BufReader<File>, Option<u8>)> {
    use io::BufRead;
    let mut reader = BufReader::with_capacity(BUFFER, File::open(path)?);
    let start = reader.fill_buf()?;
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Err(io::Error::other("the file is in UTF-16: save it as UTF-8"));
    }
    let mark = if start.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 };
    let first = start[mark..].iter().copied().find(|byte| !byte.is_ascii_whitespace());
    reader.consume(mark);
    Ok((reader, first))
}

/// What tells a file from every other: SHA-256 of its format and contents; and its size in bytes.
pub(super) fn identify(path: &Path, format: Format) -> io::Result<(TokenHash, u64)> {
    let mut file = File::open(path)?;
    if !file.metadata()?.is_file() {
        // It is read twice: first to know it again.
        return Err(io::Error::other("this is no regular file"));
    }
    let (mut digest, mut size, mut buffer) = (Context::new(&SHA256), 0, vec![0; BUFFER]);
    digest.update(format.as_str().as_bytes());
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        digest.update(&buffer[..read]);
        size += read as u64;
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.finish().as_ref());
    Ok((TokenHash::from_bytes(hash), size))
}
