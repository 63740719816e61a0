//! The operator's list of breached passwords: sorted SHA-1 hashes or prefixes of them, searched where they lie on disk.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use data_encoding::HEXUPPER;

/// Digits of a shortest prefix: 48 bits, by which one password in 300,000 would be refused by chance among a billion.
const MIN_DIGITS: usize = 12;
/// Digits of a whole SHA-1.
const MAX_DIGITS: usize = 40;
/// The longest line: a hash, a colon, a count, a line end.
const MAX_LINE: usize = 80;
/// What is read at once; the search ends by reading one such block through.
const BLOCK: usize = 4096;
/// Places that are looked at before the list is believed to be sorted.
const SAMPLES: u64 = 256;

/// A list that was found to be one.
pub(super) struct BreachedList {
    file: File,
    size: u64,
}

impl BreachedList {
    /// Opens a list and looks at samples of it.
    ///
    /// # Errors
    /// When it cannot be read, is empty, or is no sorted list of hashes at the places looked at.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let list = Self { file, size };
        let mut last = String::new();
        for sample in 0..SAMPLES {
            let Some((_, line)) = list.line_from(size / SAMPLES * sample)? else { continue };
            if !is_entry(&line) {
                return Err(invalid("a line is no SHA-1 in hexadecimal, or fewer than 12 digits of one"));
            }
            if entry(&line) < last {
                return Err(invalid("the hashes are not sorted"));
            }
            last = entry(&line);
        }
        if last.is_empty() { Err(invalid("it is empty")) } else { Ok(list) }
    }

    /// Whether the list has a password, by some 25 reads of a list of a billion and the lines of one block.
    ///
    /// # Errors
    /// When the list cannot be read any more.
    pub(super) fn holds(&self, password: &str) -> io::Result<bool> {
        let hash = HEXUPPER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref());
        // Whatever line begins before `low` is not above the hash; whatever begins at `high` or after is.
        let (mut low, mut high) = (0, self.size);
        while high - low > BLOCK as u64 {
            let middle = low + (high - low) / 2;
            match self.line_from(middle)? {
                Some((begin, line)) if begin < high && !is_above(&line, &hash) => low = begin,
                Some(_) | None => high = middle,
            }
        }
        self.block_holds(low, high, &hash)
    }

    /// Reads the lines that begin in `low..high` one by one.
    fn block_holds(&self, low: u64, high: u64, hash: &str) -> io::Result<bool> {
        let mut at = low;
        while at < high {
            let Some((line, length)) = self.line_at(at)? else { return Ok(false) };
            if hash.starts_with(&entry(&line)) && is_entry(&line) {
                return Ok(true);
            }
            at += length;
        }
        Ok(false)
    }

    /// The first line that begins at `offset` or after, and where it begins.
    fn line_from(&self, offset: u64) -> io::Result<Option<(u64, String)>> {
        let mut begin = offset;
        if offset > 0 {
            // From the byte before: a line that begins at the very offset is meant too.
            let mut buffer = [0; MAX_LINE + 1];
            let read = self.read_at(&mut buffer, offset - 1)?;
            match buffer[..read].iter().position(|&byte| byte == b'\n') {
                Some(end) => begin = offset + end as u64,
                None if offset - 1 + read as u64 >= self.size => return Ok(None),
                None => return Err(invalid("a line is longer than 80 bytes")),
            }
        }
        Ok(self.line_at(begin)?.map(|(line, _)| (begin, line)))
    }

    /// The line that begins at `offset`, and its length with its line end.
    fn line_at(&self, offset: u64) -> io::Result<Option<(String, u64)>> {
        let mut buffer = [0; MAX_LINE];
        let read = self.read_at(&mut buffer, offset)?;
        if read == 0 {
            return Ok(None);
        }
        let end = buffer[..read].iter().position(|&byte| byte == b'\n');
        if end.is_none() && offset + (read as u64) < self.size {
            return Err(invalid("a line is longer than 80 bytes"));
        }
        let line = String::from_utf8_lossy(&buffer[..end.unwrap_or(read)]).trim_end().to_owned();
        Ok(Some((line, end.map_or(read, |end| end + 1) as u64)))
    }

    /// Fills a buffer as far as the file goes.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }
}

/// The hash of a line, which may be followed by how often it was seen.
fn entry(line: &str) -> String {
    line.split(':').next().unwrap_or_default().to_ascii_uppercase()
}

fn is_entry(line: &str) -> bool {
    let entry = entry(line);
    (MIN_DIGITS..=MAX_DIGITS).contains(&entry.len()) && entry.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a line comes after every line that could be a prefix of the hash.
fn is_above(line: &str, hash: &str) -> bool {
    entry(line).as_str() > hash
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha1(password: &str) -> String {
        HEXUPPER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes()).as_ref())
    }

    fn list(lines: &[String], end: &str) -> io::Result<BreachedList> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("breached.txt");
        std::fs::write(&path, lines.iter().map(|line| format!("{line}{end}")).collect::<String>()).unwrap();
        BreachedList::open(&path)
    }

    fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
        let mut lines: Vec<String> = lines.collect();
        lines.sort_unstable();
        lines
    }

    #[test]
    fn every_password_of_a_list_is_found_and_no_other() {
        let passwords: Vec<String> = (0..3_000).map(|number| format!("password {number}")).collect();
        let form: [fn(&String) -> String; 4] = [
            |password| sha1(password),
            |password| format!("{}:{}", sha1(password), password.len().pow(7)),
            |password| sha1(password).to_lowercase(),
            |password| sha1(password)[..16].to_owned(),
        ];
        for (form, end) in form.into_iter().flat_map(|form| ["\n", "\r\n"].map(|end| (form, end))) {
            let list = list(&sorted(passwords.iter().map(form)), end).unwrap();
            for password in &passwords {
                assert!(list.holds(password).unwrap(), "{password} {end:?}");
            }
            for number in 3_000..6_000 {
                assert!(!list.holds(&format!("password {number}")).unwrap());
            }
        }
    }

    #[test]
    fn a_list_of_one_and_one_without_a_last_line_end_are_read() {
        for end in ["\n", ""] {
            let list = list(&[sha1("x")], end).unwrap();
            assert!(list.holds("x").unwrap() && !list.holds("y").unwrap());
        }
    }

    #[test]
    fn what_is_no_sorted_list_is_refused() {
        let mut unsorted: Vec<String> = (0..3_000).map(|number| sha1(&number.to_string())).collect();
        assert!(list(&unsorted, "\n").is_err());
        unsorted.clear();
        assert!(list(&unsorted, "\n").is_err());
        for line in ["password", "ABCDEF", &"A".repeat(41), &"A".repeat(400), "\u{0}"] {
            assert!(list(&[line.to_owned()], "\n").is_err(), "{line}");
        }
    }
}
