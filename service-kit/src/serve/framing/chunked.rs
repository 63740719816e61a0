//! A chunked body (section 7.1), of which only the sizes are read.

use super::Offence;
use super::head::length_in;
use super::line::Lines;

/// Hexadecimal digits of a size: 64 bits. Leading zeros without end would be read as padding by some and not by others.
const DIGITS: u8 = 16;

/// The chunked body that is arriving.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    place: Place,
    /// Of the size that is being read, so far.
    digits: u8,
    /// Of the chunk, as far as it is known or still to come.
    size: u64,
}

#[derive(Debug, Default)]
enum Place {
    #[default]
    Size,
    Extension,
    SizeLineFeed,
    Data,
    DataReturn,
    DataLineFeed,
    Trailers(Lines),
}

impl Chunked {
    /// Whether the body has ended, and how many of `bytes` belong to it.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, bool), Offence> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match &mut self.place {
                Place::Data => at += self.skip(bytes.len() - at),
                Place::Trailers(lines) => {
                    let (used, line) = lines.next(&bytes[at..])?;
                    at += used;
                    match line {
                        Some(line) if line.is_empty() => return Ok((at, true)),
                        // A length after the body must not be believed by anyone (RFC 9110, section 6.5.1).
                        Some(line) if length_in(&line)?.is_some() => return Err(Offence),
                        Some(_) | None => {}
                    }
                }
                Place::Size | Place::Extension | Place::SizeLineFeed | Place::DataReturn | Place::DataLineFeed => {
                    self.read_byte(*byte)?;
                    at += 1;
                }
            }
        }
        Ok((at, false))
    }

    fn skip(&mut self, available: usize) -> usize {
        let used = available.min(usize::try_from(self.size).unwrap_or(usize::MAX));
        self.size -= used as u64;
        if self.size == 0 {
            self.place = Place::DataReturn;
        }
        used
    }

    fn read_byte(&mut self, byte: u8) -> Result<(), Offence> {
        self.place = match (&self.place, byte) {
            (Place::Size, b'\r') if self.digits > 0 => Place::SizeLineFeed,
            (Place::Size, b';') if self.digits > 0 => Place::Extension,
            (Place::Size, digit) => {
                self.read_digit(digit)?;
                Place::Size
            }
            (Place::Extension, b'\r') => Place::SizeLineFeed,
            (Place::Extension, b'\n') => return Err(Offence),
            (Place::Extension, _) => Place::Extension,
            (Place::SizeLineFeed, b'\n') if self.size == 0 => Place::Trailers(Lines::default()),
            (Place::SizeLineFeed, b'\n') => Place::Data,
            (Place::DataReturn, b'\r') => Place::DataLineFeed,
            (Place::DataLineFeed, b'\n') => {
                self.digits = 0;
                Place::Size
            }
            _ => return Err(Offence),
        };
        Ok(())
    }

    fn read_digit(&mut self, digit: u8) -> Result<(), Offence> {
        let value = char::from(digit).to_digit(16).filter(|_| self.digits < DIGITS).ok_or(Offence)?;
        self.digits += 1;
        self.size = self.size << 4 | u64::from(value);
        Ok(())
    }
}
