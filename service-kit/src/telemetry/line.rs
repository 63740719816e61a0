//! One log line per event: JSON for machines, columns for people, each with the id of its request.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::writer::Lines;
use crate::clock::Clock;
use crate::request_id;

/// Turns events into lines.
pub(super) struct LineLayer {
    lines: Lines,
    pretty: bool,
    clock: Clock,
}

impl LineLayer {
    pub(super) fn new(lines: Lines, pretty: bool) -> Self {
        Self { lines, pretty, clock: Clock::System }
    }
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        request_id::with_current(|id| fields.set("request_id", id.as_str().into()));
        let time = self.clock.now().to_string();
        let line = if self.pretty {
            pretty_line(&time, event.metadata(), fields)
        } else {
            json_line(time, event.metadata(), fields)
        };
        self.lines.write(line);
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn set(&mut self, name: &str, value: Value) {
        self.others.insert(name.to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            name => self.set(name, value.into()),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

fn json_line(time: String, metadata: &Metadata<'_>, fields: Fields) -> Vec<u8> {
    let mut object = Map::new();
    object.insert("timestamp".to_owned(), time.into());
    object.insert("level".to_owned(), metadata.level().as_str().into());
    object.insert("target".to_owned(), metadata.target().into());
    object.insert("message".to_owned(), fields.message.into());
    // An event's own field never replaces one of these.
    for (name, value) in fields.others {
        object.entry(name).or_insert(value);
    }
    let mut line = Value::Object(object).to_string().into_bytes();
    line.push(b'\n');
    line
}

fn pretty_line(time: &str, metadata: &Metadata<'_>, fields: Fields) -> Vec<u8> {
    let mut line = format!("{time} {:>5} {}: ", metadata.level(), metadata.target());
    push_escaped(&mut line, &fields.message);
    for (name, value) in fields.others {
        let _ = write!(line, " {name}={value}");
    }
    line.push('\n');
    line.into_bytes()
}

/// Control characters would let a caller's text forge lines or steer the terminal; JSON escapes them by itself.
fn push_escaped(line: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use http::{HeaderMap, HeaderValue};
    use tracing_subscriber::layer::SubscriberExt;

    use super::super::writer::LogWriter;
    use super::*;
    use crate::request_id::{RequestIds, X_REQUEST_ID};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(pretty: bool, act: impl FnOnce()) -> String {
        let log = Log::default();
        let (writer, lines) = LogWriter::start(log.clone()).unwrap();
        let layer = LineLayer { clock: Clock::manual("2026-01-01T00:00:00Z".parse().unwrap()), lines, pretty };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), act);
        drop(writer);
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
    }

    #[tokio::test]
    async fn lines_of_a_request_carry_its_id_and_others_none() {
        let headers = HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_static("my-id"))]);
        let id = RequestIds::new().accept_or_make(&headers);
        let log = logged(false, || {
            tracing::info!(target: "test", count = 7, "inside \"quotes\"\n");
        });
        assert!(!log.contains("request_id"), "{log}");
        let log = request_id::scope(id, async { logged(false, || tracing::warn!(target: "test", "inside")) }).await;
        let line: Value = serde_json::from_str(&log).unwrap();
        let expected = serde_json::json!({
            "timestamp": "2026-01-01T00:00:00Z", "level": "WARN", "target": "test", "message": "inside",
            "request_id": "my-id",
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn what_a_caller_sent_cannot_forge_a_line() {
        let forged = "x\n2026-01-01T00:00:00Z ERROR root: \u{1b}[31mhacked";
        for pretty in [false, true] {
            let log = logged(pretty, || tracing::info!(target: "test", agent = forged, "{forged}"));
            assert_eq!(log.matches('\n').count(), 1, "{log}");
            assert!(!log.contains('\u{1b}'), "{log}");
        }
    }

    #[test]
    fn a_field_does_not_replace_what_every_line_has() {
        let log = logged(false, || tracing::info!(target: "test", level = "fake", timestamp = 0, "said"));
        let line: Value = serde_json::from_str(&log).unwrap();
        assert_eq!((&line["level"], &line["timestamp"]), (&"INFO".into(), &"2026-01-01T00:00:00Z".into()));
    }
}
