//! Identities as personal data: handed out, kept while an account may be restored, and erased with it.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::support::{World, at_kakao};
use crate::{
    audit_log::person_with_role,
    support::{Answer, Engine},
    waiting::until,
};

const EXPORT: &str = "/api/v1/users/me/export";
const KEEP: [(&str, &str); 2] =
    [("OAUTH_KEEP_TOKENS", "true"), ("SECRETS_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")];
const IN_TIME: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_secs(86_400);

impl World {
    /// Somebody at Kakao without an address comes.
    async fn comes(&self, id: u64) -> Answer {
        self.kakao.sign_in(json!({"id": id}));
        let answer = self.log_in("kakao").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// They delete their account; gives its id.
    async fn leaves(&self, person: &Answer) -> String {
        let id = self.me(person).await["id"].as_str().unwrap().to_owned();
        let deleted = self.api.bearing(&person.text("access_token")).delete("/api/v1/users/me").await;
        assert_eq!(deleted.status, 204, "{deleted:?}");
        id
    }

    /// An administrator brings an account back.
    async fn restore(&self, id: &str) {
        let admin = person_with_role(&self.deployment, &self.api, "admin@example.com", "admin").await;
        let answer = self.api.bearing(&admin.access).post(&format!("/api/v1/users/{id}/restore"), json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn count(&self, table: &str) -> i64 {
        self.deployment.number(&format!("SELECT COUNT(*) FROM {table}")).await
    }
}

#[rstest]
#[tokio::test]
async fn an_export_holds_what_a_provider_told_and_no_token_of_it(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::with(engine, &KEEP).await;
    let mut profile = at_kakao(9_007_199_254_740_993, "ryan@example.com");
    world.kakao.sign_in(profile.clone());
    let ryan = world.log_in("kakao").await;
    let own = world.api.bearing(&ryan.text("access_token"));
    let token = own.post("/api/v1/users/me/identities/kakao/token", json!({})).await.text("access_token");
    let exported = own.get(EXPORT).await;
    assert_eq!(exported.status, 200, "{exported:?}");
    let identity = &exported.body["identities"][0];
    profile["connected_at"] = identity["profile"]["connected_at"].clone();
    let expected = json!({
        "id": identity["id"], "provider": "kakao", "issuer": world.kakao.url(), "subject": "9007199254740993",
        "email": "ryan@example.com", "email_verified": true, "display_name": "라이언", "profile": profile,
        "linked_at": "2026-01-01T00:00:00Z", "last_login_at": identity["last_login_at"], "unlinked_at": null,
    });
    assert_eq!(identity, &expected);
    let text = exported.body.to_string();
    assert!(!text.contains(&token) && !text.contains("sealed"), "{text}");
}

#[rstest]
#[tokio::test]
async fn a_profile_that_is_only_proposed_is_not_handed_to_the_owner_of_the_address(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let owner = world.api.person("ryan@example.com").await;
    let proven = "UPDATE users SET email_verified_at = created_at";
    assert_eq!(world.deployment.change(proven).await, 1);
    world.kakao.sign_in(at_kakao(7, "ryan@example.com"));
    let proposed = world.log_in("kakao").await;
    assert_eq!(proposed.body["status"], "link_required", "{proposed:?}");
    assert_eq!(world.count("oauth_accounts").await, 1);
    let exported = world.api.bearing(&owner.access).get(EXPORT).await;
    assert_eq!((exported.status, &exported.body["identities"]), (200, &json!([])));
}

#[rstest]
#[tokio::test]
async fn a_restored_account_is_entered_by_its_identity_again(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let ryan = world.comes(1).await;
    let id = world.leaves(&ryan).await;
    world.restore(&id).await;
    let again = world.comes(1).await;
    assert_eq!(world.me(&again).await["id"], Value::String(id));
}

#[rstest]
#[tokio::test]
async fn whoever_comes_back_has_a_new_account_and_keeps_it_when_the_old_one_is_restored(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let old = world.comes(1).await;
    let old = world.leaves(&old).await;
    let new = world.comes(1).await;
    let new = world.me(&new).await["id"].clone();
    assert_ne!(new, Value::String(old.clone()));
    assert_eq!(world.count("oauth_accounts").await, 2, "both may be somebody's yet");
    world.restore(&old).await;
    let again = world.comes(1).await;
    assert_eq!(world.me(&again).await["id"], new);
    assert_eq!(world.count("oauth_accounts").await, 1, "the restored one has lost it");
    assert_eq!(world.count("users WHERE deleted_at IS NULL").await, 3);
}

#[rstest]
#[tokio::test]
async fn an_erased_person_leaves_no_identity_proposal_handle_or_notice_behind(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::with(engine, &KEEP).await;
    world.kakao.sign_in(at_kakao(4_711, "ryan@example.com"));
    let ryan = world.log_in("kakao").await;
    // A code that nobody exchanged holds the profile; and somebody else may be proposed.
    world.code("kakao").await;
    world.kakao.sign_in(at_kakao(4_712, "ryan@example.com"));
    assert_eq!(world.log_in("kakao").await.body["status"], "link_required");
    let webhook = world.kakao.unlink_webhook(4_711, "UNLINK_FROM_APPS");
    let kakao = world.api.with_header("authorization", &webhook.headers[0].1);
    assert_eq!(kakao.get(&format!("/api/v1/oauth/kakao/webhooks/unlink?{}", webhook.body)).await.status, 200);
    until("it is processed", IN_TIME, async || world.count("oauth_notices WHERE processed_at IS NULL").await == 0)
        .await;
    assert_eq!(world.api.me(&ryan.text("access_token")).await.status, 401);
    world.kakao.sign_in(at_kakao(4_711, "ryan@example.com"));
    let ryan = world.log_in("kakao").await;
    world.leaves(&ryan).await;
    assert_eq!(world.count("oauth_accounts").await, 2);
    world.deployment.clock.advance(DAY * 31);
    let _sweeping = world.deployment.start().await;
    until("all is erased", IN_TIME, async || {
        auth_service::jobs::erase_people(&world.api.app).await.unwrap();
        let mut left = 0;
        for table in ["users", "oauth_accounts", "oauth_handles", "oauth_notices", "oauth_unlinks"] {
            left += world.count(table).await;
        }
        left == 0
    })
    .await;
}
