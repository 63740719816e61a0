//! CSV (RFC 4180), record by record in buffers of a fixed size.

use std::io::BufRead;

use csv_core::{ReadRecordResult, Reader};
use serde_json::{Map, Value};

use super::{
    row::Refusal,
    source::{Damage, Ending, MAX_RECORD, Mapper, Record, Sink},
};

/// The most columns of a file.
const MAX_COLUMNS: usize = 128;

/// One record as it was taken from the file.
enum Taken {
    Fields(Vec<Result<String, ()>>),
    TooLong,
    End,
}

struct Records<R> {
    input: R,
    reader: Reader,
    bytes: u64,
    last: Option<u8>,
    output: Vec<u8>,
    ends: Vec<usize>,
}

/// Reads a file whose first line names the columns; where `columns` are given, there may be no others.
pub(super) fn read(
    input: impl BufRead,
    columns: Option<&[&str]>,
    mapper: &Mapper<'_>,
    sink: &mut Sink<'_>,
) -> Result<Ending, Damage> {
    let mut records = Records {
        input,
        reader: Reader::new(),
        bytes: 0,
        last: None,
        output: vec![0; MAX_RECORD],
        ends: vec![0; MAX_COLUMNS],
    };
    let header = read_header(&mut records, columns)?;
    loop {
        let line = records.reader.line();
        let content = match records.next()? {
            Taken::End => return Ok(Ending { is_unfinished: records.last.is_some_and(|byte| byte != b'\n') }),
            Taken::TooLong => {
                Err(Refusal::new("too_long", "the record takes more than 256 KiB or has too many columns"))
            }
            Taken::Fields(fields) => members(&header, fields).and_then(mapper),
        };
        if sink(Record { line, bytes: records.bytes, content }).is_break() {
            return Ok(Ending::default());
        }
    }
}

fn read_header(records: &mut Records<impl BufRead>, columns: Option<&[&str]>) -> Result<Vec<String>, Damage> {
    let Taken::Fields(fields) = records.next()? else {
        return Err(Damage::new(1, "there is no header line that names the columns"));
    };
    let mut header: Vec<String> = Vec::new();
    for name in fields {
        let name = name.map_err(|()| Damage::new(1, "the header is not UTF-8"))?.trim().to_ascii_lowercase();
        if let Some(columns) = columns
            && !columns.contains(&name.as_str())
        {
            let hint = if name.contains([';', '\t']) { "; columns are separated by commas here" } else { "" };
            let name: String = name.chars().take(60).collect();
            return Err(Damage::new(1, format!("no such column: {name:?}{hint}; known are {}", columns.join(", "))));
        }
        if header.contains(&name) {
            return Err(Damage::new(1, format!("the column {name:?} stands twice")));
        }
        header.push(name);
    }
    if header.iter().any(|name| name == "email") { Ok(header) } else { Err(Damage::new(1, "there is no column email")) }
}

/// The fields by their columns' names; an empty field is an absent one.
fn members(header: &[String], fields: Vec<Result<String, ()>>) -> Result<Map<String, Value>, Refusal> {
    if fields.len() != header.len() {
        let detail = format!("{} fields where the header has {}", fields.len(), header.len());
        return Err(Refusal::new("wrong_number_of_fields", detail));
    }
    let mut members = Map::new();
    for (name, field) in header.iter().zip(fields) {
        let text = field.map_err(|()| Refusal::new("not_utf8", format!("{name} is not UTF-8")))?;
        if !text.is_empty() {
            members.insert(name.clone(), Value::String(text));
        }
    }
    Ok(members)
}

impl<R: BufRead> Records<R> {
    /// Takes the next record; of one that does not fit nothing is kept.
    fn next(&mut self) -> Result<Taken, Damage> {
        let (mut length, mut count, mut is_too_long) = (0, 0, false);
        loop {
            let line = self.reader.line();
            let input = self.input.fill_buf().map_err(|cause| Damage::new(line, cause.to_string()))?;
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut self.output[length..], &mut self.ends[count..]);
            self.last = input[..read].last().copied().or(self.last);
            self.bytes += read as u64;
            self.input.consume(read);
            (length, count) = (length + written, count + ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    (length, count, is_too_long) = (0, 0, true);
                }
                ReadRecordResult::Record if is_too_long => return Ok(Taken::TooLong),
                ReadRecordResult::Record => return Ok(Taken::Fields(self.fields(count))),
                ReadRecordResult::End => return Ok(Taken::End),
            }
        }
    }

    fn fields(&self, count: usize) -> Vec<Result<String, ()>> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let spans = begins.zip(&self.ends[..count]);
        spans.map(|(begin, &end)| String::from_utf8(self.output[begin..end].to_vec()).map_err(drop)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::import::native;

    /// The address of each record, or the code of its refusal, with its line.
    fn addresses(file: &[u8]) -> Result<Vec<(u64, String)>, String> {
        let mut seen = Vec::new();
        let outcome = read(file, Some(&native::COLUMNS), &native::read, &mut |record| {
            let what =
                record.content.map_or_else(|refusal| refusal.code.to_owned(), |raw| raw.email.unwrap_or_default());
            seen.push((record.line, what));
            ControlFlow::Continue(())
        });
        outcome.map(|_| seen).map_err(|damage| damage.to_string())
    }

    #[test]
    fn quotes_line_ends_and_empty_lines_are_read_as_they_are_meant() {
        let file = b"email,display_name\r\na@b.co,\"Kim, \"\"Dal\"\"\nrae\"\r\n\r\nc@d.co,\r\ne@f.co,x";
        let seen = addresses(file).unwrap();
        let emails: Vec<_> = seen.iter().map(|(_, email)| email.as_str()).collect();
        assert_eq!(emails, ["a@b.co", "c@d.co", "e@f.co"]);
    }

    #[test]
    fn a_record_that_does_not_fit_is_refused_and_the_next_is_read() {
        let file = format!("email,display_name\na@b.co,{}\nc@d.co,x\n", "x".repeat(3 * MAX_RECORD));
        let seen = addresses(file.as_bytes()).unwrap();
        assert_eq!(seen, [(2, "too_long".to_owned()), (3, "c@d.co".to_owned())]);
        let wide = format!("email,display_name\n{}\nc@d.co,x\n", ",".repeat(1000));
        assert_eq!(addresses(wide.as_bytes()).unwrap()[1], (3, "c@d.co".to_owned()));
    }

    #[test]
    fn bytes_that_are_no_utf8_and_missing_fields_cost_one_record() {
        let file = b"email,display_name\na@b.co,\xff\nb@b.co\nc@d.co,x\n";
        let seen: Vec<_> = addresses(file).unwrap().into_iter().map(|(_, what)| what).collect();
        assert_eq!(seen, ["not_utf8", "wrong_number_of_fields", "c@d.co"]);
    }

    #[test]
    fn a_header_that_is_not_ours_is_refused_as_a_whole() {
        for (file, reason) in [
            ("email;username\na@b.co;x\n", "separated by commas"),
            ("email,shoe_size\n", "no such column"),
            ("username\n", "no column email"),
            ("email,email\n", "stands twice"),
            ("", "no header"),
        ] {
            let refused = addresses(file.as_bytes()).unwrap_err();
            assert!(refused.contains(reason), "{file:?}: {refused}");
        }
    }
}
