//! Changing what an account says of its person.

use askama::Template;
use auth_sdk::User;
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};
use uuid::Uuid;

use super::person::parse_id;
use crate::{
    failure::Result,
    forms::{Form, Members},
    frame::{Frame, Section},
    session,
    visit::Operator,
};

#[derive(Template)]
#[template(path = "users/profile.html")]
struct ProfilePage {
    frame: Frame,
    id: Uuid,
    profile: Profile,
    fault: Option<String>,
}

#[derive(Template)]
#[template(path = "users/_profile.html")]
struct ProfilePart {
    frame: Frame,
    id: Uuid,
    profile: Profile,
    fault: Option<String>,
}

/// What the form holds.
#[derive(Default)]
struct Profile {
    display_name: String,
    username: String,
    phone: String,
    locale: String,
}

impl Profile {
    fn of(user: User) -> Self {
        let text = |value: Option<String>| value.unwrap_or_default();
        Self {
            display_name: text(user.display_name),
            username: text(user.username),
            phone: text(user.phone),
            locale: user.locale,
        }
    }

    fn read(members: &Members) -> Self {
        let text = |name: &str| members.find(name).unwrap_or_default().to_owned();
        Self {
            display_name: text("display_name"),
            username: text("username"),
            phone: text("phone"),
            locale: text("locale"),
        }
    }
}

/// The form.
pub async fn ask(operator: Operator, Path(id): Path<String>) -> Result<Response> {
    let id = parse_id(&id)?;
    let profile = Profile::of(operator.api().show_user(id).await?);
    show(&operator, id, profile, None).await
}

/// Changes what is different.
pub async fn run(operator: Operator, Path(id): Path<String>, Form(members): Form) -> Result<Response> {
    let id = parse_id(&id)?;
    let api = operator.api();
    let (before, wish) = (Profile::of(api.show_user(id).await?), Profile::read(&members));
    match api.update_user(id, &change(&before, &wish)).await {
        Ok(_) => Ok(operator.go(&format!("/admin/users/{id}?done=profile"))),
        Err(refusal) => {
            let fault = session::first_fault(refusal)?;
            show(&operator, id, wish, Some(fault)).await
        }
    }
}

/// Only what changed: what is empty now is cleared.
fn change(before: &Profile, wish: &Profile) -> serde_json::Value {
    let pairs = [
        ("display_name", &before.display_name, &wish.display_name),
        ("username", &before.username, &wish.username),
        ("phone", &before.phone, &wish.phone),
        ("locale", &before.locale, &wish.locale),
    ];
    let changed = pairs.into_iter().filter(|(_, before, wish)| before != wish);
    let values = changed.map(|(name, _, wish)| {
        let value = if wish.is_empty() { serde_json::Value::Null } else { wish.as_str().into() };
        (name.to_owned(), value)
    });
    serde_json::Value::Object(values.collect())
}

async fn show(operator: &Operator, id: Uuid, profile: Profile, fault: Option<String>) -> Result<Response> {
    let html = if operator.wants_part {
        ProfilePart { frame: operator.part(Section::Users), id, profile, fault }.render()?
    } else {
        ProfilePage { frame: operator.frame(Section::Users).await?, id, profile, fault }.render()?
    };
    Ok(Html(html).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_changed_is_sent() {
        let profile = |name: &str, phone: &str| Profile {
            display_name: name.to_owned(),
            phone: phone.to_owned(),
            ..Profile::default()
        };
        let before = profile("김민수", "+821012345678");
        assert_eq!(change(&before, &profile("김민수", "+821012345678")), json!({}));
        assert_eq!(change(&before, &profile("김민지", "")), json!({"display_name": "김민지", "phone": null}));
    }
}
