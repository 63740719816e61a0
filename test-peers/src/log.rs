//! What the code under test logs.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

thread_local! {
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Collects the lines of everything that runs on this test's thread, as `LEVEL field=value …`, until it is dropped.
#[must_use = "lines are collected until it is dropped"]
pub struct Log {
    this_thread_only: PhantomData<Rc<()>>,
}

impl Log {
    /// Begins to collect; lines of an earlier collector of this thread are forgotten.
    pub fn collect() -> Self {
        static INSTALLED: Once = Once::new();
        // One subscriber for the whole process: with one for each thread, a thread that has none and comes to a line
        // first would switch that line off for all of them.
        INSTALLED.call_once(|| {
            let _ = tracing::subscriber::set_global_default(Collector);
            tracing::callsite::rebuild_interest_cache();
        });
        LINES.set(Some(Vec::new()));
        Self { this_thread_only: PhantomData }
    }

    /// All lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        LINES.with_borrow(|lines| lines.clone().unwrap_or_default())
    }

    /// The lines that contain all of these.
    #[must_use]
    pub fn lines_with(&self, parts: &[&str]) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| parts.iter().all(|part| line.contains(part)));
        lines
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        LINES.set(None);
    }
}

struct Collector;

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        LINES.with_borrow(Option::is_some)
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        tracing::subscriber::Interest::sometimes()
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        LINES.with_borrow_mut(|lines| lines.as_mut().map(|lines| lines.push(line.0)));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(number: u8) {
        tracing::info!(number, "said");
    }

    #[test]
    fn lines_of_this_thread_are_collected_and_no_others() {
        std::thread::spawn(|| say(1)).join().unwrap();
        let log = Log::collect();
        std::thread::spawn(|| say(2)).join().unwrap();
        say(3);
        assert_eq!(log.lines(), ["INFO message=said number=3"]);
        assert_eq!(log.lines_with(&["said", "4"]), Vec::<String>::new());
        drop(log);
        say(4);
        assert_eq!(Log::collect().lines(), Vec::<String>::new());
    }
}
