//! Strict framing of HTTP/1 (RFC 9112): where a request ends must be beyond doubt, or whoever stands before or behind us
//! sees other requests than we do.
//!
//! Hyper and httparse are lenient where it smuggles: a bare line feed ends a line, a transfer coding overrides a length,
//! other codings hide before `chunked`, a length may be said twice. The guard reads along, byte by byte of what the
//! socket hands to hyper, and knows only as much of HTTP as it takes to find each request's end. What hyper refuses by
//! itself (bare carriage returns, names and values with control characters or spaces, transfer codings in HTTP/1.0) is
//! left to it, for a refused request ends its connection.

mod chunked;
mod head;
mod line;

use chunked::Chunked;
use head::{Head, Length};

/// What a client of HTTP/2 says first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads along on one connection.
#[derive(Debug)]
pub(super) struct Guard {
    state: State,
    head: Head,
    /// Heads that are complete.
    heads: u64,
}

#[derive(Debug)]
enum State {
    /// So many bytes of the preface of HTTP/2 have come, and nothing else.
    Opening(usize),
    /// HTTP/2 frames itself.
    Multiplexed,
    Head,
    /// So many bytes of a body are still to come.
    Body(u64),
    Chunked(Chunked),
    Refused(Part),
}

/// In which part of a request the offence lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Head,
    Body,
}

/// What may become of the bytes just read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    /// Only the first so many may be handed on, and nothing ever after. Never the end of an offending head.
    Refuse {
        passed: usize,
        part: Part,
    },
}

/// The end of a request is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offence;

impl Guard {
    pub(super) fn new() -> Self {
        Self { state: State::Opening(0), head: Head::default(), heads: 0 }
    }

    pub(super) fn is_multiplexed(&self) -> bool {
        matches!(self.state, State::Multiplexed)
    }

    /// In which part of a request something was refused.
    pub(super) fn refused(&self) -> Option<Part> {
        match self.state {
            State::Refused(part) => Some(part),
            State::Opening(_) | State::Multiplexed | State::Head | State::Body(_) | State::Chunked(_) => None,
        }
    }

    /// How many heads have begun, with the one that was refused.
    pub(super) fn heads(&self) -> u64 {
        self.heads + u64::from(self.is_within_head())
    }

    /// Whether a head is arriving, or was refused on its way.
    pub(super) fn is_within_head(&self) -> bool {
        self.head.is_begun() || self.refused() == Some(Part::Head)
    }

    /// Whether these bytes, which follow those of the last call, may be handed on.
    pub(super) fn check(&mut self, bytes: &[u8]) -> Verdict {
        let mut at = 0;
        while at < bytes.len() {
            // A step ends with its part of the request or with the bytes: `at` is where the part at fault begins.
            match self.step(&bytes[at..]) {
                Ok(used) => at += used,
                Err(part) => {
                    self.state = State::Refused(part);
                    return Verdict::Refuse { passed: at, part };
                }
            }
        }
        Verdict::Pass
    }

    fn step(&mut self, bytes: &[u8]) -> Result<usize, Part> {
        let (used, next) = match &mut self.state {
            State::Opening(seen) => {
                let seen = *seen;
                return self.open(seen, bytes);
            }
            State::Multiplexed => (bytes.len(), None),
            State::Head => return self.read_head(bytes),
            State::Body(left) => {
                let used = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= used as u64;
                (used, (*left == 0).then_some(State::Head))
            }
            State::Chunked(chunked) => {
                let (used, has_ended) = chunked.read(bytes).map_err(|Offence| Part::Body)?;
                (used, has_ended.then_some(State::Head))
            }
            State::Refused(part) => return Err(*part),
        };
        self.state = next.unwrap_or_else(|| std::mem::replace(&mut self.state, State::Head));
        Ok(used)
    }

    /// Compares with the preface; as soon as something else comes it is HTTP/1, and the bytes so far are a head's.
    fn open(&mut self, seen: usize, bytes: &[u8]) -> Result<usize, Part> {
        let expected = &PREFACE[seen..];
        let same = expected.iter().zip(bytes).take_while(|(expected, byte)| expected == byte).count();
        self.state = State::Opening(seen + same);
        if same == expected.len() {
            self.state = State::Multiplexed;
        } else if same < bytes.len() {
            self.state = State::Head;
            // No more of the preface than a whole head, which hyper refuses for its version.
            self.read_head(&PREFACE[..seen])?;
            return Ok(0);
        }
        Ok(same)
    }

    fn read_head(&mut self, bytes: &[u8]) -> Result<usize, Part> {
        let (used, length) = self.head.read(bytes).map_err(|Offence| Part::Head)?;
        self.heads += u64::from(length.is_some());
        self.state = match length {
            Some(Length::Chunked) => State::Chunked(Chunked::default()),
            Some(Length::Bytes(length)) if length > 0 => State::Body(length),
            Some(Length::Bytes(_)) | None => State::Head,
        };
        Ok(used)
    }
}

#[cfg(test)]
pub(super) mod tests;
