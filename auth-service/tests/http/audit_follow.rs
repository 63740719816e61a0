//! GET /api/v1/audit-logs about one person, and behind an entry for who follows the log.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};

use crate::{
    support::{Answer, Engine, Instance},
    team::{Team, USER},
};

const LOGS: &str = "/api/v1/audit-logs";

fn items(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

fn events(answer: &Answer) -> Vec<String> {
    items(answer).iter().map(|item| item["event"].as_str().unwrap().to_owned()).collect()
}

/// The last sealed entry.
async fn last_sealed(team: &Team) -> String {
    team.deployment.is_sealed().await;
    let ids: Vec<uuid::Uuid> = team.deployment.column("SELECT id FROM audit_logs ORDER BY seq DESC LIMIT 1").await;
    ids[0].to_string()
}

async fn behind(reader: &Instance, after: &str, more: &str) -> Answer {
    reader.get(&format!("{LOGS}?after={after}{more}")).await
}

#[rstest]
#[tokio::test]
async fn what_somebody_did_and_what_was_done_to_them_is_one_list(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let path = team.user_path();
    for _ in 0..3 {
        team.deployment.clock.advance(Duration::from_secs(60));
        assert_eq!(team.admin.get(&path).await.status, 200);
        team.deployment.clock.advance(Duration::from_secs(1));
        let me = team.api.bearing(&team.user.access);
        assert_eq!(me.patch("/api/v1/users/me", json!({"display_name": "Kim"})).await.status, 200);
    }
    let about = format!("about={}", team.user_id);
    let whole = team.admin.get(&format!("{LOGS}?{about}&limit=100")).await;
    let seen = ["user_updated", "user_viewed"].repeat(3);
    let all = events(&whole);
    assert_eq!(all[..6], seen);
    assert_eq!(all.len(), 8, "and a login and a registration, each once: {all:?}");
    assert_eq!(whole.body["total"], 8);

    let (mut paged, mut query) = (Vec::new(), format!("{about}&limit=3"));
    loop {
        let page = team.admin.get(&format!("{LOGS}?{query}")).await;
        paged.extend(items(&page));
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        query = format!("{about}&limit=3&cursor={cursor}");
    }
    assert_eq!(
        paged.iter().map(|item| &item["id"]).collect::<Vec<_>>(),
        items(&whole).iter().map(|item| &item["id"]).collect::<Vec<_>>()
    );
    let filtered = async |more: &str| events(&team.admin.get(&format!("{LOGS}?{about}&{more}")).await);
    assert_eq!(filtered("event=user_viewed").await, ["user_viewed"; 3]);
    assert_eq!(filtered(&format!("actor={}", team.admin.own_id().await)).await, ["user_viewed"; 3]);
    assert_eq!(filtered(&format!("actor={}&event=user_updated", team.user_id)).await, ["user_updated"; 3]);
    assert_eq!(filtered("outcome=refused").await, [""; 0]);
    let copy = team.admin.get(&format!("{LOGS}/export?format=ndjson&{about}")).await;
    assert_eq!(copy.body.as_str().unwrap().lines().count(), 8);
}

#[rstest]
#[tokio::test]
async fn who_follows_the_log_sees_each_new_entry_once_and_in_order(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let team = Team::new(engine).await;
    let mut after = last_sealed(&team).await;
    let nothing = behind(&team.admin, &after, "").await;
    assert_eq!((items(&nothing), nothing.text("next_cursor")), (vec![], after.clone()));
    let mut seen = Vec::new();
    for round in 0..3 {
        for _ in 0..round {
            team.api.log_in(USER).await;
        }
        team.deployment.is_sealed().await;
        loop {
            let page = behind(&team.admin, &after, "&limit=2").await;
            team.deployment.is_sealed().await;
            after = page.text("next_cursor");
            if items(&page).is_empty() {
                break;
            }
            seen.extend(items(&page));
        }
    }
    let places: Vec<i64> = seen.iter().map(|item| item["seq"].as_i64().unwrap()).collect();
    let first = places[0];
    assert_eq!(places, (first..).take(places.len()).collect::<Vec<_>>(), "without gap or repetition");
    let logins = seen.iter().filter(|item| item["event"] == "logged_in").count();
    let looks = seen.iter().filter(|item| item["event"] == "audit_read").count();
    assert_eq!((logins, looks), (3, seen.len() - 3), "each look that showed something is recorded: {seen:?}");
    assert_eq!(
        team.deployment.number("SELECT COUNT(*) FROM audit_logs WHERE seq IS NULL").await,
        0,
        "and then it is still"
    );
}

#[rstest]
#[tokio::test]
async fn what_commits_late_is_not_passed_over(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let after = last_sealed(&team).await;
    team.deployment.clock.advance(Duration::from_secs(60));
    team.api.log_in(USER).await;
    // Their time lies long before that of the login.
    team.deployment.write_entries(2).await;
    team.deployment.is_sealed().await;
    assert_eq!(events(&behind(&team.admin, &after, "").await), ["logged_in"; 3]);
}

#[rstest]
#[tokio::test]
async fn who_follows_the_log_may_filter_it(#[values(Engine::Sqlite, Engine::Postgres)] engine: Engine) {
    let team = Team::new(engine).await;
    let after = last_sealed(&team).await;
    // Of one instant the order is anybody's.
    let tick = || team.deployment.clock.advance(Duration::from_secs(60));
    tick();
    assert_eq!(team.admin.get(&team.user_path()).await.status, 200);
    tick();
    assert_eq!(team.api.login(USER, "wrong").await.status, 401);
    tick();
    team.api.log_in(USER).await;
    tick();
    assert_eq!(team.admin.get("/api/v1/users").await.status, 200);
    team.deployment.is_sealed().await;
    let (admin, user) = (team.admin.own_id().await, &team.user_id);
    for (filter, expected) in [
        (format!("&about={user}"), &["user_viewed", "login_failed", "logged_in"][..]),
        (format!("&actor={user}"), &["logged_in"]),
        (format!("&target={user}&actor={admin}"), &["user_viewed"]),
        ("&event=logged_in".to_owned(), &["logged_in"]),
        ("&outcome=refused".to_owned(), &["login_failed"]),
        ("&ip_address=203.0.113.7".to_owned(), &[]),
        ("&request_id=nothing".to_owned(), &[]),
        ("&to=2026-01-01T00:01:00Z".to_owned(), &[]),
        ("&from=2026-01-01T00:04:00Z&event=users_listed".to_owned(), &["users_listed"]),
    ] {
        let page = behind(&team.admin, &after, &filter).await;
        assert_eq!(events(&page), expected, "{filter}");
        if filter.contains("request_id") {
            assert_ne!(page.text("next_cursor"), after, "what was looked at is not looked at again");
        }
    }
}

#[tokio::test]
async fn an_entry_without_a_place_has_nothing_behind_it_yet() {
    let team = Team::new(Engine::Postgres).await;
    team.deployment.is_sealed().await;
    // Nobody seals while another does.
    let mut sealer = PgConnection::connect(team.deployment.get("DB_PRIMARY_DB_URL")).await.unwrap();
    sealer.execute("SELECT pg_advisory_lock(7209101)").await.unwrap();
    team.deployment.clock.advance(Duration::from_secs(1));
    team.api.log_in(USER).await;
    team.deployment.clock.advance(Duration::from_secs(1));
    let newest = items(&team.admin.get(&format!("{LOGS}?event=logged_in&limit=1")).await).remove(0);
    let (after, seq) = (newest["id"].as_str().unwrap(), &newest["seq"]);
    let page = behind(&team.admin, after, "").await;
    assert_eq!((seq, items(&page), page.text("next_cursor")), (&Value::Null, vec![], after.to_owned()));
    sealer.close().await.unwrap();
    team.deployment.is_sealed().await;
    assert_eq!(events(&behind(&team.admin, after, "").await), ["audit_read"], "the look at the list");
}

#[tokio::test]
async fn what_is_no_place_to_go_on_from_is_refused() {
    let team = Team::new(Engine::Sqlite).await;
    let nobody = "01900000-0000-7000-8000-000000000000";
    for (query, fault) in [
        ("after=1".to_owned(), ("after", "invalid_id")),
        (format!("after={nobody}"), ("after", "unknown_entry")),
        (format!("after={nobody}&cursor=x"), ("after", "conflict")),
        (format!("after={nobody}&limit=0"), ("limit", "out_of_range")),
        ("about=me".to_owned(), ("about", "invalid_id")),
    ] {
        let answer = team.admin.get(&format!("{LOGS}?{query}")).await;
        assert_eq!(answer.status, 422, "{query}: {answer:?}");
        assert!(answer.faults().contains(&fault), "{query}: {answer:?}");
    }
}
