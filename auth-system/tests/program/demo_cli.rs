//! The command that fills a database with a demonstration.

use serde_json::json;

use crate::support::{Engine, Workplace};

#[tokio::test]
async fn a_demonstration_says_what_it_did_and_lets_its_administrator_in() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let place = Workplace::on(engine);
        let filled = place.run(&["demo", "--users", "120"]);
        assert_eq!(filled.code, Some(0), "{filled:?}");
        let counts = |table: &str| filled.out.lines().any(|line| line.ends_with(&format!("  {table}")));
        assert!(["users", "sessions", "login_histories", "audit_logs"].into_iter().all(counts), "{filled:?}");
        assert!(filled.out.contains(" rows in "), "{filled:?}");
        let password = filled.out.lines().map(str::trim).find(|line| line.len() == 23 && !line.contains(' ')).unwrap();
        let again = place.run(&["demo", "--users", "10", "--seed", "2"]);
        assert_eq!((again.code, again.out.contains("was there already")), (Some(0), true), "{again:?}");
        let program = place.start().await;
        let body = json!({"email": "admin@demo.example.com", "password": password});
        assert_eq!(program.client.post("/api/v1/auth/login", body).await.status, 200);
    }
}

#[test]
fn real_people_are_left_alone_and_no_size_but_a_sensible_one_is_taken() {
    let place = Workplace::on(Engine::Sqlite);
    assert_eq!(place.run(&["users", "create-admin", "--email", "root@auth-system.dev"]).code, Some(0));
    let refused = place.run(&["demo"]);
    assert_eq!((refused.code, refused.err.contains("--append")), (Some(1), true), "{refused:?}");
    assert_eq!(place.run(&["users", "list"]).out.lines().count(), 1);
    let beside = place.run(&["demo", "--users", "20", "--append"]);
    assert_eq!(beside.code, Some(0), "{beside:?}");
    for wrong in [&["demo", "--users", "0"][..], &["demo", "--users", "2000001"], &["demo", "--seed", "x"]] {
        assert_eq!(place.run(wrong).code, Some(64), "{wrong:?}");
    }
}
