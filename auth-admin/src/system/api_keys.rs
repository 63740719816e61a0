//! Everybody's API keys: what each may do, when it was used, and revoking one.

use askama::Template;
use auth_sdk::{ApiKeyFilter, OwnedApiKey, Page, PageParams};
use axum::{
    extract::Path,
    response::{Html, IntoResponse, Response},
};
use uuid::Uuid;

use crate::{
    confirm::{self, Question, Weight},
    failure::{Failure, Result},
    forms::{Form, Query},
    frame::{Frame, Section},
    visit::Operator,
};

const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "system/api-keys.html")]
struct ApiKeysPage {
    frame: Frame,
    search: String,
    page: Page<OwnedApiKey>,
}

#[derive(Template)]
#[template(path = "system/_api-keys.html")]
struct Results {
    frame: Frame,
    search: String,
    page: Page<OwnedApiKey>,
}

/// The page, or only its rows where a script asks.
pub async fn show(operator: Operator, Query(query): Query) -> Result<Response> {
    let search = query.find("search").unwrap_or_default().to_owned();
    let filter = ApiKeyFilter { search: (!search.is_empty()).then(|| search.clone()) };
    let params = PageParams { limit: Some(ROWS), cursor: query.find("cursor").map(str::to_owned) };
    let api = operator.api();
    let page = api.list_all_api_keys(&filter, &params).await?;
    let html = if operator.wants_part {
        // Whoever sees the list may be allowed to revoke: the API decides when they try.
        Results { frame: operator.frame(Section::ApiKeys).await?, search, page }.render()?
    } else {
        ApiKeysPage { frame: operator.frame(Section::ApiKeys).await?, search, page }.render()?
    };
    Ok(Html(html).into_response())
}

/// Asks whether to revoke one.
pub async fn ask(operator: Operator, Path((owner, key)): Path<(String, String)>) -> Result<Response> {
    let (owner, key) = (parse(&owner)?, parse(&key)?);
    let name = name(&operator, owner, key).await?;
    confirm::ask(&operator, question(&operator.part(Section::ApiKeys), (owner, key), &name)).await
}

/// Revokes one.
pub async fn run(
    operator: Operator,
    Path((owner, key)): Path<(String, String)>,
    Form(members): Form,
) -> Result<Response> {
    let (owner, key) = (parse(&owner)?, parse(&key)?);
    let name = name(&operator, owner, key).await?;
    let api = operator.api();
    let question = question(&operator.part(Section::ApiKeys), (owner, key), &name).carrying(&members);
    let act = async || Ok(api.revoke_user_api_key(owner, key).await?);
    Ok(match confirm::carry_out(&operator, &members, question, act).await? {
        Ok(()) => operator.go("/admin/api-keys?done=key-revoked"),
        Err(asked_again) => asked_again,
    })
}

async fn name(operator: &Operator, owner: Uuid, key: Uuid) -> Result<String> {
    let keys = operator.api().list_user_api_keys(owner).await?.items;
    keys.into_iter().find(|known| known.id == key).map(|known| known.name).ok_or(Failure::NotFound)
}

fn question(frame: &Frame, (owner, key): (Uuid, Uuid), name: &str) -> Question {
    Question {
        title: frame.t1("ask-key-revoke", "name", name),
        sentence: frame.t("ask-why-key-revoke"),
        button: frame.t("key-revoke"),
        weight: Weight::Heavy,
        action: format!("/admin/api-keys/{owner}/{key}/revoke"),
        carried: Vec::new(),
    }
}

fn parse(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| Failure::NotFound)
}
