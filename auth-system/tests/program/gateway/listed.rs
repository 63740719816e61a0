//! The Auth API knows its gateways by their reports.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Gateway, ROUTES, Site, identity::administrator};
use crate::support::Engine;

const LIST: &str = "/api/v1/system/instances";

#[rstest]
#[tokio::test]
async fn a_gateway_is_listed_with_its_routes_its_feed_and_its_leave(
    #[values(Engine::Sqlite, Engine::Postgres)] engine: Engine,
) {
    let site = Site::on(engine, ROUTES).await;
    let admin = administrator(&site).await;
    let of = async |role: &str| {
        let listed = admin.get(LIST).await;
        assert_eq!(listed.status, 200, "{listed:?}");
        let items = listed.body["items"].as_array().unwrap().iter();
        items.filter(|item| item["role"] == role).cloned().collect::<Vec<Value>>()
    };
    let is_whole =
        async || of("gateway").await.first().is_some_and(|one| one["gateway"]["freshness"]["state"] == "current");
    site.gateway.program.until("the gateway is listed", is_whole).await;
    let gateway = of("gateway").await[0].clone();
    assert_eq!(gateway["address"], format!("127.0.0.1:{}", site.gateway.port));
    assert_eq!((&gateway["late"], &gateway["left_at"]), (&json!(false), &Value::Null));
    let routes = gateway["gateway"]["routes"].as_array().unwrap();
    let orders = routes.iter().find(|route| route["name"] == "orders").unwrap();
    assert_eq!((&orders["permissions"], &orders["methods"]), (&json!(["orders:read"]), &json!(["GET"])));
    let upstreams = gateway["gateway"]["upstreams"].as_array().unwrap();
    let service = upstreams.iter().find(|upstream| upstream["name"] == "service").unwrap();
    assert_eq!(service["servers"][0]["healthy"], true);
    let is_fed = async || of("api").await[0]["api"]["feeds"][0]["gateway_id"] == gateway["id"];
    site.api.until("its feed is listed", is_fed).await;
    let Site { api, gateway: Gateway { program, .. }, .. } = site;
    program.stop().await;
    assert!(of("gateway").await[0]["left_at"].is_string());
    drop(api);
}
