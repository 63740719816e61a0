//! Inviting somebody.

use askama::Template;
use auth_sdk::{CreateUser, PageParams, Role, RoleGrant};
use axum::response::{Html, IntoResponse, Response};

use crate::{
    confirm::{self, Refusal},
    failure::Result,
    forms::{Form, Members},
    frame::{Frame, Section},
    visit::Operator,
};

#[derive(Template)]
#[template(path = "users/new.html")]
struct NewPage {
    frame: Frame,
    wish: Wish,
    roles: Vec<Role>,
    refusal: Refusal,
}

#[derive(Template)]
#[template(path = "users/_new.html")]
struct NewPart {
    frame: Frame,
    wish: Wish,
    roles: Vec<Role>,
    refusal: Refusal,
}

/// What the form holds.
struct Wish {
    email: String,
    display_name: String,
    locale: String,
    roles: Vec<String>,
}

impl Wish {
    fn read(members: &Members) -> Self {
        let text = |name: &str| members.find(name).unwrap_or_default().to_owned();
        Self {
            email: text("email"),
            display_name: text("display_name"),
            locale: text("locale"),
            roles: members.all("role").map(str::to_owned).collect(),
        }
    }

    fn holds(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }
}

/// The form.
pub async fn ask(operator: Operator) -> Result<Response> {
    let locale = operator.bare().lang().to_owned();
    let wish = Wish { email: String::new(), display_name: String::new(), locale, roles: vec!["user".to_owned()] };
    show(&operator, wish, Refusal::default()).await
}

/// Makes the account; its person chooses a password by the mail that is sent.
pub async fn run(operator: Operator, Form(members): Form) -> Result<Response> {
    let wish = Wish::read(&members);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let user = CreateUser {
        email: wish.email.clone(),
        username: None,
        display_name: some(&wish.display_name),
        locale: some(&wish.locale),
        roles: Some(wish.roles.iter().cloned().map(RoleGrant::Name).collect()),
    };
    let act = async || Ok(operator.api().create_user(&user).await?);
    match confirm::prove_and(&operator, &members, act).await? {
        Ok(made) => Ok(operator.go(&format!("/admin/users/{}?done=invited", made.id))),
        Err(refusal) => show(&operator, wish, refusal).await,
    }
}

async fn show(operator: &Operator, wish: Wish, refusal: Refusal) -> Result<Response> {
    let all = PageParams { limit: Some(100), cursor: None };
    // Who may not see the roles can still invite somebody with none but the usual.
    let roles = operator.api().list_roles(&all).await.map(|page| page.items).unwrap_or_default();
    let html = if operator.wants_part {
        NewPart { frame: operator.part(Section::Users), wish, roles, refusal }.render()?
    } else {
        NewPage { frame: operator.frame(Section::Users).await?, wish, roles, refusal }.render()?
    };
    Ok(Html(html).into_response())
}
