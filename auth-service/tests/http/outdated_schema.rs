//! An instance that may not migrate, on a schema that is behind.

use std::time::Duration;

use auth_service::db::{
    Db,
    migrate::{self, SCRIPTS},
};
use rstest::rstest;
use test_peers::{Log, Postgres};

use crate::{
    support::{Deployment, Engine},
    waiting::until,
};

#[rstest]
#[tokio::test]
async fn an_outdated_schema_is_served_but_not_ready_until_somebody_migrates(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let log = Log::collect();
    let deployment = Deployment::new(engine).set("AUTO_MIGRATE", "false");
    let deployment = match engine {
        Engine::Sqlite => deployment,
        Engine::Postgres => {
            let empty = Postgres::shared().unwrap().create_database().unwrap();
            deployment.set("DB_PRIMARY_DB_URL", &empty)
        }
    };
    let operator = Db::open(&deployment.config().db, None).unwrap();
    migrate::apply(&operator, &SCRIPTS[..1]).await.unwrap();

    let api = deployment.start().await;
    assert_eq!(api.get("/api/v1/health").await.status, 200);
    assert_eq!(api.get("/api/v1/health/ready").await.status, 503);
    let person = api.person("kim@example.com").await;
    assert_eq!(api.me(&person.access).await.status, 200);
    assert_eq!(log.lines_with(&["not ready", "auth-system migrate", "001"]).len(), 1);

    migrate::apply(&operator, SCRIPTS).await.unwrap();
    let ready = async || api.get("/api/v1/health/ready").await.status == 200;
    until("ready", Duration::from_secs(5), ready).await;
}
