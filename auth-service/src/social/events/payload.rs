//! The claims of a security event: several ways to say what happened to whom.

use serde::Deserialize;
use serde_json::Value;

use super::{Dialect, EventError, Kind};
use crate::social::id_token::{Audience, optional_seconds, seconds};

/// The claims.
#[derive(Deserialize)]
pub(super) struct Payload {
    pub(super) iss: String,
    aud: Audience,
    #[serde(deserialize_with = "seconds")]
    pub(super) iat: i64,
    #[serde(default, deserialize_with = "optional_seconds")]
    pub(super) exp: Option<i64>,
    pub(super) jti: String,
    sub: Option<String>,
    sub_id: Option<Subject>,
    events: Value,
}

/// One event.
pub(super) struct Event {
    pub(super) kind: Kind,
    subject: Option<Subject>,
}

/// Whom an event is about, by issuer and subject (RFC 9493 section 3.2.3, and the form before it). Of other forms, such
/// as an address, nothing is taken.
#[derive(Deserialize)]
struct Subject {
    iss: Option<String>,
    sub: Option<String>,
}

#[derive(Deserialize)]
struct SharedSignal {
    subject: Option<Subject>,
}

#[derive(Deserialize)]
struct AppleEvent {
    r#type: String,
    sub: Option<String>,
}

impl Payload {
    pub(super) fn read(json: &[u8]) -> Result<Self, EventError> {
        const UNREADABLE: EventError = EventError::Malformed("its claims are not those of an event");
        // serde would take an array for an object, by position.
        if json.first() != Some(&b'{') {
            return Err(UNREADABLE);
        }
        serde_json::from_slice(json).map_err(|_| UNREADABLE)
    }

    pub(super) fn is_for(&self, client_ids: &[String]) -> bool {
        match &self.aud {
            Audience::One(one) => client_ids.contains(one),
            Audience::Several(several) => several.iter().any(|one| client_ids.contains(one)),
        }
    }

    /// What happened, at least one event.
    pub(super) fn happened(&self, dialect: Dialect) -> Result<Vec<Event>, EventError> {
        let events = match dialect {
            Dialect::SharedSignals => self.shared_signals(),
            Dialect::Apple => self.apple_events(),
        };
        let events = events.ok_or(EventError::Malformed("its events are not of the sender's form"))?;
        if events.is_empty() { Err(EventError::Malformed("it tells of nothing")) } else { Ok(events) }
    }

    /// The one subject of all that happened (RFC 8417 section 2), if it is told.
    pub(super) fn subject(&self, events: &[Event]) -> Result<Option<String>, EventError> {
        let subjects = events.iter().filter_map(|event| event.subject.as_ref()).chain(&self.sub_id);
        let mut told = self.sub.as_ref();
        for subject in subjects {
            if subject.iss.as_ref().is_some_and(|iss| *iss != self.iss) {
                return Err(EventError::Malformed("its subject is another issuer's"));
            }
            if let Some(sub) = &subject.sub
                && *told.get_or_insert(sub) != sub
            {
                return Err(EventError::Malformed("it has several subjects"));
            }
        }
        Ok(told.cloned())
    }

    fn shared_signals(&self) -> Option<Vec<Event>> {
        let read = |(uri, event): (&String, &Value)| {
            let signal = SharedSignal::deserialize(event.as_object()?).ok()?;
            Some(Event { kind: Kind::of_uri(uri), subject: signal.subject })
        };
        self.events.as_object()?.iter().map(read).collect()
    }

    fn apple_events(&self) -> Option<Vec<Event>> {
        let inner: Value = serde_json::from_str(self.events.as_str()?).ok()?;
        let read = |event: &Value| {
            let event = AppleEvent::deserialize(event.as_object()?).ok()?;
            let subject = event.sub.map(|sub| Subject { iss: None, sub: Some(sub) });
            Some(Event { kind: Kind::of_apple(&event.r#type), subject })
        };
        // The name of the claim promises several; so far it has always been one.
        match inner.as_array() {
            Some(events) => events.iter().map(read).collect(),
            None => read(&inner).map(|event| vec![event]),
        }
    }
}
