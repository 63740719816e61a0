//! Accounts that an attacker made beforehand with a victim's address.

use auth_service::operator::{self, Administrator, Made, Operator};
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use test_peers::{Security, Smtp};

use super::{
    steps::{Underway, arrive},
    support::{World, at_kakao},
};
use crate::{
    mailbox::{deployment, letter},
    support::{Engine, Instance, PASSWORD, Person},
};

const VICTIM: &str = "victim@example.com";
const NEW: &str = "Another-Pass-77!";

/// Everything that an attacker can prepare in an account with a victim's address.
struct Trap {
    relay: Smtp,
    world: World,
    attacker: Person,
    key: Instance,
    /// A link of one more provider, not finished yet.
    underway: Underway,
}

impl Trap {
    async fn set(engine: Engine) -> Self {
        let relay = Smtp::start(Security::Plain).unwrap();
        let world = World::on(deployment(engine, &relay), &[]).await;
        let attacker = world.api.person(VICTIM).await;
        let api = world.api.bearing(&attacker.access);
        let key = api.key_client(&world.api, &[]).await;
        world.naver.sign_in(json!({"id": "attacker"}));
        assert_eq!(world.link(&attacker.access, "naver").await.status, 200);
        let change = json!({"email": "attacker@example.com"});
        assert_eq!(api.call(Method::PUT, "/api/v1/users/me/email", change).await.status, 202);
        world.acme.sign_in(json!({"id": 666}));
        let started = world.start_link(&attacker.access, "acme").await;
        let underway = world.begin_at(&started.text("authorization_url")).await;
        Self { relay, world, attacker, key, underway }
    }

    /// Nothing of it opens the account of this access token.
    async fn holds_nobody(&self, access: &str) {
        let Self { world, attacker, .. } = self;
        assert_eq!(world.api.me(&attacker.access).await.status, 401, "at once");
        assert_eq!(world.api.refresh(&attacker.refresh).await.code(), "invalid_grant");
        assert_eq!(world.api.login(VICTIM, PASSWORD).await.status, 401);
        assert_eq!(self.key.get("/api/v1/users/me").await.status, 401);
        let code = arrive(&self.underway).await.location_query("code").unwrap();
        assert_eq!(world.exchange(&code).await.code(), "invalid_or_expired_token");
        let stranger = world.log_in("naver").await;
        let me = world.me(&stranger).await;
        assert_eq!(me["email"], json!(null), "the attacker's own identity enters an account of its own");
        let mail = letter(&self.relay, "attacker@example.com", "Confirm your new e-mail address").await.text;
        let token = mail.split_once("/confirm-email?token=").unwrap().1.split_whitespace().next().unwrap();
        assert_eq!(world.api.post_token("/api/v1/auth/email/confirm", token).await.status, 400);
        let victim = world.api.me(access).await;
        assert_eq!((victim.text("email").as_str(), &victim.body["email_verified"]), (VICTIM, &json!(true)));
        assert_ne!(me["id"], victim.body["id"]);
    }
}

#[rstest]
#[tokio::test]
async fn an_account_made_with_a_victims_address_is_the_victims_from_their_first_login(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let trap = Trap::set(engine).await;
    trap.world.kakao.sign_in(at_kakao(7, "Victim@Example.com"));
    let answer = trap.world.log_in("kakao").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let access = answer.text("access_token");
    trap.holds_nobody(&access).await;
    let subjects: Vec<_> = trap.world.identities(&access).await.iter().map(|it| it["subject"].clone()).collect();
    assert_eq!(subjects, ["7"]);
    letter(&trap.relay, VICTIM, "A new way to log in").await;
    let claims = "SELECT COUNT(*) FROM audit_logs WHERE event = 'user_claimed'";
    assert_eq!(trap.world.deployment.number(claims).await, 1);
}

#[rstest]
#[tokio::test]
async fn a_reset_that_proves_the_address_takes_away_what_was_linked_before(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let trap = Trap::set(engine).await;
    assert_eq!(trap.world.api.post_email("/api/v1/auth/password/forgot", VICTIM).await.status, 202);
    let mail = letter(&trap.relay, VICTIM, "Choose a new password").await.text;
    let token = mail.split_once("/reset-password?token=").unwrap().1.split_whitespace().next().unwrap();
    let body = json!({"token": token, "new_password": NEW});
    assert_eq!(trap.world.api.post("/api/v1/auth/password/reset", body).await.status, 204);
    let victim = trap.world.api.login(VICTIM, NEW).await;
    trap.holds_nobody(&victim.text("access_token")).await;
    assert_eq!(trap.world.identities(&victim.text("access_token")).await, [] as [Value; 0]);
}

#[rstest]
#[tokio::test]
async fn an_operator_who_makes_the_address_an_administrators_takes_away_what_was_linked_before(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let trap = Trap::set(engine).await;
    let (deployment, api) = (&trap.world.deployment, &trap.world.api);
    let (config, wish) = (deployment.config(), |password: &str| Administrator {
        email: VICTIM.to_owned(),
        username: None,
        password: Some(password.to_owned()),
    });
    let operator = Operator { db: &api.app.db, config: &config, clock: &deployment.clock };
    let made = operator::create_administrator(&operator, wish(NEW)).await;
    assert!(matches!(made, Ok(Made::TakenOver(None))));
    api.refuses_in_time(&trap.attacker.access).await;
    let owner = api.login(VICTIM, NEW).await;
    trap.holds_nobody(&owner.text("access_token")).await;
    assert_eq!(trap.world.identities(&owner.text("access_token")).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_link_that_is_finished_while_the_account_changes_hands_is_refused() {
    let world = World::new(Engine::Postgres).await;
    let attacker = world.api.person(VICTIM).await;
    let started = world.start_link(&attacker.access, "naver").await;
    let code = arrive(&world.begin_at(&started.text("authorization_url")).await).await.location_query("code").unwrap();
    // As the victim's login does it, at the moment before it is there for others to see.
    let mut victim = PgConnection::connect(world.deployment.get("DB_PRIMARY_DB_URL")).await.unwrap();
    victim
        .execute("BEGIN; UPDATE users SET password_hash = NULL; UPDATE sessions SET ended_at = created_at")
        .await
        .unwrap();
    let (api, body) = (world.api.clone(), json!({"code": code, "code_verifier": super::support::VERIFIER}));
    let link = tokio::spawn(async move { api.post("/api/v1/oauth/exchange", body).await });
    world.deployment.waits_for_a_lock(|| link.is_finished()).await;
    victim.execute("COMMIT").await.unwrap();
    assert_eq!(link.await.unwrap().code(), "invalid_or_expired_token");
    assert_eq!(world.deployment.number("SELECT COUNT(*) FROM oauth_accounts").await, 0);
}

#[rstest]
#[tokio::test]
async fn fifty_logins_of_the_victim_take_the_account_over_once(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let world = World::new(engine).await;
    let attacker = world.api.person(VICTIM).await;
    world.kakao.sign_in(at_kakao(7, VICTIM));
    let mut codes = Vec::new();
    for _ in 0..50 {
        codes.push(world.code("kakao").await);
    }
    let calls = codes.into_iter().map(|code| {
        let api = world.api.clone();
        let body = json!({"code": code, "code_verifier": super::support::VERIFIER});
        tokio::spawn(async move { api.post("/api/v1/oauth/exchange", body).await })
    });
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        assert!(answer.status == 200 && answer.body["access_token"].is_string(), "{answer:?}");
    }
    assert_eq!(world.api.me(&attacker.access).await.status, 401);
    let claims = "SELECT COUNT(*) FROM audit_logs WHERE event = 'user_claimed'";
    assert_eq!(world.deployment.number(claims).await, 1);
}
