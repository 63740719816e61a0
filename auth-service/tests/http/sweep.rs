//! What time has made useless is deleted, a little at a time.

use std::time::Duration;

use rstest::rstest;

use crate::{
    support::{Deployment, Engine},
    waiting::until,
};

const DAY: Duration = Duration::from_secs(86_400);
const IN_TIME: Duration = Duration::from_secs(5);

#[rstest]
#[tokio::test]
async fn expired_refresh_tokens_are_swept_and_live_ones_stay(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let deployment = Deployment::new(engine);
    let api = deployment.start().await;
    let (kim, lee) = (api.person("kim@example.com").await, api.person("lee@example.com").await);
    assert_eq!(api.refresh(&kim.refresh).await.status, 200);
    deployment.clock.advance(DAY * 6);
    let lee = api.refresh(&lee.refresh).await.text("refresh_token");
    deployment.clock.advance(DAY * 2);
    // It sweeps at its start.
    let api = deployment.start().await;
    let left = async || deployment.number("SELECT COUNT(*) FROM refresh_tokens").await;
    until("only the live token is left", IN_TIME, async || left().await == 1).await;
    assert_eq!(api.refresh(&lee).await.status, 200);
}
