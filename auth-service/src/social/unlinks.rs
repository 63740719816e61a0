//! Tells Kakao that people are linked with us no more: those whose account was erased, or who took the identity away.
//!
//! Queued with its cause, and tried until Kakao has heard it, for a day at most. What is kept for that is a number at Kakao
//! and nothing else: it outlives an erasure by no more than it takes.

mod store;

use std::time::Duration;

use serde::Deserialize;
use service_kit::config::Secret;
use tokio::time::MissedTickBehavior;
use url::Url;

use super::{
    outbound::Authorization,
    provider::{Provider, Source, Trouble},
};
use crate::{
    app::App,
    db::{Conn, DbError, Ts},
    ids::UserId,
};
use store::UnlinkRow;

/// Between two looks for what other instances queued, or for what is tried again.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a try is one instance's: longer than any call takes.
const LEASE: Duration = Duration::from_secs(60);
/// Waits before the tries after the first; the last one repeats.
const WAITS: [u64; 5] = [30, 2 * 60, 10 * 60, 3_600, 4 * 3_600];
/// After this long Kakao is told no more.
const PATIENCE: Duration = Duration::from_secs(86_400);
/// Kakao's code for somebody who is not linked.
const NOT_LINKED: i64 = -101;

/// Kakao, where it is told, and by which admin key.
struct Way<'a> {
    provider: &'a Provider,
    url: &'a Url,
    key: &'a Secret,
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
}

/// Has a provider told that a person is linked no more, if it wants to know. Wake the bell after the commit.
///
/// # Errors
/// When the database fails.
pub async fn queue(app: &App, tx: &mut Conn, identity: (&str, &str), now: Ts) -> Result<(), DbError> {
    match Way::of(app) {
        Some(way) if way.provider.name == identity.0 => store::insert(tx, app.entropy.uuid(now), identity, now).await,
        Some(_) | None => Ok(()),
    }
}

/// The same for every identity of a person who is about to be erased.
///
/// # Errors
/// When the database fails.
pub async fn queue_all(app: &App, tx: &mut Conn, user: UserId, now: Ts) -> Result<(), DbError> {
    let Some(way) = Way::of(app) else { return Ok(()) };
    let name = way.provider.name.as_str();
    for subject in store::list_subjects(tx, user, name).await? {
        queue(app, tx, (name, &subject), now).await?;
    }
    Ok(())
}

/// Forgets what nobody tries any more, for Kakao or its key was taken from the configuration.
///
/// # Errors
/// When the database fails.
pub async fn delete_old(conn: &mut Conn, now: Ts) -> Result<(), DbError> {
    store::delete_old(conn, now.minus(PATIENCE)).await.map(drop)
}

/// Starts telling. An instance that cannot leaves what is queued to those that can.
pub fn start(app: &App) {
    if Way::of(app).is_some() {
        tokio::spawn(run(app.clone()));
    }
}

async fn run(app: App) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.providers.unlinks.notified() => {}
            _ = ticks.tick() => {}
        }
        if let Some(way) = Way::of(&app)
            && let Err(cause) = tell_all(&app, &way).await
        {
            tracing::warn!(%cause, "nobody could be unlinked at Kakao");
        }
    }
}

async fn tell_all(app: &App, way: &Way<'_>) -> Result<(), DbError> {
    while app.readiness.is_ready() {
        let (now, name) = (app.now(), way.provider.name.as_str());
        if !store::has_due(&mut app.db.read().await?, name, now).await? {
            break;
        }
        let claimed = store::claim(&mut app.db.write().await?, name, now.plus(LEASE), now).await?;
        let Some(row) = claimed else { break };
        // Whoever came back since then, or has another account by the same identity, wants to be linked.
        let is_linked = store::is_linked(&mut app.db.read().await?, &way.provider.issuer, &row.subject).await?;
        let told = if is_linked { Ok(()) } else { way.tell(app, &row.subject).await };
        settle(app, &row, told).await?;
    }
    Ok(())
}

async fn settle(app: &App, row: &UnlinkRow, told: Result<(), Trouble>) -> Result<(), DbError> {
    let mut conn = app.db.write().await?;
    let Err(trouble) = told else { return store::delete(&mut conn, row.id).await };
    metrics::counter!("oauth_failures_total", "provider" => "kakao").increment(1);
    if let Some(at) = next_attempt(row, app.now()) {
        tracing::warn!(id = %row.id, cause = %trouble, "somebody could not be unlinked at Kakao yet");
        return store::retry(&mut conn, row.id, at).await;
    }
    tracing::error!(id = %row.id, cause = %trouble, "somebody stays linked at Kakao: it could not be told for a day");
    store::delete(&mut conn, row.id).await
}

/// When Kakao is told again, unless that was tried for too long.
fn next_attempt(row: &UnlinkRow, now: Ts) -> Option<Ts> {
    let tries = usize::try_from(row.attempts - 1).unwrap_or(0);
    let wait = WAITS.get(tries).copied().unwrap_or(WAITS[WAITS.len() - 1]);
    let at = now.plus(Duration::from_secs(wait));
    (at.since(row.created_at) <= PATIENCE).then_some(at)
}

impl<'a> Way<'a> {
    /// Nothing without Kakao, or without its admin key.
    fn of(app: &'a App) -> Option<Self> {
        let key = app.config.social.kakao_admin_key.as_ref()?;
        app.providers.iter().find_map(|provider| match &provider.source {
            Source::Kakao { unlink: url, .. } => Some(Self { provider, url, key }),
            Source::IdToken | Source::Naver { .. } | Source::GitHub { .. } => None,
        })
    }

    /// Somebody who is not linked there is as good as told of.
    async fn tell(&self, app: &App, subject: &str) -> Result<(), Trouble> {
        let fields = [("target_id_type", "user_id"), ("target_id", subject)];
        let authorization = Authorization::Other { scheme: "KakaoAK", credentials: self.key.expose() };
        let answer = app.providers.outbound()?.post_form(self.url, &fields, &authorization).await?;
        let code = answer.json::<Refusal>().ok().map(|refusal| refusal.code);
        if answer.is_success() || code == Some(NOT_LINKED) {
            return Ok(());
        }
        let (status, code) = (answer.status.as_u16(), code.unwrap_or_default());
        Err(Trouble::Refused(format!("kakao answered with status {status}, code {code}; see KAKAO_ADMIN_KEY")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_within_a_day() {
        let began = Ts::from_micros(0);
        let (mut now, mut attempts, mut waits) = (began, 0, Vec::new());
        loop {
            attempts += 1;
            let row = UnlinkRow { id: uuid::Uuid::nil(), subject: String::new(), created_at: began, attempts };
            let Some(next) = next_attempt(&row, now) else { break };
            waits.push(next.since(now).as_secs());
            now = next;
        }
        assert_eq!(waits, [30, 120, 600, 3_600, 14_400, 14_400, 14_400, 14_400, 14_400]);
    }
}
