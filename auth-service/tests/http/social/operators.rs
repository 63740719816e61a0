//! What an operator sees and takes away of other people's identities at providers.

use rstest::rstest;
use serde_json::json;

use super::support::{World, at_kakao};
use crate::{
    audit_log::person_with_role,
    support::{Answer, Engine, Instance, PASSWORD},
};

const NOTHING: &str = "01900000-0000-7000-8000-000000000000";

impl World {
    /// Somebody who holds a role.
    async fn holder_of(&self, role: &str) -> Instance {
        let email = format!("{role}@operators.example");
        self.api.bearing(&person_with_role(&self.deployment, &self.api, &email, role).await.access)
    }

    /// The path of the account that an answer logged in to.
    async fn path_of(&self, answer: &Answer) -> String {
        format!("/api/v1/users/{}/identities", self.me(answer).await["id"].as_str().unwrap())
    }

    async fn count_unlinked(&self) -> i64 {
        self.deployment.number("SELECT COUNT(*) FROM audit_logs WHERE event = 'identity_unlinked'").await
    }
}

#[rstest]
#[tokio::test]
async fn identities_of_somebody_are_seen_as_they_see_them(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let world = World::new(engine).await;
    let manager = world.holder_of("manager").await;
    world.kakao.sign_in(at_kakao(7, "ryan@example.com"));
    let ryan = world.log_in("kakao").await;
    let path = world.path_of(&ryan).await;
    let listed = manager.get(&path).await;
    assert_eq!(listed.status, 200, "{listed:?}");
    assert_eq!(listed.body["items"].as_array().unwrap(), &world.identities(&ryan.text("access_token")).await);
    assert_eq!((listed.members(), &listed.body["items"][0]["subject"]), (vec!["items"], &json!("7")));
    let looked = "SELECT COUNT(*) FROM audit_logs WHERE event = 'user_viewed'";
    assert_eq!(world.deployment.number(looked).await, 1);
    let own = world.api.bearing(&ryan.text("access_token")).get(&path).await;
    assert_eq!((own.status, own.code()), (403, "forbidden"));
    for id in [NOTHING, "x"] {
        assert_eq!(manager.get(&format!("/api/v1/users/{id}/identities")).await.status, 404, "{id}");
    }
    assert_eq!(world.deployment.number(looked).await, 1);
}

#[rstest]
#[tokio::test]
async fn an_identity_is_taken_away_by_an_operator_and_kakao_and_the_person_are_told(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let manager = world.holder_of("manager").await;
    world.kakao.sign_in(at_kakao(7, "ryan@example.com"));
    let ryan = world.log_in("kakao").await;
    let kakao = format!("{}/kakao", world.path_of(&ryan).await);
    let last = manager.delete(&kakao).await;
    assert_eq!((last.status, last.code()), (409, "last_way_in"));
    let own = world.api.bearing(&ryan.text("access_token"));
    assert_eq!(own.put("/api/v1/users/me/password", json!({"new_password": PASSWORD})).await.status, 204);
    assert_eq!(world.count_unlinked().await, 0);

    assert_eq!(manager.delete(&kakao).await.status, 204);
    world.nothing_is_queued().await;
    let told = world.kakao.requests_to("/v1/user/unlink");
    assert_eq!(told.iter().map(|told| told.form("target_id")).collect::<Vec<_>>(), [Some("7".to_owned())]);
    let mails = "SELECT COUNT(*) FROM mail_outbox WHERE kind = 'identity_unlinked' AND recipient = 'ryan@example.com'";
    assert_eq!(world.deployment.number(mails).await, 1);
    let by = "SELECT COUNT(*) FROM audit_logs WHERE event = 'identity_unlinked' AND details = '{\"way\":\"kakao\"}'
        AND actor_id = (SELECT id FROM users WHERE email = 'manager@operators.example')
        AND target_id = (SELECT id FROM users WHERE email = 'ryan@example.com')";
    assert_eq!(world.deployment.number(by).await, 1);
    assert_eq!(manager.delete(&kakao).await.status, 404, "there is none any more");
    assert_eq!(world.api.login("ryan@example.com", PASSWORD).await.status, 200);
    assert_eq!(world.count_unlinked().await, 1);
}

#[rstest]
#[tokio::test]
async fn no_identity_is_taken_from_anybody_else_or_from_who_holds_more(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let (manager, admin) = (world.holder_of("manager").await, world.holder_of("admin").await);
    let access = world.api.login("admin@operators.example", PASSWORD).await;
    world.kakao.sign_in(json!({"id": 1}));
    assert_eq!(world.link(&access.text("access_token"), "kakao").await.status, 200);
    world.naver.sign_in(json!({"id": "n"}));
    let other = world.log_in("naver").await;
    let (theirs, own) = (world.path_of(&access).await, world.path_of(&other).await);
    let refused = manager.delete(&format!("{theirs}/kakao")).await;
    assert_eq!((refused.status, refused.code()), (403, "beyond_own_rights"));
    let user = world.api.bearing(&other.text("access_token"));
    for path in [&theirs, &own] {
        assert_eq!(user.delete(&format!("{path}/kakao")).await.code(), "forbidden");
    }
    for path in [format!("{own}/kakao"), format!("{own}/x"), format!("/api/v1/users/{NOTHING}/identities/kakao")] {
        assert_eq!(admin.delete(&path).await.status, 404, "{path}");
    }
    assert_eq!(world.count_unlinked().await, 0);
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM oauth_accounts").await, 2);
}
