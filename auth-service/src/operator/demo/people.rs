//! Who there is in a demonstration: one person at a time, each as their place and the seed have them.

use std::time::Duration;

use uuid::Uuid;

use super::{
    dice::Dice,
    names::{self, Name, Origin},
    rows::{Chunk, GrantRow, IdentityRow, UserRow},
    setting::Setting,
};
use crate::{db::Ts, ids::Entropy, users::search};

const DAY: Duration = Duration::from_secs(86_400);

/// Domains that are nobody's (RFC 2606), so that no mail of a demonstration reaches anybody.
const DOMAINS: &[(u32, &str)] = &[
    (38, "naver.example"),
    (26, "gmail.example"),
    (10, "kakao.example"),
    (10, "daum.example"),
    (8, "example.com"),
    (5, "example.net"),
    (3, "univ.ac.example"),
];
const STAFF_DOMAIN: &str = "example.com";
/// What every subject at a provider begins with: a real one never does, so nobody can log in as a demonstration's person.
pub(super) const SUBJECT: &str = "demo-";

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Active,
    Pending,
    Disabled,
    Deleted,
}

/// What a person does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Post {
    Manager,
    Support,
    Auditor,
    Tester,
    Member,
}

/// A provider by which a person logs in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    issuer: &'static str,
}

const KAKAO: Provider = Provider { name: "kakao", issuer: "https://kauth.kakao.com" };
const GOOGLE: Provider = Provider { name: "google", issuer: "https://accounts.google.com" };
const NAVER: Provider = Provider { name: "naver", issuer: "https://nid.naver.com" };
const PROVIDERS: &[(u32, &[Provider])] =
    &[(56, &[]), (17, &[KAKAO]), (12, &[NAVER]), (9, &[GOOGLE]), (4, &[KAKAO, NAVER]), (2, &[KAKAO, GOOGLE])];
/// Of those who have one, the share who gave no address and no password: the provider is all there is.
const SOCIAL_ONLY: f64 = 0.12;

/// A person.
pub(super) struct Person {
    pub(super) id: Uuid,
    pub(super) state: State,
    pub(super) post: Post,
    pub(super) name: String,
    pub(super) email: Option<String>,
    pub(super) is_verified: bool,
    pub(super) has_password: bool,
    pub(super) username: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) locale: &'static str,
    pub(super) providers: &'static [Provider],
    /// Different for everybody in the database.
    number: u64,
    pub(super) created_at: Ts,
    /// When it was disabled or deleted.
    pub(super) closed_at: Option<Ts>,
    pub(super) last_login_at: Option<Ts>,
}

impl Person {
    /// The person at this place, in the order in which they came.
    pub(super) fn new(setting: &Setting, place: u64, dice: &mut Dice) -> Self {
        let share = (place as f64 + dice.fraction()) / setting.users.max(1) as f64;
        let created_at = setting.arrivals.at(share);
        let (post, state) = (post(setting, place, dice), state(setting, place));
        let closed_at = match state {
            State::Active | State::Pending => None,
            // Whoever was deleted longer ago may have been erased already.
            State::Deleted => Some(between(created_at.max(setting.now.minus(DAY * 20)), setting.now, dice)),
            State::Disabled => Some(between(created_at, setting.now, dice)),
        };
        let name = names::name(place, dice);
        let number = setting.first_number + place + 1;
        let is_staff = !matches!(post, Post::Tester | Post::Member);
        let providers = match state {
            // Kakao would be told when somebody is erased.
            State::Pending | State::Deleted => &[],
            State::Active | State::Disabled if is_staff => &[],
            State::Active | State::Disabled => *dice.pick_weighted(PROVIDERS),
        };
        let is_social_only = !providers.is_empty() && dice.chance(SOCIAL_ONLY);
        let local = local_part(&name, number, dice);
        let domain = if is_staff { STAFF_DOMAIN } else { dice.pick_weighted(DOMAINS) };
        let username = format!("{}.{}{number}", name.given, name.family);
        Self {
            id: Entropy.uuid_in_place(created_at, place),
            state,
            post,
            email: (!is_social_only).then(|| format!("{local}@{domain}")),
            is_verified: state != State::Pending && (is_staff || dice.chance(0.97)),
            has_password: state != State::Pending && !is_social_only,
            username: (state != State::Pending && (is_staff || dice.chance(0.6))).then_some(username),
            phone: dice.chance(0.7).then(|| phone(name.origin, dice)),
            locale: if name.origin == Origin::Korea && dice.chance(0.97) { "ko" } else { "en" },
            name: name.display,
            providers,
            number,
            created_at,
            closed_at,
            last_login_at: None,
        }
    }

    /// Adds the account, with its roles and identities.
    pub(super) fn add_to(&self, chunk: &mut Chunk, setting: &Setting, dice: &mut Dice) {
        let (email, username) = (self.email.as_deref(), self.username.as_deref());
        let verified_at = self.created_at.plus(Duration::from_secs(30 + dice.below(600))).min(setting.now);
        chunk.users.push(UserRow {
            id: self.id,
            email: self.email.clone(),
            email_verified_at: (self.is_verified && email.is_some()).then_some(verified_at),
            username: self.username.clone(),
            display_name: Some(self.name.clone()),
            phone: self.phone.clone(),
            locale: self.locale,
            status: match self.state {
                State::Active | State::Deleted => "active",
                State::Pending => "pending",
                State::Disabled => "disabled",
            },
            password_hash: self.has_password.then(|| setting.password_hash.clone()),
            password_changed_at: self.has_password.then_some(self.created_at),
            token_version: if self.closed_at.is_some() { 2 } else { 1 },
            created_at: self.created_at,
            updated_at: self.closed_at.unwrap_or(self.created_at),
            last_login_at: self.last_login_at,
            deleted_at: self.closed_at.filter(|_| self.state == State::Deleted),
            search_text: search::text(email, username, Some(&self.name)),
            search_name: Some(search::fold(&self.name)),
        });
        self.add_roles(chunk, setting, dice);
        self.add_identities(chunk);
    }

    fn add_roles(&self, chunk: &mut Chunk, setting: &Setting, dice: &mut Dice) {
        let (user_id, since, roles) = (self.id, self.created_at, setting.roles);
        let granted_at = between(since, setting.now, dice);
        let mut give = |role_id, granted_at, expires_at| {
            chunk.grants.push(GrantRow { user_id, role_id, granted_at, expires_at });
        };
        give(roles.user, since, None);
        let in_a_while = setting.now.plus(DAY * (1 + dice.below(90) as u32));
        match self.post {
            Post::Manager => give(roles.manager, granted_at, None),
            Post::Support => give(roles.support, granted_at, dice.chance(0.3).then_some(in_a_while)),
            Post::Auditor => give(roles.auditor, granted_at, Some(in_a_while)),
            // Some of them are over.
            Post::Tester => give(roles.tester, granted_at, Some(granted_at.plus(DAY * 180))),
            Post::Member => {}
        }
    }

    fn add_identities(&self, chunk: &mut Chunk) {
        for provider in self.providers {
            chunk.identities.push(IdentityRow {
                id: Entropy.uuid(self.created_at),
                user_id: self.id,
                provider: provider.name,
                issuer: provider.issuer,
                subject: format!("{SUBJECT}{:010}", self.number),
                email: self.email.clone(),
                email_verified: self.email.is_some(),
                display_name: self.name.clone(),
                profile: "{}",
                created_at: self.created_at,
                linked_at: self.created_at,
                last_login_at: self.last_login_at,
                detached_at: None,
            });
        }
    }
}

fn post(setting: &Setting, place: u64, dice: &mut Dice) -> Post {
    let staff = setting.staff;
    match place {
        _ if place < staff.managers => Post::Manager,
        _ if place < staff.managers + staff.supporters => Post::Support,
        _ if place < staff.all() => Post::Auditor,
        _ if dice.chance(0.03) => Post::Tester,
        _ => Post::Member,
    }
}

/// By the place and not by chance, so that a small demonstration has some of each.
fn state(setting: &Setting, place: u64) -> State {
    if place < setting.staff.all() {
        return State::Active;
    }
    match (place * 37 + 11) % 100 {
        0 => State::Deleted,
        1..=2 => State::Disabled,
        3..=6 => State::Pending,
        _ => State::Active,
    }
}

/// An instant between two.
pub(super) fn between(from: Ts, to: Ts, dice: &mut Dice) -> Ts {
    from.plus(to.since(from).mul_f64(dice.fraction()))
}

fn local_part(name: &Name, number: u64, dice: &mut Dice) -> String {
    let (given, family) = (&name.given, name.family);
    let initial = &given[..1];
    match dice.below(4) {
        0 => format!("{given}.{family}{number}"),
        1 => format!("{family}_{given}{number}"),
        2 => format!("{initial}{family}{number}"),
        _ => format!("{given}{number}"),
    }
}

/// A number that nobody has: 010-0 and 010-1 are not given out, and 555-01 is for stories.
fn phone(origin: Origin, dice: &mut Dice) -> String {
    match origin {
        Origin::Korea | Origin::Japan => format!("+82100{:07}", dice.below(10_000_000)),
        Origin::Elsewhere => format!("+1{}55501{:02}", 201 + dice.below(700), dice.below(100)),
    }
}
