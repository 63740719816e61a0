//! Sends what is due, by a few senders per instance that take mails one at a time.

use std::time::Duration;

use lettre::{Address, transport::smtp::client::TlsParameters};
use tokio::time::MissedTickBehavior;

use super::{
    Mail,
    config::Relay,
    letter,
    link::{self, Link, Purpose},
    outbox::Transport,
    render::{self, Envelope},
    smtp::{Connection, Refusal},
    store::{self, OutboxRow},
};
use crate::{
    app::App,
    db::{DbError, Ts},
    ids::UserId,
    users::Locale,
};

/// Senders of one instance: a relay that hangs over one mail holds up no other.
const SENDERS: usize = 4;
/// Between two looks at the outbox for what other instances queued, or for what is tried again.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a mail is taken: longer than all waits before it is handed over.
pub(super) const LEASE: Duration = Duration::from_secs(60);
/// Waits before the tries after the first; the last one repeats.
const WAITS: [u64; 5] = [30, 2 * 60, 10 * 60, 3_600, 4 * 3_600];
/// After this long a mail is given up.
const PATIENCE: Duration = Duration::from_secs(86_400);
/// The most of a relay's answer that is kept, in characters.
const MAX_ERROR: usize = 300;

/// A mail that is ready to go out.
struct Parcel {
    row: OutboxRow,
    user: UserId,
    mail: Mail,
}

/// What became of a mail that was to be handed over.
enum HandOver {
    /// It goes out, now and never again, with this link.
    Go(Option<String>),
    /// It must not go out: why.
    Drop(&'static str),
    /// Somebody else sends it, or it was dropped.
    Gone,
}

struct Sender {
    app: App,
    connection: Option<Connection>,
}

/// Starts the senders of an instance. One that cannot send leaves what is queued to those that can.
pub fn start(app: &App) {
    if !app.config.mail.is_configured() {
        return;
    }
    for number in 0..SENDERS {
        let sender = Sender { app: app.clone(), connection: None };
        // One looks regularly; it wakes the others when there is more than one mail.
        tokio::spawn(sender.run(number == 0));
    }
}

impl Sender {
    async fn run(mut self, looks_regularly: bool) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.app.mail.woken() => {}
                _ = ticks.tick(), if looks_regularly => {}
            }
            if let Err(cause) = self.send_all().await {
                tracing::warn!(%cause, "mails could not be sent");
            }
            if let Some(connection) = self.connection.take() {
                connection.close().await;
            }
        }
    }

    async fn send_all(&mut self) -> Result<(), DbError> {
        while self.app.readiness.is_ready() {
            let now = self.app.now();
            let mut conn = self.app.db.write().await?;
            let Some(row) = store::claim(&mut conn, now.plus(LEASE), now).await? else { return Ok(()) };
            let Some(user) = row.user_id else {
                store::delete(&mut conn, row.id).await?;
                continue;
            };
            drop(conn);
            // There may be more: somebody else can begin with it.
            self.app.mail.wake();
            if now.since(row.waits_since()) > PATIENCE {
                self.give_up(&row, "it waited for too long").await?;
                continue;
            }
            match serde_json::from_str(&row.details) {
                Ok(mail) => self.deliver(Parcel { row, user, mail }).await?,
                Err(_) => self.give_up(&row, "this release does not know this mail").await?,
            }
        }
        Ok(())
    }

    async fn deliver(&mut self, parcel: Parcel) -> Result<(), DbError> {
        let app = self.app.clone();
        match &app.mail.transport {
            Transport::Nowhere => Ok(()),
            Transport::Log => self.log(parcel).await,
            Transport::Relay(relay, tls) => self.relay(parcel, relay, tls).await,
        }
    }

    /// For developers: the mail with its link stands in the log.
    async fn log(&self, parcel: Parcel) -> Result<(), DbError> {
        let link = match self.hand_over(&parcel).await? {
            HandOver::Go(link) => link,
            HandOver::Drop(reason) => return self.give_up(&parcel.row, reason).await,
            HandOver::Gone => return Ok(()),
        };
        let letter = self.letter(&parcel);
        let text = render::text(&letter, link.as_deref());
        let (to, subject) = (parcel.row.recipient.as_str(), letter.subject.as_str());
        let link = link.unwrap_or_default();
        tracing::info!(link, "SMTP_URL is not set, so this mail is only shown\nTo: {to}\nSubject: {subject}\n\n{text}");
        self.sent(&parcel).await
    }

    async fn relay(&mut self, parcel: Parcel, relay: &Relay, tls: &TlsParameters) -> Result<(), DbError> {
        let Some(to) = render::address(&parcel.row.recipient) else {
            return self.give_up(&parcel.row, "no mail can go to this address").await;
        };
        let mut connection = match self.announce(relay, tls, &to).await {
            Ok(connection) => connection,
            Err(refusal) => return self.refused(&parcel, &refusal).await,
        };
        let link = match self.hand_over(&parcel).await? {
            HandOver::Go(link) => link,
            // The connection waits for a mail that does not come, so it is dropped.
            HandOver::Drop(reason) => return self.give_up(&parcel.row, reason).await,
            HandOver::Gone => return Ok(()),
        };
        let from = self.app.config.mail.from.clone();
        let envelope = Envelope { id: parcel.row.id, from, to, at: self.app.clock.now().into() };
        let message = match render::message(envelope, &self.letter(&parcel), link.as_deref()) {
            Ok(message) => message,
            Err(cause) => return self.give_up(&parcel.row, &cause.to_string()).await,
        };
        match connection.send(&message).await {
            Ok(()) => {
                self.connection = Some(connection);
                self.sent(&parcel).await
            }
            Err(refusal) => self.refused(&parcel, &refusal).await,
        }
    }

    /// A connection on which the relay waits for the first byte of a mail.
    async fn announce(&mut self, relay: &Relay, tls: &TlsParameters, to: &Address) -> Result<Connection, Refusal> {
        let from = &self.app.config.mail.from.email;
        if let Some(mut used) = self.connection.take() {
            match used.announce(from, to).await {
                Ok(()) => return Ok(used),
                Err(refusal @ Refusal::ForGood(_)) => return Err(refusal),
                // It may have been closed meanwhile.
                Err(Refusal::ForNow(_) | Refusal::Unknown(_)) => {}
            }
        }
        let mut fresh = Connection::open(relay, tls, from.domain()).await?;
        fresh.announce(from, to).await?;
        Ok(fresh)
    }

    /// Notes that a mail goes out, and makes its link, in one transaction: no link is good that was not sent.
    async fn hand_over(&self, parcel: &Parcel) -> Result<HandOver, DbError> {
        let now = self.app.now();
        let purpose = Purpose::of(&parcel.mail);
        let mut tx = self.app.db.begin().await?;
        let Some((email, status)) = store::lock_owner(&mut tx, parcel.user).await? else {
            return Ok(HandOver::Drop("the account is gone"));
        };
        if let Some(reason) = purpose.and_then(|purpose| objection(purpose, &parcel.row, email.as_deref(), &status)) {
            return Ok(HandOver::Drop(reason));
        }
        // A refused one that is tried again must not end the link of a newer one.
        let (kind, queued_at) = (parcel.row.kind.as_str(), parcel.row.created_at);
        if parcel.mail.newest_wins() && store::has_newer(&mut tx, parcel.user, kind, queued_at).await? {
            return Ok(HandOver::Drop("a newer one took its place"));
        }
        if !store::hand_over(&mut tx, parcel.row.id, now).await? {
            return Ok(HandOver::Gone);
        }
        let link = match purpose {
            Some(purpose) => {
                let token = self.app.entropy.token();
                let link = Link {
                    user_id: parcel.user,
                    email: Some(parcel.row.recipient.clone()),
                    session_id: parcel.mail.session(),
                    oauth_account_id: parcel.mail.identity(),
                };
                link::issue(&mut tx, purpose, &link, &token, now).await?;
                let base = self.app.config.mail.link_base.as_str();
                Some(format!("{base}{}?token={}", purpose.path(), token.to_wire()))
            }
            None => None,
        };
        tx.commit().await?;
        Ok(HandOver::Go(link))
    }

    fn letter(&self, parcel: &Parcel) -> letter::Letter {
        let from = &self.app.config.mail.from;
        let service = from.name.as_deref().unwrap_or(from.email.domain());
        letter::write(&parcel.mail, Locale::from_stored(&parcel.row.locale), service)
    }

    async fn sent(&self, parcel: &Parcel) -> Result<(), DbError> {
        count("sent");
        store::mark_sent(&mut self.app.db.write().await?, parcel.row.id, self.app.now()).await
    }

    async fn refused(&self, parcel: &Parcel, refusal: &Refusal) -> Result<(), DbError> {
        let (id, kind, now) = (parcel.row.id, parcel.row.kind.as_str(), self.app.now());
        let error: String = refusal.reason().chars().take(MAX_ERROR).collect();
        let next = match refusal {
            Refusal::ForNow(_) => next_attempt(&parcel.row, now),
            Refusal::ForGood(_) => None,
            Refusal::Unknown(_) => {
                count("unknown");
                tracing::warn!(%id, kind, reason = refusal.summary(), "a mail may not have arrived; it is not sent twice");
                return store::note_error(&mut self.app.db.write().await?, id, &error).await;
            }
        };
        let Some(at) = next else {
            tracing::warn!(%id, kind, reason = refusal.summary(), "a mail could not be sent");
            return self.give_up(&parcel.row, &error).await;
        };
        count("retried");
        tracing::warn!(%id, kind, reason = refusal.summary(), "a mail could not be sent yet");
        store::retry(&mut self.app.db.write().await?, id, at, &error).await
    }

    async fn give_up(&self, row: &OutboxRow, reason: &str) -> Result<(), DbError> {
        count("failed");
        store::fail(&mut self.app.db.write().await?, row.id, self.app.now(), reason).await
    }
}

/// Why a link must not go out, if so: what it would prove is not true any more.
fn objection(purpose: Purpose, row: &OutboxRow, email: Option<&str>, status: &str) -> Option<&'static str> {
    let is_disabled = status == "disabled";
    match purpose {
        Purpose::VerifyEmail | Purpose::ResetPassword | Purpose::Invitation
            if Some(row.recipient.as_str()) != email =>
        {
            Some("the account has another address now")
        }
        Purpose::VerifyEmail
        | Purpose::ResetPassword
        | Purpose::Invitation
        | Purpose::ChangeEmail
        | Purpose::LinkIdentity
            if is_disabled =>
        {
            Some("the account is closed")
        }
        Purpose::VerifyEmail
        | Purpose::ResetPassword
        | Purpose::Invitation
        | Purpose::ChangeEmail
        | Purpose::ExpiredPassword
        | Purpose::LinkIdentity
        | Purpose::NotMe => None,
    }
}

/// When a mail is tried again, unless it has waited for too long.
fn next_attempt(row: &OutboxRow, now: Ts) -> Option<Ts> {
    let tries = usize::try_from(row.attempts - 1).unwrap_or(0);
    let wait = WAITS.get(tries).copied().unwrap_or(WAITS[WAITS.len() - 1]);
    let at = now.plus(Duration::from_secs(wait));
    (at.since(row.waits_since()) <= PATIENCE).then_some(at)
}

fn count(outcome: &'static str) {
    metrics::counter!("mails_total", "outcome" => outcome).increment(1);
}
