//! What bounds us whatever we do: the bare cost of a hash, of a signature, of a durable write.

mod hashing;
mod rotation;
mod signing;

pub use hashing::hashes_per_second;
pub use rotation::{CLIENTS, Rotations};
pub use signing::signatures_per_second;

use std::thread;
use std::time::{Duration, Instant};

/// How often a second all threads together do something, each by a worker of its own.
fn rate_of<W: FnMut()>(threads: usize, duration: Duration, worker: impl Fn() -> W + Sync) -> f64 {
    let began = Instant::now();
    let work = || {
        let (mut act, mut count) = (worker(), 0_u64);
        while began.elapsed() < duration {
            act();
            count += 1;
        }
        count as f64 / began.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
    })
}
