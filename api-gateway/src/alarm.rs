//! A time limit that costs a busy connection no timer.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, ready};

use tokio::time::{Instant, Sleep};

/// The time is up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TimedOut;

/// The timer of one connection, kept from request to request: it is set by the first, rings in vain when those that came
/// since have more time, and is only then set anew.
#[derive(Default)]
pub(crate) struct Alarm(Mutex<Option<Pin<Box<Sleep>>>>);

impl Alarm {
    /// Waits for `future` until `deadline`.
    ///
    /// # Errors
    /// [`TimedOut`].
    pub(crate) async fn until<F: Future>(
        &self,
        deadline: Instant,
        mut future: Pin<&mut F>,
    ) -> Result<F::Output, TimedOut> {
        // Requests that share a connection find none, and bring their own.
        let kept = self.slot().take();
        let mut timer = kept.unwrap_or_else(|| Box::pin(tokio::time::sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        let outcome = poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            loop {
                ready!(timer.as_mut().poll(cx));
                if Instant::now() >= deadline {
                    return Poll::Ready(Err(TimedOut));
                }
                timer.as_mut().reset(deadline);
            }
        })
        .await;
        *self.slot() = Some(timer);
        outcome
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Pin<Box<Sleep>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn waits(alarm: &Alarm, limit: Duration) -> Duration {
        let begun = Instant::now();
        assert_eq!(alarm.until(begun + limit, pin!(pending::<()>())).await, Err(TimedOut));
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_its_own_time_whatever_the_one_before_had() {
        let alarm = Alarm::default();
        for seconds in [3, 1, 5, 5] {
            assert_eq!(waits(&alarm, seconds * SECOND).await, seconds * SECOND);
            let answer = alarm.until(Instant::now() + 9 * SECOND, pin!(ready("answer"))).await;
            assert_eq!(answer, Ok("answer"));
            tokio::time::sleep(SECOND).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_at_the_same_time_do_not_disturb_each_other() {
        let alarm = Alarm::default();
        let waited = tokio::join!(waits(&alarm, 2 * SECOND), waits(&alarm, SECOND), waits(&alarm, 3 * SECOND));
        assert_eq!(waited, (2 * SECOND, SECOND, 3 * SECOND));
    }
}
