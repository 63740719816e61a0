//! Which entries somebody wants to see.

use std::net::IpAddr;

use uuid::Uuid;

use crate::{
    db::Ts,
    fields::{Fault, Fields, parse_time},
    lists::Cursor,
};

/// Longest name of an event, and longest id of a request.
const MOST: usize = 64;

/// Whether somebody was kept from what they tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It happened.
    Done,
    /// It was refused.
    Refused,
}

impl From<Outcome> for &'static str {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
        }
    }
}

/// What an entry must be to be shown; what is absent may be anything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// What happened.
    pub event: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Who did it.
    pub actor: Option<Uuid>,
    /// What it was done to.
    pub target: Option<Uuid>,
    /// Who did it, or it was done to.
    pub about: Option<Uuid>,
    /// From where.
    pub ip_address: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// Not before.
    pub from: Option<Ts>,
    /// Before.
    pub to: Option<Ts>,
}

impl Filter {
    /// Takes the filter's parameters.
    pub fn read(params: &mut Fields) -> Option<Self> {
        let event = params.optional("event", |text| name(text, |c| c.is_ascii_lowercase() || c == '_'));
        let outcome = params.optional("outcome", |text| match text {
            "done" => Ok(Outcome::Done),
            "refused" => Ok(Outcome::Refused),
            _ => Err(Fault::new("unknown_outcome", "Write done or refused.", "done 또는 refused로 쓰세요.")),
        });
        let actor = params.optional("actor", id);
        let target = params.optional("target", id);
        let about = params.optional("about", id);
        let ip_address = params.optional("ip_address", |text| match text.parse::<IpAddr>() {
            Ok(address) => Ok(address.to_string()),
            Err(_) => Err(Fault::new("invalid_address", "Write an IP address.", "IP 주소를 쓰세요.")),
        });
        let is_id = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let request_id = params.optional("request_id", |text| name(text, is_id));
        let (from, to) = (params.optional("from", parse_time), params.optional("to", parse_time));
        Some(Self {
            event: event?,
            outcome: outcome?,
            actor: actor?,
            target: target?,
            about: about?,
            ip_address: ip_address?,
            request_id: request_id?,
            from: from?,
            to: to?,
        })
    }

    /// What must be so of an entry about somebody, in two parts that an index serves each: by them, or done to them.
    pub fn sides(&self, about: Uuid) -> impl Iterator<Item = Self> {
        let by = (self.actor.is_none_or(|actor| actor == about)).then(|| Self {
            actor: Some(about),
            about: None,
            ..self.clone()
        });
        let to = (self.target.is_none_or(|target| target == about)).then(|| Self {
            target: Some(about),
            about: None,
            ..self.clone()
        });
        by.into_iter().chain(to)
    }

    /// The names of the filters that are set: what was looked for may be personal, so the log does not repeat it.
    pub fn names(&self) -> Vec<&'static str> {
        let set = [
            ("event", self.event.is_some()),
            ("outcome", self.outcome.is_some()),
            ("actor", self.actor.is_some()),
            ("target", self.target.is_some()),
            ("about", self.about.is_some()),
            ("ip_address", self.ip_address.is_some()),
            ("request_id", self.request_id.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
        ];
        set.into_iter().filter_map(|(name, is_set)| is_set.then_some(name)).collect()
    }

    /// The earliest instant; nothing was written before 1970, and PostgreSQL does not know every year before it.
    pub(super) fn earliest(&self) -> Ts {
        self.from.unwrap_or(Ts::from_micros(0)).max(Ts::from_micros(0))
    }

    /// The first place that is too late: that of `after`, or the latest instant before any id.
    pub(super) fn bound(&self, after: Option<&Cursor>) -> (Ts, Uuid) {
        let below = Cursor::below(after);
        self.to.map_or(below, |to| below.min((to.max(Ts::from_micros(0)), Uuid::nil())))
    }
}

/// Reads an id.
pub(super) fn id(text: &str) -> Result<Uuid, Fault> {
    Uuid::try_parse(text).map_err(|_| Fault::new("invalid_id", "Write an id.", "id를 쓰세요."))
}

fn name(text: &str, is_part: impl Fn(char) -> bool) -> Result<String, Fault> {
    if (1..=MOST).contains(&text.len()) && text.chars().all(is_part) {
        return Ok(text.to_owned());
    }
    Err(Fault::new("malformed", "This is not in the form of ours.", "형식이 올바르지 않습니다."))
}
