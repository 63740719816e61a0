//! SIGHUP, which ends a program that does not expect it.

use rstest::rstest;
use test_peers::free_port;

use super::{FEED_TOKEN, ROUTES, upstream::Upstream};
use crate::{
    program::Program,
    support::{Engine, Workplace},
};

const NOTHING: &str = "SIGHUP: nothing to reload";

/// Any role of the program, with no file of routes.
fn place() -> Workplace {
    let metrics = format!("127.0.0.1:{}", free_port().unwrap());
    Workplace::on(Engine::Sqlite).set("GATEWAY_FEED_TOKEN", FEED_TOKEN).set("GATEWAY_METRICS_ADDR", &metrics)
}

async fn hang_up(program: &Program, times: usize) {
    for done in 0..times {
        let told = async || program.out().matches(NOTHING).count();
        assert_eq!(told().await, done);
        program.signal("HUP");
        program.until("it is told", async || told().await == done + 1).await;
    }
}

#[rstest]
#[case::all(&[], "the Auth API listens")]
#[case::service(&["service"], "the Auth API listens")]
#[case::gateway(&["gateway"], "the gateway listens")]
#[tokio::test]
async fn a_hangup_ends_no_server_and_is_told_once(#[case] command: &[&str], #[case] started: &str) {
    let program = place().spawn(command);
    program.until_logged(started).await;
    hang_up(&program, 2).await;
    program.stop().await;
}

/// The Auth API reads no file of routes, whatever its environment says.
#[tokio::test]
async fn the_file_of_a_gateway_that_runs_elsewhere_is_not_reloaded() {
    let program = place().set("GATEWAY_CONFIG", "gateway.toml").spawn(&["service"]);
    program.until_ready().await;
    hang_up(&program, 1).await;
    program.stop().await;
}

#[rstest]
#[case::all(&[], "the Auth API listens")]
#[case::gateway(&["gateway"], "the gateway listens")]
#[tokio::test]
async fn a_hangup_with_a_file_reloads_it_and_says_nothing_else(#[case] command: &[&str], #[case] started: &str) {
    let upstream = Upstream::start().await;
    let place = place().set("GATEWAY_CONFIG", "gateway.toml");
    std::fs::write(place.path("gateway.toml"), ROUTES.replace("UPSTREAM", &upstream.url())).unwrap();
    let program = place.spawn(command);
    program.until_logged(started).await;
    program.signal("HUP");
    program.until_logged("the routes are read anew").await;
    assert!(!program.out().contains(NOTHING), "{}", program.out());
    program.stop().await;
}
