//! The waker of an inline connection: it rings the task that uses the connection, but not while that task is at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

const ATTENDED: u8 = 1;
const RUNG: u8 = 2;

/// One per connection, for as long as it lives, so that hyper finds the same waker at each poll and clones none.
#[derive(Default)]
pub(super) struct Bell {
    task: AtomicWaker,
    state: AtomicU8,
    /// Whether a body of the client's is still being sent.
    uploading: AtomicBool,
}

impl Bell {
    /// From here until [`Self::leave`] rings are only noted: whoever polls looks at everything anyhow, and a task that
    /// wakes itself is scheduled once more for nothing.
    pub fn attend(&self, task: &Waker) {
        self.task.register(task);
        self.hush();
    }

    /// Forgets the rings so far; call it before all is looked at again.
    pub fn hush(&self) {
        self.state.store(ATTENDED, Ordering::SeqCst);
    }

    /// Whether it rang since it was hushed.
    pub fn rang(&self) -> bool {
        self.state.load(Ordering::SeqCst) & RUNG != 0
    }

    /// Rings go to the task again. Whether one came that nobody has looked after.
    pub fn leave(&self) -> bool {
        self.state.swap(0, Ordering::SeqCst) & RUNG != 0
    }

    /// Nobody waits: the task is let go.
    pub fn forget_task(&self) {
        drop(self.task.take());
    }

    pub fn set_uploading(&self, uploading: bool) {
        self.uploading.store(uploading, Ordering::Release);
    }

    pub fn is_uploading(&self) -> bool {
        self.uploading.load(Ordering::Acquire)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(RUNG, Ordering::SeqCst) & ATTENDED == 0 {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Task(AtomicBool);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn ring_reaches_the_task_only_when_nobody_attends() {
        let bell = Arc::new(Bell::default());
        let task = Arc::new(Task::default());
        bell.attend(&Waker::from(Arc::clone(&task)));
        Waker::from(Arc::clone(&bell)).wake();
        assert!(bell.rang() && !task.0.load(Ordering::SeqCst));
        bell.hush();
        assert!(!bell.leave());
        Waker::from(Arc::clone(&bell)).wake();
        assert!(task.0.load(Ordering::SeqCst));
    }

    #[test]
    fn ring_during_the_last_look_is_reported_at_leaving() {
        let bell = Arc::new(Bell::default());
        bell.attend(Waker::noop());
        bell.wake_by_ref();
        assert!(bell.leave());
        assert!(!bell.leave());
    }

    #[test]
    fn forgotten_task_is_not_woken() {
        let bell = Arc::new(Bell::default());
        let task = Arc::new(Task::default());
        bell.attend(&Waker::from(Arc::clone(&task)));
        assert!(!bell.leave());
        bell.forget_task();
        bell.wake_by_ref();
        assert!(!task.0.load(Ordering::SeqCst));
    }
}
