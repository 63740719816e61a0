//! One person on one page: who they are and what state they are in, what happened, and what they hold.

use askama::Template;
use auth_sdk::{ApiKey, AuditFilter, HeldGrant, Identity, LoginRecord, Page, PageParams, Session, User};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};
use uuid::Uuid;

use crate::{
    audit::line::Line,
    confirm::{self, Question, Weight},
    failure::{Failure, Result},
    forms::Form,
    frame::{Frame, Section, name_of},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "users/person.html")]
struct PersonPage {
    frame: Frame,
    user: User,
    held: Held,
}

/// What belongs to a person. Of what whoever asks may not see, nothing is asked for.
struct Held {
    sessions: Vec<Session>,
    logins: Page<LoginRecord>,
    identities: Vec<Identity>,
    roles: Vec<HeldGrant>,
    keys: Option<Vec<ApiKey>>,
    /// What they did, and what was done to them.
    audit: Option<Vec<Line>>,
}

/// The page.
pub async fn show(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let id = parse_id(&id)?;
    let api = operator.api();
    let (frame, user) = tokio::join!(operator.frame(Section::Users), api.show_user(id));
    let (frame, user) = (frame?, user?);
    // A deleted account holds nothing any more.
    let held = if user.deleted_at.is_some() { Held::nothing() } else { Held::load(&operator, &frame, id).await? };
    Ok(Html(PersonPage { frame, user, held }.render()?).into_response())
}

impl Held {
    async fn load(operator: &Operator, frame: &Frame, id: Uuid) -> Result<Self> {
        let (api, newest) = (operator.api(), PageParams { limit: Some(20), cursor: None });
        let (may_see_keys, may_see_audit) = (frame.may("api_keys:read"), frame.may("audit:read"));
        let about = AuditFilter { about: Some(id.to_string()), ..AuditFilter::default() };
        let few = PageParams { limit: Some(20), cursor: None };
        let (sessions, logins, identities, roles, keys, audit) = tokio::join!(
            api.list_user_sessions(id),
            api.list_user_logins(id, &newest),
            api.list_user_identities(id),
            api.list_user_roles(id),
            async { if may_see_keys { api.list_user_api_keys(id).await.map(Some) } else { Ok(None) } },
            async { if may_see_audit { api.list_audit_logs(&about, &few).await.map(Some) } else { Ok(None) } },
        );
        Ok(Self {
            sessions: sessions?.items,
            logins: logins?,
            identities: identities?.items,
            roles: roles?.items,
            keys: keys?.map(|page| page.items),
            audit: audit?.map(|page| Line::all(frame, page.items)),
        })
    }

    const fn nothing() -> Self {
        let logins = Page { items: Vec::new(), next_cursor: None, total: None };
        Self { sessions: Vec::new(), logins, identities: Vec::new(), roles: Vec::new(), keys: None, audit: None }
    }
}

/// Asks whether to end a session, or to take an identity away.
pub async fn ask_part(operator: Operator, Path((id, part, name)): Path<(String, String, String)>) -> Result<Response> {
    let part = Part::parse(&id, &part, &name)?;
    let user = operator.api().show_user(part.of()).await?;
    confirm::ask(&operator, part.question(&operator.part(Section::Users), &user)).await
}

/// Does it.
pub async fn end_part(
    operator: Operator,
    Path((id, part, name)): Path<(String, String, String)>,
    Form(members): Form,
) -> Result<Response> {
    let part = Part::parse(&id, &part, &name)?;
    let api = operator.api();
    let user = api.show_user(part.of()).await?;
    let question = part.question(&operator.part(Section::Users), &user).carrying(&members);
    let act = async || match &part {
        Part::Session(id, session) => Ok(api.end_user_session(*id, *session).await?),
        Part::Identity(id, provider) => Ok(api.unlink_user_identity(*id, provider).await?),
    };
    Ok(match confirm::carry_out(&operator, &members, question, act).await? {
        Ok(()) => operator.go(&format!("/admin/users/{}?done={}", part.of(), part.name())),
        Err(asked_again) => asked_again,
    })
}

/// What can be taken from somebody.
enum Part {
    Session(Uuid, Uuid),
    Identity(Uuid, String),
}

impl Part {
    fn parse(id: &str, part: &str, name: &str) -> Result<Self> {
        let id = parse_id(id)?;
        match part {
            "sessions" => Ok(Self::Session(id, parse_id(name)?)),
            "identities" if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') => {
                Ok(Self::Identity(id, name.to_owned()))
            }
            _ => Err(Failure::NotFound),
        }
    }

    const fn of(&self) -> Uuid {
        match self {
            Self::Session(id, _) | Self::Identity(id, _) => *id,
        }
    }

    /// As it stands in the keys of texts.
    const fn name(&self) -> &'static str {
        match self {
            Self::Session(..) => "end-session",
            Self::Identity(..) => "unlink",
        }
    }

    fn path(&self) -> String {
        match self {
            Self::Session(id, session) => format!("/admin/users/{id}/sessions/{session}"),
            Self::Identity(id, provider) => format!("/admin/users/{id}/identities/{provider}"),
        }
    }

    fn question(&self, frame: &Frame, user: &User) -> Question {
        let (name, who) = (self.name(), name_of(user));
        Question {
            title: frame.t1(&format!("ask-{name}"), "name", &who),
            sentence: frame.t1(&format!("ask-why-{name}"), "name", &who),
            button: frame.t(&format!("act-{name}")),
            weight: Weight::Heavy,
            action: self.path(),
            carried: Vec::new(),
        }
    }
}

/// The id of a person in an address.
pub fn parse_id(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| Failure::NotFound)
}
