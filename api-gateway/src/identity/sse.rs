//! Server-sent events, parsed as they come: cut at any byte, and bounded.
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One event; ids and retry times are not our business.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its kind; empty when none was given.
    pub(super) name: Vec<u8>,
    /// Its lines, joined by line feeds.
    pub(super) data: Vec<u8>,
}

/// An event is longer than is accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {0} bytes")]
pub(super) struct TooLong(usize);

/// Makes events of chunks.
pub(super) struct Parser {
    limit: usize,
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// The event that has not ended yet, and whether a line of data came.
    event: Event,
    has_data: bool,
    /// The last byte was a carriage return, with which a line ends; a line feed after it is no further line.
    after_return: bool,
    is_first_line: bool,
}

impl Parser {
    /// Of events that take at most `limit` bytes each.
    pub(super) const fn new(limit: usize) -> Self {
        let event = Event { name: Vec::new(), data: Vec::new() };
        Self { limit, line: Vec::new(), event, has_data: false, after_return: false, is_first_line: true }
    }

    /// The events that end within `chunk`.
    pub(super) fn push(&mut self, mut chunk: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        if chunk.is_empty() {
            return Ok(events);
        }
        if std::mem::take(&mut self.after_return) {
            chunk = chunk.strip_prefix(b"\n").unwrap_or(chunk);
        }
        while let Some(end) = chunk.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.extend_line(&chunk[..end])?;
            events.extend(self.end_line());
            let rest = &chunk[end + 1..];
            chunk = match (chunk[end], rest.first()) {
                (b'\r', Some(b'\n')) => &rest[1..],
                (b'\r', None) => {
                    self.after_return = true;
                    rest
                }
                _ => rest,
            };
        }
        self.extend_line(chunk)?;
        Ok(events)
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + self.event.name.len() + self.event.data.len() + bytes.len() > self.limit {
            return Err(TooLong(self.limit));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let line = match line.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) if self.is_first_line => rest,
            Some(_) | None => &line,
        };
        self.is_first_line = false;
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"event" => self.event.name = value.to_vec(),
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push(b'\n');
                }
                self.event.data.extend_from_slice(value);
            }
            // Comments, which begin with the colon, and fields that say nothing to us.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(name: &str, data: &str) -> Event {
        Event { name: name.as_bytes().to_vec(), data: data.as_bytes().to_vec() }
    }

    fn parse(text: &str) -> Vec<Event> {
        Parser::new(1_000).push(text.as_bytes()).unwrap()
    }

    #[test]
    fn events_are_read_with_any_line_end() {
        let expected = vec![event("snapshot", "{}"), event("", "a\nb")];
        for end in ["\n", "\r\n", "\r"] {
            let text = "event: snapshot\ndata: {}\n\ndata:a\ndata: b\n\n".replace('\n', end);
            assert_eq!(parse(&text), expected, "{end:?}");
        }
    }

    #[test]
    fn comments_unknown_fields_and_empty_events_are_skipped() {
        let text = "\u{feff}: hello\n\nid: 7\nretry: 10\nevent: lonely\n\nevent\ndata:  x\nnonsense\n\n:\n\ndata\n\n";
        assert_eq!(parse(text), [event("", " x"), event("", "")]);
    }

    #[test]
    fn an_event_that_has_not_ended_is_none() {
        assert_eq!(parse("event: a\ndata: b\n"), []);
        assert_eq!(parse("event: a\ndata: b"), []);
    }

    #[test]
    fn an_endless_line_or_event_is_refused() {
        let line = format!("data: {}", "x".repeat(1_000));
        assert_eq!(Parser::new(1_000).push(line.as_bytes()), Err(TooLong(1_000)));
        let lines = "data: xxxxxxxx\n".repeat(1_000);
        assert_eq!(Parser::new(1_000).push(lines.as_bytes()), Err(TooLong(1_000)));
        let events = "data: xxxxxxxx\n\n".repeat(1_000);
        assert_eq!(Parser::new(1_000).push(events.as_bytes()).map(|events| events.len()), Ok(1_000));
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_events(
            lines in prop::collection::vec("(event: |data: |data:|: |id)?[a-z:é ]{0,6}(\r\n|\n|\r){1,3}", 0..20),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let text = lines.concat().into_bytes();
            let whole = Parser::new(1_000).push(&text).unwrap();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut parser = Parser::new(1_000);
            let parts = cuts.windows(2).flat_map(|cut| parser.push(&text[cut[0]..cut[1]]).unwrap());
            prop_assert_eq!(parts.collect::<Vec<_>>(), whole.clone());
            let mut parser = Parser::new(1_000);
            let bytes = text.iter().flat_map(|byte| parser.push(&[*byte]).unwrap());
            prop_assert_eq!(bytes.collect::<Vec<_>>(), whole);
        }
    }
}
