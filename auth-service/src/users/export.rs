//! Gathers everything that is held on a person into one JSON document, part by part, so that a long history takes no more
//! memory than a short one.

mod store;
mod wire;

use auth_sdk::{HeldAuditEntry, HeldDevice, HeldIdentity, HeldRole};
use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::App,
    audit::{self, EntryRow, Filter},
    db::{Conn, Db, DbError, Ts},
    error::{Error, Result},
    ids::UserId,
    lists::Cursor,
    login::history,
    places::Places,
};

/// Rows that are read at a time.
const PAGE: i64 = 500;

/// The lists that may be long, each a member of the document.
#[derive(Clone, Copy)]
enum Section {
    Sessions,
    ApiKeys,
    Mails,
    LoginHistory,
    AuditByPerson,
    AuditAboutPerson,
}

const SECTIONS: [(Section, &str); 6] = [
    (Section::Sessions, "sessions"),
    (Section::ApiKeys, "api_keys"),
    (Section::Mails, "mails"),
    (Section::LoginHistory, "login_history"),
    (Section::AuditByPerson, "audit_by_person"),
    (Section::AuditAboutPerson, "audit_about_person"),
];

/// A document in the making.
struct Gathering {
    db: Db,
    user: UserId,
    /// The number of the section that comes next.
    section: usize,
    /// Where in it.
    after: Option<Cursor>,
    /// Whether the section has items already.
    has_items: bool,
}

/// A part of a list: its items in JSON, and where the next part begins, if there is one.
struct Part {
    items: Vec<String>,
    next: Option<Cursor>,
}

/// Everything that is held on this person as an answer. Whoever calls this records it.
///
/// # Errors
/// [`Error::NotFound`], or when the database fails before the first byte.
pub async fn answer(app: &App, user: UserId) -> Result<Response> {
    let opening = open(&mut app.db.read().await?, user, app.now()).await?.ok_or(Error::NotFound)?;
    let gathering = Gathering { db: app.db.clone(), user, section: 0, after: None, has_items: false };
    let parts = stream::try_unfold((Some(opening), gathering), |(ready, mut gathering)| async move {
        let part = match ready {
            Some(opening) => Some(opening),
            None => gathering.next().await?,
        };
        Ok::<_, DbError>(part.map(|part| (part, (None, gathering))))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"personal-data.json\"")),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// The document up to its first long list.
async fn open(conn: &mut Conn, user: UserId, now: Ts) -> Result<Option<String>, DbError> {
    let Some(profile) = store::find_profile(conn, user).await? else { return Ok(None) };
    let roles: Vec<HeldRole> = store::list_roles(conn, user).await?.into_iter().map(Into::into).collect();
    let identities = store::list_identities(conn, user).await?;
    let identities: Vec<HeldIdentity> = identities.into_iter().map(Into::into).collect();
    let devices: Vec<HeldDevice> = store::list_devices(conn, user).await?.into_iter().map(Into::into).collect();
    let profile: auth_sdk::HeldProfile = profile.into();
    let document = json!({
        "exported_at": now.to_string(),
        "profile": profile,
        "roles": roles,
        "identities": identities,
        "devices": devices,
    });
    let mut opening = document.to_string();
    // Left open for what follows.
    opening.pop();
    Ok(Some(opening))
}

impl Gathering {
    /// The next piece of the document; nothing behind its end.
    async fn next(&mut self) -> Result<Option<String>, DbError> {
        let Some(&(section, name)) = SECTIONS.get(self.section) else {
            let is_open = self.section == SECTIONS.len();
            self.section += 1;
            return Ok(is_open.then(|| "}".to_owned()));
        };
        let begins = self.after.is_none();
        let Part { items, next } = self.list(section).await?;
        let mut text = if begins { format!(",\"{name}\":[") } else { String::new() };
        for item in items {
            if std::mem::replace(&mut self.has_items, true) {
                text.push(',');
            }
            text.push_str(&item);
        }
        if next.is_none() {
            text.push(']');
            self.section += 1;
            self.has_items = false;
        }
        self.after = next;
        Ok(Some(text))
    }

    async fn list(&self, section: Section) -> Result<Part, DbError> {
        let (user, below) = (self.user, Cursor::below(self.after.as_ref()));
        let conn = &mut self.db.read().await?;
        Ok(match section {
            Section::Sessions => {
                let rows = store::list_sessions(conn, user, below, PAGE).await?;
                part(rows, |row| (row.created_at, row.id), |row| Some(auth_sdk::HeldSession::from(row)))
            }
            Section::ApiKeys => {
                let rows = store::list_api_keys(conn, user, below, PAGE).await?;
                part(rows, |row| (row.created_at, row.id), |row| Some(auth_sdk::HeldApiKey::from(row)))
            }
            Section::Mails => {
                let rows = store::list_mails(conn, user, below, PAGE).await?;
                part(rows, |row| (row.created_at, row.id), |row| Some(auth_sdk::HeldMail::from(row)))
            }
            Section::LoginHistory => {
                let rows = history::rows(conn, user, below, PAGE).await?;
                part(rows, |row| (row.at, row.id), |row| Some(history::to_wire(row, &Places::default())))
            }
            Section::AuditByPerson => {
                let filter = Filter { actor: Some(user.0), ..Filter::default() };
                let rows = audit::list(conn, &filter, self.after.as_ref(), PAGE).await?;
                part(rows, |row| (row.at, row.id), |row| Some(HeldAuditEntry::from(row)))
            }
            Section::AuditAboutPerson => {
                let filter = Filter { target: Some(user.0), ..Filter::default() };
                let rows = audit::list(conn, &filter, self.after.as_ref(), PAGE).await?;
                part(rows, |row| (row.at, row.id), |row| by_others(row, user))
            }
        })
    }
}

/// What others did to the person, without whence: that is held on them, not on the person.
fn by_others(row: EntryRow, user: UserId) -> Option<HeldAuditEntry> {
    let is_own = row.actor_id == Some(user.0);
    (!is_own).then(|| HeldAuditEntry { ip_address: None, user_agent: None, ..row.into() })
}

fn part<R, W: Serialize>(rows: Vec<R>, place: impl Fn(&R) -> (Ts, Uuid), wire: impl Fn(R) -> Option<W>) -> Part {
    let is_full = rows.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| is_full).map(|row| {
        let (at, id) = place(row);
        Cursor::at(at, id)
    });
    // Texts, numbers and times always serialise.
    let items = rows.into_iter().filter_map(wire).map(|item| serde_json::to_string(&item).unwrap_or_default());
    Part { items: items.collect(), next }
}
