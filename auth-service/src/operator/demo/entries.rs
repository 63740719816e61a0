//! Entries of a demonstration's audit log: what people and staff did, as the service would have written it.

use std::time::Duration;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    devices::Device,
    dice::Dice,
    people::{Person, Post, State},
    rows::{Chunk, EntryRow},
    setting::Setting,
};
use crate::{
    audit::{Event, hash_personal},
    db::Ts,
    ids::Entropy,
};

/// How many people the staff's acts are about.
const MOST_TARGETS: usize = 500;

/// What the staff do, and how often.
const ACTS: &[(u32, (Event, Object))] = &[
    (40, (Event::UserViewed, Object::Person)),
    (32, (Event::UsersListed, Object::People)),
    (8, (Event::UserUpdated, Object::Person)),
    (6, (Event::UserRolesChanged, Object::Roles)),
    (5, (Event::AuditRead, Object::Log)),
    (4, (Event::SessionsEnded, Object::Sessions)),
    (3, (Event::UserUnlocked, Object::Person)),
    (2, (Event::PasswordResetRequested, Object::Person)),
];

/// What people do about their own accounts once they are in, in this share of sessions.
const DOES_MORE: f64 = 0.08;
const AFTERWARDS: &[(u32, Event)] = &[
    (5, Event::UserUpdated),
    (3, Event::Reauthenticated),
    (3, Event::PasswordChanged),
    (2, Event::ConfirmationFailed),
    (2, Event::SessionsEnded),
    (1, Event::RefreshReuse),
];

/// What an act is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Object {
    Person,
    Roles,
    Sessions,
    People,
    Log,
}

/// From where, and by which client.
pub(super) struct Origin<'a> {
    pub(super) ip_address: &'a str,
    pub(super) user_agent: &'static str,
}

/// The staff, and people whom they had to do with.
#[derive(Default)]
pub(super) struct Office {
    managers: Vec<Uuid>,
    auditors: Vec<Uuid>,
    targets: Vec<(Uuid, Ts)>,
}

/// An entry: when, by whom, about which account.
pub(super) fn entry(
    event: Event,
    (at, actor_id, user): (Ts, Option<Uuid>, Uuid),
    details: &Value,
    origin: Origin<'_>,
) -> EntryRow {
    // A salt keeps what it hides from being guessed, so it is a secret.
    let salt: [u8; 16] = Entropy.bytes();
    let personal_hash = hash_personal(&salt, Some(origin.ip_address), Some(origin.user_agent));
    EntryRow {
        id: Entropy.uuid(at),
        at,
        event: event.as_str(),
        outcome: event.outcome(),
        actor_id,
        target_kind: Some("user"),
        target_id: Some(user),
        request_id: Entropy.uuid(at).to_string(),
        details: details.to_string(),
        ip_address: origin.ip_address.to_owned(),
        user_agent: origin.user_agent,
        salt: HEXLOWER.encode(&salt),
        personal_hash: personal_hash.to_hex(),
    }
}

/// Adds that a session began, and what came of it.
pub(super) fn log_in(
    (at, person): (Ts, Uuid),
    details: &Value,
    device: &Device,
    chunk: &mut Chunk,
    (setting, dice): (&Setting, &mut Dice),
) {
    if !dice.chance(setting.amounts.audited) {
        return;
    }
    let origin = || Origin { ip_address: &device.ip_address, user_agent: device.model.user_agent };
    chunk.entries.push(entry(Event::LoggedIn, (at, Some(person), person), details, origin()));
    let later = at.plus(Duration::from_secs(20 + dice.below(900)));
    if later < setting.now && dice.chance(DOES_MORE) {
        let event = *dice.pick_weighted(AFTERWARDS);
        // Whoever gives a wrong password has not proven to be that person.
        let actor = (event != Event::ConfirmationFailed).then_some(person);
        chunk.entries.push(entry(event, (later, actor, person), &json!({}), origin()));
    }
}

impl Office {
    /// Takes notice of a person, and adds what became of their account.
    pub(super) fn meet(&mut self, person: &Person, chunk: &mut Chunk, setting: &Setting, dice: &mut Dice) {
        match person.post {
            Post::Manager => self.managers.push(person.id),
            Post::Auditor => self.auditors.push(person.id),
            Post::Support | Post::Tester | Post::Member => {}
        }
        let since = person.created_at;
        if self.targets.len() < MOST_TARGETS {
            self.targets.push((person.id, since));
        }
        let device = Device::new(dice);
        let origin = || Origin { ip_address: &device.ip_address, user_agent: device.model.user_agent };
        if dice.chance(setting.amounts.audited) {
            let details = person.providers.first().map_or_else(|| json!({}), |provider| json!({"way": provider.name}));
            let whose = (since, Some(person.id), person.id);
            chunk.entries.push(entry(Event::UserRegistered, whose, &details, origin()));
            let verified_at = since.plus(Duration::from_secs(90));
            if person.is_verified && person.providers.is_empty() && verified_at < setting.now {
                let whose = (verified_at, None, person.id);
                chunk.entries.push(entry(Event::EmailVerified, whose, &json!({}), origin()));
            }
        }
        if let (Some(at), Some(manager)) = (person.closed_at, self.managers.first())
            && dice.chance(setting.amounts.audited)
        {
            let (event, actor) = match person.state {
                State::Deleted => (Event::UserDeleted, person.id),
                State::Disabled | State::Active | State::Pending => (Event::UserDisabled, *manager),
            };
            chunk.entries.push(entry(event, (at, Some(actor), person.id), &json!({}), origin()));
        }
    }

    /// Adds what the staff did in the last month.
    pub(super) fn act(&self, chunk: &mut Chunk, setting: &Setting, dice: &mut Dice) {
        if self.managers.is_empty() || self.targets.is_empty() {
            return;
        }
        let desks: Vec<Device> = self.managers.iter().map(|_| Device::new(dice)).collect();
        for _ in 0..setting.amounts.acts {
            let (event, object) = *dice.pick_weighted(ACTS);
            let (target, since) = *dice.pick(&self.targets);
            let at = setting.login_between(since.max(setting.logins.begins()), setting.now, dice.fraction());
            let desk = dice.below(desks.len() as u64) as usize;
            let details = object.details(dice);
            let actor = match object {
                Object::Log if !self.auditors.is_empty() => *dice.pick(&self.auditors),
                Object::Log | Object::Person | Object::Roles | Object::Sessions | Object::People => self.managers[desk],
            };
            let device = &desks[desk];
            let origin = Origin { ip_address: &device.ip_address, user_agent: device.model.user_agent };
            let row = entry(event, (at, Some(actor), target), &details, origin);
            chunk.entries.push(match object {
                Object::Person | Object::Roles | Object::Sessions => row,
                Object::People | Object::Log => EntryRow { target_kind: None, target_id: None, ..row },
            });
        }
    }
}

impl Object {
    fn details(self, dice: &mut Dice) -> Value {
        match self {
            Self::Person => json!({}),
            Self::Roles => json!({"roles": dice.pick(&[["user"].as_slice(), &["beta-tester", "user"]])}),
            Self::Sessions => json!({"count": 1 + dice.below(3)}),
            Self::People => json!({"count": 1 + dice.below(100)}),
            Self::Log => json!({"filters": dice.pick(&[["event"].as_slice(), &["actor"], &[]])}),
        }
    }
}
