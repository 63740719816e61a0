//! `auth-system audit verify`: whoever changes the database past the service is found out.

use auth_service::audit::{self, Fault, Link};
use rstest::rstest;

use crate::{
    audit_chain::verify,
    support::{Deployment, Engine, Instance},
};

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// Eleven sealed entries.
async fn sealed(engine: Engine) -> (Deployment, Instance) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    assert_eq!(api.register("kim@example.com").await.status, 201);
    for _ in 0..4 {
        api.log_in("kim@example.com").await;
    }
    deployment.write_entries(6).await;
    deployment.is_sealed().await;
    (deployment, api)
}

/// What is found after a change.
async fn found(change: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for engine in ENGINES {
        let (deployment, api) = sealed(engine).await;
        assert_eq!(verify(&api.app).await.faults, []);
        for statement in change.split(';') {
            assert_ne!(deployment.change(statement).await, 0, "{statement}");
        }
        let faults = verify(&api.app).await.faults;
        // The ids differ, the numbers do not.
        let without_ids = |fault: &Fault| {
            let text = fault.to_string();
            let parts: Vec<&str> = text.split(['(', ')']).collect();
            if parts.len() == 3 { format!("{}…{}", parts[0], parts[2]) } else { text }
        };
        all.push(faults.iter().map(without_ids).collect());
    }
    all
}

#[rstest]
#[case::event("UPDATE audit_logs SET event = 'nothing' WHERE seq = 5", &["entry 5 … was changed, moved or put in"])]
#[case::time("UPDATE audit_logs SET at = (SELECT MAX(last_login_at) FROM users) WHERE seq = 5; UPDATE audit_logs SET details = '{\"session_id\":null}' WHERE seq = 5", &["entry 5 … was changed, moved or put in"])]
#[case::actor("UPDATE audit_logs SET actor_id = NULL WHERE seq = 1", &["entry 1 … was changed, moved or put in"])]
#[case::last("UPDATE audit_logs SET outcome = 'refused' WHERE seq = 11", &["entry 11 … was changed, moved or put in"])]
#[case::hash(
    "UPDATE audit_logs SET hash = (SELECT other.hash FROM audit_logs AS other WHERE other.seq = 4) WHERE seq = 5",
    &["entry 5 … was changed, moved or put in", "entry 6 … was changed, moved or put in"]
)]
#[case::no_hash("UPDATE audit_logs SET hash = NULL WHERE seq = 11", &["entry 11 … was changed, moved or put in"])]
#[case::removed("DELETE FROM audit_logs WHERE seq = 5", &["entry 5 was removed or moved, so entry 6 … cannot be checked"])]
#[case::first_removed("DELETE FROM audit_logs WHERE seq < 3", &["entries 1 to 2 were removed or moved, so entry 3 … cannot be checked"])]
#[case::swapped(
    "UPDATE audit_logs SET seq = 0 WHERE seq = 5; UPDATE audit_logs SET seq = 5 WHERE seq = 6; UPDATE audit_logs SET seq = 6 WHERE seq = 0",
    &["entry 5 … was changed, moved or put in", "entry 6 … was changed, moved or put in", "entry 7 … was changed, moved or put in"]
)]
#[case::inserted(
    "INSERT INTO audit_logs (id, at, event, outcome, details, salt, personal_hash, seq, hash)
     SELECT session_id, at, 'user_unlocked', 'done', '{}', (SELECT salt FROM audit_logs WHERE seq = 1), token, 12, token
     FROM (SELECT login_histories.session_id, at, token_hash AS token FROM login_histories
           JOIN refresh_tokens ON refresh_tokens.session_id = login_histories.session_id LIMIT 1) AS forged",
    &["entry 12 …: the ip_address, user_agent or salt was changed or removed", "entry 12 … was changed, moved or put in"]
)]
#[case::address("UPDATE audit_logs SET ip_address = '203.0.113.9' WHERE seq = 5", &["entry 5 …: the ip_address, user_agent or salt was changed or removed"])]
#[case::unsalted(
    "UPDATE audit_logs SET salt = NULL WHERE seq = 5",
    &["entry 5 …: the personal parts are gone, but nobody it tells of was erased", "entry 5 …: the ip_address, user_agent or salt was changed or removed"]
)]
#[case::erased("UPDATE audit_logs SET salt = NULL, ip_address = NULL, user_agent = NULL WHERE seq = 5", &["entry 5 …: the personal parts are gone, but nobody it tells of was erased"])]
#[tokio::test]
async fn a_tampered_entry_is_named(#[case] change: &str, #[case] expected: &[&str]) {
    assert_eq!(found(change).await, [expected, expected], "{change}");
}

#[tokio::test]
async fn a_checkpoint_that_nobody_left_is_named() {
    let forged = "INSERT INTO audit_checkpoints (seq, hash, removed_at)
        SELECT seq, hash, at FROM audit_logs WHERE seq = 4; DELETE FROM audit_logs WHERE seq <= 4";
    let expected = ["the checkpoint at entry 4 was put in or changed: no audit_trimmed entry tells of it"];
    assert_eq!(found(forged).await, [expected, expected]);
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_found_by_a_head_that_was_kept() {
    for engine in ENGINES {
        let (deployment, api) = sealed(engine).await;
        let head = verify(&api.app).await.head;
        assert_eq!(audit::verify(&api.app.db, Some(&head)).await.unwrap().faults, []);
        assert_eq!(deployment.change("DELETE FROM audit_logs WHERE seq > 8").await, 3);
        assert_eq!(verify(&api.app).await.faults, [], "nobody can tell without it");
        let found = audit::verify(&api.app.db, Some(&head)).await.unwrap();
        assert_eq!(found.faults, [Fault::Shortened(head.clone(), 8)]);
        // The chain grows again over the place.
        for _ in 0..3 {
            api.log_in("kim@example.com").await;
        }
        deployment.is_sealed().await;
        let found = audit::verify(&api.app.db, Some(&head)).await.unwrap();
        assert_eq!((found.head.seq, found.faults), (11, vec![Fault::Rewritten(head)]));
    }
}

#[tokio::test]
async fn every_place_that_was_kept_can_be_compared() {
    let (deployment, api) = sealed(Engine::Sqlite).await;
    let hashes: Vec<Vec<u8>> = deployment.column("SELECT hash FROM audit_logs ORDER BY seq").await;
    for (seq, hash) in (1..).zip(&hashes) {
        let kept = Link { seq, hash: hash.clone() };
        assert_eq!(audit::verify(&api.app.db, Some(&kept)).await.unwrap().faults, []);
        let other = Link { seq, hash: hashes[0].iter().map(|byte| byte ^ 1).collect() };
        assert_eq!(audit::verify(&api.app.db, Some(&other)).await.unwrap().faults, [Fault::Rewritten(other)]);
    }
}
