//! What some people of a demonstration have besides: API keys, and mails that went out or did not.

use std::time::Duration;

use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::{
    devices::Device,
    dice::Dice,
    people::{Person, Post, State, between},
    rows::{Chunk, KeyRow, MailRow},
    setting::Setting,
};
use crate::{
    client::browser_and_os,
    db::Ts,
    ids::{Entropy, SessionId},
    mail::Mail,
};

const DAY: Duration = Duration::from_secs(86_400);
/// Mails are forgotten after a week.
const MAILS: Duration = Duration::from_secs(6 * 86_400);
/// How long a sender holds a mail.
const LEASE: Duration = Duration::from_secs(60);

/// Names of keys, and what they are allowed where their owner may do so.
const STAFF_KEYS: &[(&str, &str)] = &[
    ("야간 사용자 집계", r#"["users:read"]"#),
    ("CRM sync", r#"["users:read"]"#),
    ("grafana", "[]"),
    ("퇴사자 정리 배치", r#"["users:read"]"#),
];
const PERSONAL_KEYS: &[&str] = &["my script", "홈 서버", "test", "모바일 빌드", "n8n"];
const RATE_LIMITS: &[Option<&str>] = &[None, None, Some("100/1m"), Some("10/1s")];

/// What became of a mail. None of these is ever sent again: a sender takes only what is neither handed over nor given up.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Sent,
    /// The relay refused it for good, or was away for a day.
    GivenUp(i64, &'static str),
    /// Handed over, and whether it arrived nobody knows.
    Unknown,
}

const FATES: &[(u32, Fate)] = &[
    (80, Fate::Sent),
    (5, Fate::GivenUp(1, "permanent error (550): 5.1.1 Recipient address rejected: User unknown")),
    (2, Fate::GivenUp(1, "permanent error (552): 5.2.2 The recipient's mailbox is full")),
    (2, Fate::GivenUp(1, "permanent error (554): 5.7.1 Message rejected as spam by policy")),
    (2, Fate::GivenUp(11, "transient error (421): 4.7.0 Try again later, closing connection")),
    (2, Fate::GivenUp(11, "connection error: timed out")),
    (4, Fate::GivenUp(0, "a newer one took its place")),
    (3, Fate::Unknown),
];

/// Adds what a person has.
pub(super) fn leave(person: &Person, chunk: &mut Chunk, setting: &Setting, dice: &mut Dice) {
    let share = match person.post {
        Post::Manager | Post::Support => 0.6,
        Post::Auditor | Post::Tester | Post::Member => setting.amounts.with_key,
    };
    if person.state == State::Active && dice.chance(share) {
        for _ in 0..=dice.below(3) {
            chunk.keys.push(key(person, setting, dice));
        }
    }
    let is_open = matches!(person.state, State::Active | State::Pending);
    if let Some(recipient) = person.email.as_ref().filter(|_| is_open && dice.chance(setting.amounts.written_to)) {
        chunk.mails.push(mail(person, recipient, setting, dice));
    }
}

fn key(person: &Person, setting: &Setting, dice: &mut Dice) -> KeyRow {
    // Nobody has its secret. One that has ended is forgotten after a month.
    let secret_hash: [u8; 32] = Entropy.bytes();
    let created_at = between(person.created_at.max(setting.now.minus(DAY * 110)), setting.now, dice);
    let expires_at = created_at.plus(DAY * if dice.chance(0.2) { 730 } else { 90 });
    let ends_at = expires_at.min(setting.now);
    let revoked_at = dice.chance(0.12).then(|| between(created_at, ends_at, dice));
    let until = revoked_at.unwrap_or(ends_at);
    let (name, scopes) = match person.post {
        Post::Manager | Post::Support => *dice.pick(STAFF_KEYS),
        Post::Auditor | Post::Tester | Post::Member => (*dice.pick(PERSONAL_KEYS), "[]"),
    };
    KeyRow {
        id: Entropy.uuid(created_at),
        user_id: person.id,
        name,
        secret_hash: HEXLOWER.encode(&secret_hash),
        scopes,
        rate_limit: *dice.pick(RATE_LIMITS),
        created_at,
        expires_at,
        last_used_at: dice.chance(0.8).then(|| between(created_at, until, dice)),
        revoked_at,
    }
}

fn mail(person: &Person, recipient: &str, setting: &Setting, dice: &mut Dice) -> MailRow {
    let since = person.created_at.max(setting.now.minus(MAILS));
    let is_new = since == person.created_at || person.state == State::Pending;
    let created_at = if since == person.created_at { since } else { between(since, setting.now, dice) };
    let mail = match dice.below(10) {
        _ if is_new => Mail::VerifyEmail,
        0..3 => Mail::ResetPassword,
        3..5 => Mail::PasswordChanged,
        _ => new_device(Entropy.uuid(created_at), created_at, dice),
    };
    let fate = *dice.pick_weighted(FATES);
    let soon = |millis: u64| Some(created_at.plus(Duration::from_millis(millis)).min(setting.now));
    let handed_over_at = soon(300 + dice.below(900));
    let row = MailRow {
        id: Entropy.uuid(created_at),
        user_id: person.id,
        kind: mail.kind(),
        recipient: recipient.to_owned(),
        locale: person.locale,
        details: serde_json::to_string(&mail).unwrap_or_default(),
        created_at,
        next_attempt_at: created_at.plus(LEASE),
        attempts: 1,
        handed_over_at,
        sent_at: None,
        failed_at: None,
        last_error: None,
    };
    match fate {
        Fate::Sent => MailRow { sent_at: soon(1_300 + dice.below(2_000)), ..row },
        Fate::Unknown => MailRow { last_error: Some("the relay took too long"), ..row },
        Fate::GivenUp(attempts, error) => {
            let failed_at = if attempts > 1 { Some(created_at.plus(DAY).min(setting.now)) } else { handed_over_at };
            MailRow { attempts, handed_over_at: None, failed_at, last_error: Some(error), ..row }
        }
    }
}

fn new_device(session: Uuid, at: Ts, dice: &mut Dice) -> Mail {
    let Device { model, ip_address } = Device::new(dice);
    let (browser, os) = browser_and_os(Some(model.user_agent));
    let known: Vec<String> = [browser, os].into_iter().flatten().collect();
    Mail::NewDevice {
        session: SessionId(session),
        at,
        ip_address,
        device: (!known.is_empty()).then(|| known.join(", ")),
    }
}
