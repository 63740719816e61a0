//! The thread that writes the log: a full disk or a stuck reader costs lines, never requests.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines that may wait; at 300 bytes a line under 3 MiB.
const WAITING_LINES: usize = 8_192;
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// The writing end's owner; dropping it waits, within reason, until what was logged is written.
pub(super) struct LogWriter {
    lines: Lines,
}

/// Hands lines over without ever waiting.
#[derive(Clone)]
pub(super) struct Lines(SyncSender<Message>);

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

impl LogWriter {
    pub(super) fn start(to: impl Write + Send + 'static) -> std::io::Result<(Self, Lines)> {
        let (sender, receiver) = sync_channel(WAITING_LINES);
        thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&receiver, to))?;
        let lines = Lines(sender);
        Ok((Self { lines: lines.clone() }, lines))
    }

    pub(super) fn lines(&self) -> Lines {
        self.lines.clone()
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        let (done, wait) = sync_channel(1);
        // A stuck reader must not keep the program from stopping.
        if self.lines.0.try_send(Message::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(FLUSH_TIME);
        }
    }
}

impl Lines {
    /// Writes the line soon, or counts it as lost when too many are waiting.
    pub(super) fn write(&self, line: Vec<u8>) {
        if self.0.try_send(Message::Line(line)).is_err() {
            lose_line();
        }
    }
}

fn write_all(messages: &Receiver<Message>, mut to: impl Write) {
    while let Ok(message) = messages.recv() {
        match message {
            // Flushed line by line: a crash must not take the explanation of itself along.
            Message::Line(line) if to.write_all(&line).and_then(|()| to.flush()).is_err() => lose_line(),
            Message::Line(_) => {}
            Message::Flush(done) => {
                let _ = done.try_send(());
            }
        }
    }
}

fn lose_line() {
    metrics::counter!("log_lines_lost_total").increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A disk that is full at the second line only.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(u32, Vec<u8>)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            disk.0 += 1;
            if disk.0 == 2 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_costs_its_line_and_no_other() {
        let disk = Disk::default();
        let (writer, lines) = LogWriter::start(disk.clone()).unwrap();
        for line in ["one\n", "two\n", "three\n"] {
            lines.write(line.as_bytes().to_vec());
        }
        drop(writer);
        assert_eq!(disk.0.lock().unwrap().1, b"one\nthree\n");
    }

    /// A reader that never reads, until it is let go.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stuck_reader_never_makes_a_caller_wait() {
        let (let_go, stuck) = sync_channel(0);
        let (writer, lines) = LogWriter::start(Stuck(stuck)).unwrap();
        for _ in 0..3 * WAITING_LINES {
            lines.write(b"line\n".to_vec());
        }
        drop(let_go);
        drop(writer);
    }
}
