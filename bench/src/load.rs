//! The generator of load: clients that each send, wait for the answer, and send again.
//!
//! It runs on two threads, and is so plain that it costs a fraction of what it measures.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::samples::Samples;
use crate::wire::{self, Answer};

const THREADS: usize = 2;

/// What one client sends next, given the last answer to it; after nothing it stops.
pub type Script = Box<dyn FnMut(Option<&Answer<'_>>) -> Option<Bytes> + Send>;

/// Whom to load, and how much.
#[derive(Clone, Copy)]
pub struct Load {
    pub target: SocketAddr,
    pub clients: usize,
    pub duration: Duration,
    /// Time from one request of a client to its next; without it, none.
    pub pace: Option<Duration>,
}

/// What came back, and when.
pub struct Outcome {
    elapsed: Duration,
    answers: Vec<(u16, Duration)>,
}

impl Load {
    /// Clients without a pace.
    pub fn closed(target: SocketAddr, clients: usize, duration: Duration) -> Self {
        Self { target, clients, duration, pace: None }
    }

    /// Runs every client until the time is over or its script, which sees the last answer, has nothing more to send.
    pub fn run(self, script_of: impl Fn(usize) -> Script + Sync) -> Result<Outcome> {
        let began = Instant::now();
        let answers = thread::scope(|scope| {
            let run = |first: usize| {
                let scripts: Vec<Script> = (first..self.clients).step_by(THREADS).map(&script_of).collect();
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(self.run_clients(scripts, began))
            };
            let threads: Vec<_> = (0..THREADS).map(|first| scope.spawn(move || run(first))).collect();
            let parts =
                threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("the generator panicked"))?);
            parts.collect::<Result<Vec<_>>>()
        })?;
        Ok(Outcome { elapsed: began.elapsed(), answers: answers.concat() })
    }

    async fn run_clients(self, scripts: Vec<Script>, began: Instant) -> Result<Vec<(u16, Duration)>> {
        let (mut clients, count) = (JoinSet::new(), scripts.len() as u32);
        for (number, script) in scripts.into_iter().enumerate() {
            // Spread over one pace, or all clients would send in the same instant.
            let offset = self.pace.unwrap_or_default() * number as u32 / count;
            clients.spawn(self.run_client(script, began + offset, began + self.duration));
        }
        let mut answers = Vec::new();
        while let Some(client) = clients.join_next().await {
            answers.extend(client??);
        }
        Ok(answers)
    }

    async fn run_client(self, mut script: Script, mut due: Instant, end: Instant) -> Result<Vec<(u16, Duration)>> {
        let mut stream = TcpStream::connect(self.target).await?;
        stream.set_nodelay(true)?;
        let (mut answers, mut buffer) = (Vec::new(), vec![0; wire::BUFFER]);
        let mut next = script(None);
        while let Some(request) = next {
            if let Some(pace) = self.pace {
                tokio::time::sleep_until(due.into()).await;
                due += pace;
            }
            let sent = Instant::now();
            if sent >= end {
                break;
            }
            stream.write_all(&request).await?;
            let answer = read_answer(&mut stream, &mut buffer).await?;
            answers.push((answer.status, sent.elapsed()));
            next = script(Some(&answer));
        }
        Ok(answers)
    }
}

impl Outcome {
    /// Refuses anything but this status: what fails fast must not look fast.
    pub fn only(self, status: u16) -> Result<Self> {
        match self.answers.iter().find(|(other, _)| *other != status) {
            Some((other, _)) => bail!("answered {other} where {status} was due"),
            None => Ok(self),
        }
    }

    pub fn count(&self) -> usize {
        self.answers.len()
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.count() as f64 / self.elapsed.as_secs_f64()
    }

    /// Answers of one status alone.
    pub fn of(&self, status: u16) -> Self {
        let answers = self.answers.iter().filter(|(other, _)| *other == status).copied().collect();
        Self { elapsed: self.elapsed, answers }
    }

    /// Milliseconds from sending to the whole answer.
    pub fn latencies(&self) -> Samples {
        self.answers.iter().map(|(_, latency)| latency.as_secs_f64() * 1e3).collect()
    }
}

async fn read_answer<'a>(stream: &mut TcpStream, buffer: &'a mut [u8]) -> Result<Answer<'a>> {
    let mut filled = 0;
    loop {
        match stream.read(&mut buffer[filled..]).await? {
            0 => bail!("the connection ended within an answer"),
            read => filled += read,
        }
        if let Some(extent) = wire::parse(&buffer[..filled]) {
            return Ok(extent.of(buffer));
        }
    }
}
