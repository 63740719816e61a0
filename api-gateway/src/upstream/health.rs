//! Active checks: each address is asked, and taken out of use while it answers badly.

use std::sync::{Arc, Weak};
use std::time::Duration;

use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use tokio::time::Instant;

use crate::body::Outgoing;
use crate::upstream::answer::Answer;
use crate::upstream::config::HealthCheck;
use crate::upstream::endpoint::{Endpoint, Health, Reuse};
use crate::upstream::link::Setback;
use crate::upstream::upload::Sending;

/// More of an answer is not read; nobody looks at it.
const MAX_BODY: usize = 64 * 1024;

/// Good or bad answers in a row.
#[derive(Default)]
struct Streak {
    last: Option<Health>,
    length: u32,
    /// Until it was good once, the first bad answer decides: nothing speaks for it but hope.
    was_good: bool,
}

impl Streak {
    /// What the address is after one more check, if that is decided.
    fn add(&mut self, health: Health, check: &HealthCheck) -> Option<Health> {
        self.length = if self.last == Some(health) { self.length.saturating_add(1) } else { 1 };
        self.last = Some(health);
        let enough = match health {
            Health::Good => check.healthy_after,
            Health::Bad => check.unhealthy_after,
        };
        let decided = !self.was_good || self.length >= enough;
        self.was_good |= health == Health::Good;
        decided.then_some(health)
    }
}

/// Asks again and again, until the address is gone.
pub(super) async fn watch(endpoint: Weak<Endpoint>, check: HealthCheck) {
    let mut streak = Streak::default();
    let mut ticks = tokio::time::interval(check.interval.max(Duration::from_millis(10)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(endpoint) = endpoint.upgrade() else { return };
        let (health, why) = match tokio::time::timeout(check.timeout, ask(&endpoint, &check.path)).await {
            Ok(Ok(status)) if status.is_success() || status.is_redirection() => (Health::Good, String::new()),
            Ok(Ok(status)) => (Health::Bad, status.to_string()),
            Ok(Err(why)) => (Health::Bad, why),
            Err(_) => (Health::Bad, "no answer in time".to_owned()),
        };
        if let Some(health) = streak.add(health, &check) {
            endpoint.set_health(health, &why);
        }
    }
}

/// Over a connection that is not from the pool: that a new one can be opened is part of the question.
async fn ask(endpoint: &Arc<Endpoint>, path: &str) -> Result<StatusCode, String> {
    let mut request = Request::new(Outgoing::Empty);
    *request.method_mut() = Method::GET;
    *request.uri_mut() = path.parse::<Uri>().map_err(|error| error.to_string())?;
    let host = HeaderValue::from_str(endpoint.server.authority.as_str()).map_err(|error| error.to_string())?;
    request.headers_mut().insert(header::HOST, host);
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("api-gateway-health"));
    let link = endpoint.link(Reuse::Never, Instant::now()).await.map_err(|failure| failure.to_string())?;
    let answer = link.exchange(request, &Sending::default(), endpoint).await.map_err(|setback| match setback {
        Setback::Unsent(_, failure)
        | Setback::Silent(failure)
        | Setback::Broken(failure)
        | Setback::Unfinished(failure)
        | Setback::Body(failure) => failure.to_string(),
    })?;
    let status = answer.status();
    let body = Limited::new(Answer::to_probe(answer.into_body()), MAX_BODY);
    body.collect().await.map_err(|error| error.to_string())?;
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::Health::{Bad, Good};
    use super::*;

    fn check() -> HealthCheck {
        let (interval, timeout) = (Duration::from_secs(5), Duration::from_secs(1));
        HealthCheck { path: "/".to_owned(), interval, timeout, healthy_after: 2, unhealthy_after: 3 }
    }

    fn decisions(answers: &[Health]) -> Vec<Option<Health>> {
        let mut streak = Streak::default();
        answers.iter().map(|answer| streak.add(*answer, &check())).collect()
    }

    #[test]
    fn first_check_decides() {
        assert_eq!(decisions(&[Bad]), [Some(Bad)]);
        assert_eq!(decisions(&[Good]), [Some(Good)]);
        assert_eq!(decisions(&[Bad, Good]), [Some(Bad), Some(Good)]);
    }

    #[test]
    fn later_it_takes_as_many_in_a_row_as_configured() {
        let answers = [Good, Bad, Bad, Good, Bad, Bad, Bad, Good, Bad, Good, Good];
        let expected = [Some(Good), None, None, None, None, None, Some(Bad), None, None, None, Some(Good)];
        assert_eq!(decisions(&answers), expected);
    }
}
