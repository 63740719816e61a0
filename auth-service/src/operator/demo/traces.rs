//! What people of a demonstration did: their logins of the last month, the sessions of these, and the attack on some.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::{
    devices::{ATTACKERS, ATTACKING, Device},
    dice::Dice,
    entries::{self, Origin, entry},
    people::{Person, State, between},
    rows::{Chunk, LoginRow, SessionRow},
    setting::Setting,
};
use crate::{audit::Event, db::Ts, ids::Entropy, sessions::SessionKind, statistics::Open};

/// The share of people with an active account who logged in within the month, by whether they are new.
const RECENT: f64 = 0.38;
const RECENT_OF_NEW: f64 = 0.85;
/// Of all others, the share who never did.
const NEVER: f64 = 0.15;
/// The share of logins that are refused, for anybody mistypes.
const REFUSED: f64 = 0.035;
/// The share of an attack's guesses that were not even looked at.
const GUESSED_OUT: f64 = 0.4;
/// The share of sessions that their owner ended.
const LOGGED_OUT: f64 = 0.15;
/// The most logins of one person.
const MOST_LOGINS: u64 = 120;
/// How long the attack lasted.
const ATTACK: Duration = Duration::from_secs(25 * 60);

/// A person's devices, the one that they use most first.
const DEVICES: &[(u32, u64)] = &[(50, 1), (33, 2), (12, 3), (5, 4)];

/// A way in, as histories and tokens name it.
struct Way {
    method: &'static str,
    auth_methods: &'static str,
}

/// How a session goes on after its login.
struct Course {
    last_used_at: Ts,
    expires_at: Ts,
    is_ended: bool,
}

/// Adds what a person did, also to the sessions that were open, and notes in them when they last logged in.
pub(super) fn leave(person: &mut Person, chunk: &mut Chunk, open: &mut Open, setting: &Setting, dice: &mut Dice) {
    let is_new = person.created_at > setting.logins.begins();
    let is_recent = dice.chance(if is_new { RECENT_OF_NEW } else { RECENT });
    match person.state {
        State::Active if is_recent => log_in(person, chunk, open, setting, dice),
        State::Active | State::Disabled | State::Deleted if !is_new && !dice.chance(NEVER) => {
            let until = person.closed_at.unwrap_or(setting.now).min(setting.logins.begins());
            person.last_login_at = Some(between(person.created_at, until, dice));
        }
        State::Active | State::Disabled | State::Deleted | State::Pending => {}
    }
    if person.email.is_some() && person.closed_at.is_none() && dice.chance(setting.amounts.attacked) {
        attack(person, chunk, setting, dice);
    }
}

fn log_in(person: &mut Person, chunk: &mut Chunk, open: &mut Open, setting: &Setting, dice: &mut Dice) {
    let since = person.created_at.max(setting.logins.begins());
    let share = 1.0 - setting.logins.share_by(since);
    let mean = (setting.amounts.logins_each * share - 1.0).max(0.0);
    // Most log in seldom, a few very often.
    let count = 1 + ((-(1.0 - dice.fraction()).ln() * mean) as u64).min(MOST_LOGINS);
    let mut times: Vec<Ts> = (0..count).map(|_| setting.login_between(since, setting.now, dice.fraction())).collect();
    times.sort_unstable();
    let devices: Vec<Device> = (0..*dice.pick_weighted(DEVICES)).map(|_| Device::new(dice)).collect();
    let mut newest: Vec<Option<(Ts, Uuid, Way)>> = devices.iter().map(|_| None).collect();
    for (place, at) in times.iter().enumerate() {
        let used = if dice.chance(0.6) { 0 } else { dice.below(devices.len() as u64) as usize };
        let (device, way) = (&devices[used], way(person, dice));
        let is_last = place + 1 == times.len();
        // Whoever ever comes in at all came in at last.
        if !is_last && dice.chance(REFUSED) {
            refuse(person, (*at, device), chunk, setting, dice);
            continue;
        }
        let session = Entropy.uuid(*at);
        chunk.logins.push(line(person.id, (*at, device), way.method, Some(session)));
        let details = json!({"session_id": session, "way": way.method});
        entries::log_in((*at, person.id), &details, device, chunk, (setting, dice));
        person.last_login_at = Some(*at);
        let before = newest[used].replace((*at, session, way)).map(|(before, ..)| before);
        if let Some(before) = before.or_else(|| login_before(person, *at, setting)) {
            open.add(before, Course::since(before, setting, dice).ends_at().min(*at));
        }
    }
    // Of the sessions before, only their lines are left: a month of them would be most of the database.
    for (device, newest) in devices.iter().zip(newest) {
        let Some((at, id, way)) = newest else { continue };
        let course = Course::since(at, setting, dice);
        open.add(at, course.ends_at());
        chunk.sessions.push(session(person.id, (at, id), device, way.auth_methods, &course));
    }
}

/// When somebody may have logged in on a device before the history begins: as long before as after. So there are as many
/// sessions then as at its end.
fn login_before(person: &Person, first: Ts, setting: &Setting) -> Option<Ts> {
    let begins = setting.logins.begins();
    Some(begins.minus(first.since(begins))).filter(|before| *before > person.created_at)
}

fn way(person: &Person, dice: &mut Dice) -> Way {
    let by_password = person.providers.is_empty() || (person.has_password && dice.chance(0.25));
    if by_password {
        return Way { method: "password", auth_methods: r#"["pwd"]"# };
    }
    Way { method: dice.pick(person.providers).name, auth_methods: r#"["fed"]"# }
}

fn refuse(person: &Person, (at, device): (Ts, &Device), chunk: &mut Chunk, setting: &Setting, dice: &mut Dice) {
    chunk.logins.push(line(person.id, (at, device), "password", None));
    if dice.chance(setting.amounts.audited) {
        let origin = Origin { ip_address: &device.ip_address, user_agent: device.model.user_agent };
        chunk.entries.push(entry(Event::LoginFailed, (at, None, person.id), &json!({}), origin));
    }
}

/// From a few addresses, within minutes, at an account each: somebody tries passwords that leaked elsewhere.
fn attack(person: &Person, chunk: &mut Chunk, setting: &Setting, dice: &mut Dice) {
    let at = between(setting.attack, setting.attack.plus(ATTACK), dice);
    if at < person.created_at {
        return;
    }
    let (ip_address, user_agent) = (*dice.pick(ATTACKING), *dice.pick(ATTACKERS));
    chunk.logins.push(LoginRow {
        id: Entropy.uuid(at),
        user_id: person.id,
        session_id: None,
        at,
        outcome: "refused",
        method: "password",
        reason: Some(if dice.chance(GUESSED_OUT) { "too_many_guesses" } else { "wrong_password" }),
        ip_address: ip_address.to_owned(),
        user_agent,
    });
    let origin = Origin { ip_address, user_agent };
    chunk.entries.push(entry(Event::LoginFailed, (at, None, person.id), &json!({}), origin));
}

fn line(user_id: Uuid, (at, device): (Ts, &Device), method: &'static str, session_id: Option<Uuid>) -> LoginRow {
    LoginRow {
        id: Entropy.uuid(at),
        user_id,
        session_id,
        at,
        outcome: if session_id.is_some() { "logged_in" } else { "refused" },
        method,
        reason: session_id.is_none().then_some("wrong_password"),
        ip_address: device.ip_address.clone(),
        user_agent: device.model.user_agent,
    }
}

fn session(
    user_id: Uuid,
    (at, id): (Ts, Uuid),
    device: &Device,
    auth_methods: &'static str,
    course: &Course,
) -> SessionRow {
    SessionRow {
        id,
        user_id,
        client: "api",
        auth_methods,
        authenticated_at: at,
        created_at: at,
        last_used_at: course.last_used_at,
        expires_at: course.expires_at,
        absolute_expires_at: at.plus(SessionKind::App.absolute()),
        ended_at: course.is_ended.then_some(course.last_used_at),
        end_reason: course.is_ended.then_some("logout"),
        ip_address: device.ip_address.clone(),
        user_agent: device.model.user_agent,
        device_name: device.model.device_name,
    }
}

impl Course {
    fn since(at: Ts, setting: &Setting, dice: &mut Dice) -> Self {
        let last_used_at = between(at, at.plus(setting.idle).min(setting.now), dice);
        let expires_at = last_used_at.plus(setting.idle).min(at.plus(SessionKind::App.absolute()));
        Self { last_used_at, expires_at, is_ended: dice.chance(LOGGED_OUT) }
    }

    fn ends_at(&self) -> Ts {
        if self.is_ended { self.last_used_at } else { self.expires_at }
    }
}
