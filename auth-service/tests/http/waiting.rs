//! Waiting for what must come about, with a deadline for it to fail by.

use std::time::{Duration, Instant};

use crate::support::Instance;

/// What is promised of revocations.
pub const A_SECOND: Duration = Duration::from_secs(1);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until `is_so`, and says how long it took.
pub async fn until(what: &str, deadline: Duration, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < deadline, "not within {deadline:?}: {what}");
        tokio::time::sleep(LOOK).await;
    }
    began.elapsed()
}

impl Instance {
    /// Waits until this instance refuses an access token, for as long as revocations may take; says how long it took.
    pub async fn refuses_in_time(&self, access: &str) -> Duration {
        let began = Instant::now();
        until("the token is refused", A_SECOND, async || match self.me(access).await.status {
            200 => false,
            401 => true,
            other => panic!("answered {other}"),
        })
        .await;
        began.elapsed()
    }
}
