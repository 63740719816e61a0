//! Threads that each serve connections of their own, from the first byte to the last.
//!
//! A runtime that shares its work among threads wakes one for what another has read. For a proxy, which does little
//! between reading and writing, that is most of the cost: on two processors separate threads served half as many requests
//! again, at two thirds of the processor time of each.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The threads; they end when the last clone is dropped, with whatever they still have.
#[derive(Clone, Debug)]
pub struct Workers(Arc<[Worker]>);

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
    /// Dropped with the rest.
    _stop: oneshot::Sender<()>,
}

/// A connection's place at a worker.
pub(super) struct Assignment {
    pub(super) runtime: Handle,
    connections: Arc<AtomicUsize>,
}

impl Workers {
    /// One for each processor.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self((0..count).map(Worker::start).collect::<io::Result<_>>()?))
    }

    /// The worker with the fewest connections takes one more.
    pub(super) fn assign(&self) -> Option<Assignment> {
        let worker = self.0.iter().min_by_key(|worker| worker.connections.load(Ordering::Relaxed))?;
        worker.connections.fetch_add(1, Ordering::Relaxed);
        Some(Assignment { runtime: worker.runtime.clone(), connections: Arc::clone(&worker.connections) })
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (handle, (stop, stopped)) = (runtime.handle().clone(), oneshot::channel());
        Builder::new().name(format!("worker-{number}")).spawn(move || {
            // Either way it is over.
            drop(runtime.block_on(stopped));
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, connections: Arc::default(), _stop: stop })
    }
}

impl Drop for Assignment {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_are_shared_out_evenly_and_each_worker_has_a_runtime_of_its_own() {
        let workers = Workers((0..2).map(Worker::start).collect::<io::Result<_>>().unwrap());
        let (first, second) = (workers.assign().unwrap(), workers.assign().unwrap());
        assert_ne!(first.runtime.id(), second.runtime.id());
        let gone = first.runtime.id();
        drop(first);
        assert_eq!(workers.assign().unwrap().runtime.id(), gone);
        let there = second.runtime.spawn(async { Handle::current().id() }).await.unwrap();
        assert_eq!(there, second.runtime.id());
        drop(workers);
        let end = second.runtime.spawn(std::future::pending::<()>()).await;
        assert!(end.is_err(), "what a worker still has ends with it");
    }
}
