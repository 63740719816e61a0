//! What Kakao tells a service of its own accord: <https://developers.kakao.com/docs/latest/en/kakaologin/callback>.

use serde_json::json;
use url::form_urlencoded;

use super::super::grants::random_text;
use super::{ADMIN_KEY, APP_ID, Kakao};
use crate::PeerError;

/// A request that Kakao sends to a service.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body; that of the unlink webhook is the query where GET is configured.
    pub body: String,
}

impl Kakao {
    /// The unlink webhook: a person has ended the link at Kakao, by a way such as `UNLINK_FROM_APPS`,
    /// `ACCOUNT_DELETE` or `FORCED_ACCOUNT_DELETE`.
    #[must_use]
    pub fn unlink_webhook(&self, user_id: u64, referrer_type: &str) -> Webhook {
        let (app_id, user_id) = (APP_ID.to_string(), user_id.to_string());
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs([("app_id", app_id.as_str()), ("user_id", &user_id), ("referrer_type", referrer_type)]);
        Webhook {
            headers: vec![
                ("authorization", format!("KakaoAK {ADMIN_KEY}")),
                ("content-type", "application/x-www-form-urlencoded;charset=utf-8".to_owned()),
            ],
            body: body.finish(),
        }
    }

    /// The account status webhook: a Security Event Token (RFC 8417) with one event, such as
    /// `https://schemas.kakao.com/events/oauth/user-unlinked` or
    /// `https://schemas.openid.net/secevent/risc/event-type/account-disabled`.
    ///
    /// # Errors
    /// [`PeerError::Cryptography`].
    pub fn security_event(&self, event: &str, user_id: u64) -> Result<Webhook, PeerError> {
        let now = self.shared.state().grants.now();
        let (issuer, subject) = (&self.shared.url, user_id.to_string());
        let body = self.sign(
            "secevent+jwt",
            &json!({
                "iss": issuer,
                "aud": self.shared.client.id,
                "sub": subject,
                "iat": now,
                "toe": now,
                "jti": random_text()?,
                "events": {event: {"subject": {"subject_type": "iss-sub", "iss": issuer, "sub": subject}}},
            }),
        )?;
        Ok(Webhook { headers: vec![("content-type", "application/secevent+jwt".to_owned())], body })
    }
}
