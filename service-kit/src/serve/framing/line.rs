//! Lines that end in CR LF and nothing else, whole or in pieces.

use memchr::memchr;

use super::Offence;

/// Bytes of a line that count: enough for every field that frames, with some space around its value.
const KEPT: usize = 128;

/// The beginning of the line that is arriving. Without pieces, the usual case, nothing is copied.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pieces: Vec<u8>,
    length: usize,
    last: u8,
}

/// A line without its end.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// At most [`KEPT`] bytes of it.
    start: &'a [u8],
    length: usize,
}

impl Lines {
    pub(super) fn is_begun(&self) -> bool {
        self.length > 0
    }

    /// The next line, once it is complete, and how many of `bytes` were used.
    pub(super) fn next<'a>(&'a mut self, bytes: &'a [u8]) -> Result<(usize, Option<Line<'a>>), Offence> {
        let Some(end) = memchr(b'\n', bytes) else {
            self.keep(bytes);
            return Ok((bytes.len(), None));
        };
        let piece = &bytes[..end];
        let line = if self.length == 0 {
            let Some((b'\r', line)) = piece.split_last() else { return Err(Offence) };
            Line { start: &line[..line.len().min(KEPT)], length: line.len() }
        } else {
            self.keep(piece);
            let length = std::mem::take(&mut self.length) - 1;
            if self.last != b'\r' {
                return Err(Offence);
            }
            Line { start: &self.pieces[..length.min(KEPT)], length }
        };
        Ok((end + 1, Some(line)))
    }

    fn keep(&mut self, piece: &[u8]) {
        if self.length == 0 {
            self.pieces.clear();
        }
        let room = KEPT.saturating_sub(self.pieces.len());
        self.pieces.extend_from_slice(&piece[..piece.len().min(room)]);
        self.length = self.length.saturating_add(piece.len());
        self.last = piece.last().copied().unwrap_or(self.last);
    }
}

impl<'a> Line<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn first(&self) -> Option<u8> {
        self.start.first().copied()
    }

    /// The value of the field `name`, without the space around it, when this is that field.
    pub(super) fn value_of(&self, name: &[u8]) -> Result<Option<&'a [u8]>, Offence> {
        let Some((own, rest)) = self.start.split_at_checked(name.len()) else { return Ok(None) };
        if !own.eq_ignore_ascii_case(name) {
            return Ok(None);
        }
        match rest {
            // What does not fit was not kept, and no honest client pads a length.
            [b':', ..] if self.length > KEPT => Err(Offence),
            [b':', value @ ..] => Ok(Some(value.trim_ascii())),
            [b' ' | b'\t', ..] => Err(Offence),
            _ => Ok(None),
        }
    }
}
