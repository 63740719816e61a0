//! A request's head, of which only the fields that tell the body's length are read.

use super::Offence;
use super::line::{Line, Lines};

const CONTENT_LENGTH: &[u8] = b"content-length";
const TRANSFER_ENCODING: &[u8] = b"transfer-encoding";

/// The head that is arriving.
#[derive(Debug, Default)]
pub(super) struct Head {
    lines: Lines,
    framing: Framing,
}

/// How far the body reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Bytes(u64),
    Chunked,
}

#[derive(Debug, Default)]
struct Framing {
    has_request_line: bool,
    length: Option<Length>,
}

impl Head {
    pub(super) fn is_begun(&self) -> bool {
        self.framing.has_request_line || self.lines.is_begun()
    }

    /// The length of the body, once the head is complete, and how many of `bytes` were used.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, Option<Length>), Offence> {
        let mut at = 0;
        while at < bytes.len() {
            let (used, line) = self.lines.next(&bytes[at..])?;
            at += used;
            let Some(line) = line else { break };
            if !line.is_empty() {
                self.framing.read(&line)?;
            } else if self.framing.has_request_line {
                let framing = std::mem::take(&mut self.framing);
                return Ok((at, Some(framing.length.unwrap_or(Length::Bytes(0)))));
            }
            // An empty line before the request is to be ignored (section 2.2).
        }
        Ok((at, None))
    }
}

impl Framing {
    fn read(&mut self, line: &Line<'_>) -> Result<(), Offence> {
        if !std::mem::replace(&mut self.has_request_line, true) {
            return Ok(());
        }
        if let Some(length) = length_in(line)? {
            // One of either and once: of two that agree, the next in line may read only one.
            if self.length.replace(length).is_some() {
                return Err(Offence);
            }
        }
        Ok(())
    }
}

/// What the field says about the length, if it is one that does; of trailers none may be.
pub(super) fn length_in(line: &Line<'_>) -> Result<Option<Length>, Offence> {
    // Most fields begin like neither, and this runs for every line of every request.
    match line.first() {
        // A continuation of the line before (obs-fold), which no two parsers understand alike.
        Some(b' ' | b'\t') => Err(Offence),
        Some(b'C' | b'c') => match line.value_of(CONTENT_LENGTH)? {
            Some(value) => parse_length(value).map(Some).ok_or(Offence),
            None => Ok(None),
        },
        Some(b'T' | b't') => match line.value_of(TRANSFER_ENCODING)? {
            // Nothing else, not even before it: we decode nothing else, so somebody would be left to guess.
            Some(value) if value.eq_ignore_ascii_case(b"chunked") => Ok(Some(Length::Chunked)),
            Some(_) => Err(Offence),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Digits only: no sign, no list.
fn parse_length(value: &[u8]) -> Option<Length> {
    let digits = value.iter().all(u8::is_ascii_digit).then_some(value)?;
    std::str::from_utf8(digits).ok()?.parse().ok().map(Length::Bytes)
}
