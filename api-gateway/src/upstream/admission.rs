//! How many requests an upstream works on at once, and how many wait for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::upstream::{Failure, UpstreamConfig};

/// A place among the requests in progress, given back on drop.
pub(super) type Place = OwnedSemaphorePermit;

/// The places of one upstream, and the queue for them.
pub(super) struct Admission {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    queue_timeout: Duration,
}

impl Admission {
    pub fn new(config: &UpstreamConfig) -> Self {
        Self {
            places: Arc::new(Semaphore::new(config.max_requests.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
            queue: config.queue,
            queue_timeout: config.queue_timeout,
        }
    }

    /// A place, if one is free. Those that wait come first.
    pub fn try_enter(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Waits for a place, first come, first served. Dropping the future leaves the queue.
    ///
    /// # Errors
    /// [`Failure::AtLimit`], at once when the queue is full, else when it took too long.
    pub async fn enter(&self) -> Result<Place, Failure> {
        let _waiting = Waiting::begin(&self.waiting, self.queue).ok_or(Failure::AtLimit)?;
        match tokio::time::timeout(self.queue_timeout, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Failure::AtLimit),
        }
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize, most: usize) -> Option<Self> {
        let waiting = Self(count);
        (count.fetch_add(1, Ordering::AcqRel) < most).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn admission(places: usize, queue: usize) -> Admission {
        let config = UpstreamConfig { max_requests: places, queue, ..UpstreamConfig::of_servers("a", Vec::new()) };
        Admission::new(&config)
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_takes_no_longer_than_allowed() {
        let admission = admission(1, 1);
        let _place = admission.try_enter().unwrap();
        let begun = tokio::time::Instant::now();
        assert!(matches!(admission.enter().await, Err(Failure::AtLimit)));
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn full_queue_refuses_at_once() {
        let admission = admission(1, 1);
        let _place = admission.try_enter().unwrap();
        let mut first = pin!(admission.enter());
        assert!(poll(first.as_mut()).is_pending());
        assert!(matches!(poll(pin!(admission.enter())), Poll::Ready(Err(Failure::AtLimit))));
    }

    #[tokio::test(start_paused = true)]
    async fn places_are_given_in_the_order_of_coming() {
        let admission = admission(1, 3);
        let place = admission.try_enter().unwrap();
        let (mut first, mut second) = (Box::pin(admission.enter()), Box::pin(admission.enter()));
        assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
        drop(place);
        assert!(admission.try_enter().is_none(), "a newcomer does not overtake");
        assert!(poll(second.as_mut()).is_pending());
        assert!(poll(first.as_mut()).is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_the_queue_makes_room_in_it() {
        let admission = admission(1, 1);
        let place = admission.try_enter().unwrap();
        for _ in 0..3 {
            let mut gone = Box::pin(admission.enter());
            assert!(poll(gone.as_mut()).is_pending());
        }
        let mut next = pin!(admission.enter());
        assert!(poll(next.as_mut()).is_pending());
        drop(place);
        assert!(matches!(poll(next.as_mut()), Poll::Ready(Ok(_))));
    }
}
