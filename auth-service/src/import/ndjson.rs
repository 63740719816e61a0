//! JSON objects, one a line.

use std::io::{BufRead, Read};

use super::{
    row::Refusal,
    source::{Damage, Ending, MAX_RECORD, Mapper, Record, Sink},
};

/// Reads a file line by line; a line that is no object is refused, and the next is read.
pub(super) fn read(mut input: impl BufRead, mapper: &Mapper<'_>, sink: &mut Sink<'_>) -> Result<Ending, Damage> {
    let (mut line, mut bytes, mut text) = (0, 0, Vec::new());
    loop {
        line += 1;
        text.clear();
        let damage = |cause: std::io::Error| Damage::new(line, cause.to_string());
        let read = (&mut input).take(MAX_RECORD as u64).read_until(b'\n', &mut text).map_err(damage)?;
        bytes += read as u64;
        let (is_whole, is_last) = (text.ends_with(b"\n"), read < MAX_RECORD);
        let content = if is_whole || is_last {
            if text.trim_ascii().is_empty() {
                if is_whole {
                    continue;
                }
                return Ok(Ending::default());
            }
            serde_json::from_slice(&text).map_err(Refusal::malformed).and_then(mapper)
        } else {
            bytes += input.skip_until(b'\n').map_err(damage)? as u64;
            Err(Refusal::new("too_long", "the line takes more than 256 KiB"))
        };
        if sink(Record { line, bytes, content }).is_break() {
            return Ok(Ending::default());
        }
        if !is_whole && is_last {
            return Ok(Ending { is_unfinished: true });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::import::native;

    #[test]
    fn a_bad_line_costs_itself_alone() {
        let long = format!("{{\"email\":\"{}\"}}", "x".repeat(2 * MAX_RECORD));
        let file = [
            b"{\"email\":\"a@b.co\"}\n\nnull\n[]\n{\"email\":5}\n\xff\n".as_slice(),
            long.as_bytes(),
            b"\n{\"email\":\"c@d.co\"}\n{\"email\":\"cut",
        ]
        .concat();
        let mut seen = Vec::new();
        let ending = read(&file[..], &native::read, &mut |record| {
            let what =
                record.content.map_or_else(|refusal| refusal.code.to_owned(), |raw| raw.email.unwrap_or_default());
            seen.push((record.line, what));
            ControlFlow::Continue(())
        });
        assert!(ending.unwrap().is_unfinished);
        let seen: Vec<_> = seen.iter().map(|(line, what)| (*line, what.as_str())).collect();
        let expected = [
            (1, "a@b.co"),
            (3, "malformed"),
            (4, "malformed"),
            (5, "wrong_type"),
            (6, "malformed"),
            (7, "too_long"),
            (8, "c@d.co"),
            (9, "malformed"),
        ];
        assert_eq!(seen, expected);
    }
}
