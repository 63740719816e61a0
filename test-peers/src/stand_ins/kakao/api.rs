//! Kakao's API: who a token is for, and the end of a link.

use serde_json::{Value, json};

use super::super::message::{Answer, HttpRequest};
use super::{ADMIN_KEY, APP_ID, Shared};

impl Shared {
    pub(super) fn me(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let (mut user, _) = self.bearer(request)?;
        if user.get("connected_at").is_none() {
            user["connected_at"] = "2022-04-11T01:45:28Z".into();
        }
        Ok(Answer::json(200, &user))
    }

    pub(super) fn userinfo(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let (user, _) = self.bearer(request)?;
        let account = &user["kakao_account"];
        let mut claims = json!({
            "sub": user["id"].to_string(),
            "nickname": account["profile"]["nickname"],
            "picture": account["profile"]["thumbnail_image_url"],
            "email": account["email"],
            "email_verified": account["is_email_verified"],
        });
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|_, value| !value.is_null());
        }
        Ok(Answer::json(200, &claims))
    }

    pub(super) fn access_token_info(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let (user, expires_in) = self.bearer(request)?;
        Ok(Answer::json(200, &json!({"id": user["id"], "expires_in": expires_in, "app_id": APP_ID})))
    }

    /// By the admin key for any person, by a token for its own.
    pub(super) fn unlink(&self, request: &HttpRequest) -> Result<Answer, Answer> {
        let id = match request.credentials("KakaoAK") {
            Some(ADMIN_KEY) => target(request)?,
            Some(_) => return Err(refusal(401, -401, "wrong appKey format")),
            None => self.bearer(request)?.0["id"].clone(),
        };
        if !self.state().grants.remove_user("id", &id) {
            return Err(refusal(400, -101, "NotRegisteredUserException"));
        }
        Ok(Answer::json(200, &json!({"id": id})))
    }

    /// Whom an access token is for, and for how many seconds yet.
    fn bearer(&self, request: &HttpRequest) -> Result<(Value, i64), Answer> {
        let kakao = self.state();
        let held = request.credentials("Bearer").and_then(|token| kakao.grants.find_access(token));
        let held = held.ok_or_else(|| refusal(401, -401, "this access token does not exist"))?;
        Ok((held.grant.user.clone(), held.expires - kakao.grants.now()))
    }
}

fn target(request: &HttpRequest) -> Result<Value, Answer> {
    let id = request.form("target_id").and_then(|id| id.parse::<u64>().ok());
    match (request.form("target_id_type").as_deref(), id) {
        (Some("user_id"), Some(id)) => Ok(id.into()),
        _ => Err(refusal(400, -2, "target_id_type and target_id are required")),
    }
}

fn refusal(status: u16, code: i32, message: &str) -> Answer {
    Answer::json(status, &json!({"msg": message, "code": code}))
}
