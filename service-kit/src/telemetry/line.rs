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
        Self {
            lines,
            pretty,
            clock: Clock::System,
        }
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
