//! The report: a line of JSON for each record that was refused.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::Refused;

/// The report of an import, or none.
pub(super) struct Report(Option<BufWriter<File>>);

impl Report {
    /// Tells nobody.
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// Begins a report. A file that exists is never overwritten: it may be the one that is imported.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        // Its owner's alone: addresses are in it.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Self(Some(BufWriter::new(file))))
    }

    /// Goes on with a report of which `length` bytes are about records that are done; what comes after is written again.
    pub(super) fn resume(path: &Path, length: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if file.metadata()?.len() > length {
            file.set_len(length)?;
        }
        file.seek(SeekFrom::End(0))?;
        Ok(Self(Some(BufWriter::new(file))))
    }

    /// Writes a batch's lines before it is committed, and gives the length of the report with them.
    pub(super) fn write(&mut self, refused: &[Refused]) -> io::Result<u64> {
        let Some(file) = &mut self.0 else { return Ok(0) };
        for one in refused {
            serde_json::to_writer(&mut *file, one)?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
        if !refused.is_empty() {
            file.get_ref().sync_data()?;
        }
        file.stream_position()
    }
}
