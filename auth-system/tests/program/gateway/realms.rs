//! Whose tokens a route takes, and for whom they must be.

use super::{ROUTES, Site};
use crate::client::Person;

/// A route for tokens of another audience, one for those of another issuer, and one for those of both.
const OTHERS: &str = r#"
[[route]]
name = "reports"
match = { path = "/reports" }
upstream = "service"
audience = "reports"

[[route]]
name = "partner"
match = { path = "/partner" }
upstream = "service"
issuer = "https://partner.example"

[[route]]
name = "partner reports"
match = { path = "/partner/reports" }
upstream = "service"
issuer = "https://partner.example"
audience = "reports"
"#;
const PATHS: [&str; 4] = ["/private/x", "/reports/x", "/partner/x", "/partner/reports/x"];

async fn statuses(site: &Site, person: &Person) -> [u16; 4] {
    let client = site.front().bearing(&person.access);
    let mut statuses = [0; 4];
    for (status, path) in statuses.iter_mut().zip(PATHS) {
        *status = client.get(path).await.status;
    }
    statuses
}

#[tokio::test]
async fn a_route_takes_tokens_of_its_issuer_for_its_audience_and_no_others() {
    let site = Site::with(&format!("{ROUTES}{OTHERS}")).await;
    let (issuer, audience) = (("JWT_ISSUER", "https://partner.example"), ("JWT_AUDIENCE", "reports"));
    let (reports, _) = site.another_api(&[audience]).await;
    let (partner, _) = site.another_api(&[issuer]).await;
    let (both, _) = site.another_api(&[issuer, audience]).await;
    let ours = site.api().person("kim@example.com").await;
    assert_eq!(statuses(&site, &ours).await, [200, 401, 401, 401]);
    let of_reports = reports.client.log_in("kim@example.com").await;
    assert_eq!(statuses(&site, &of_reports).await, [401, 200, 401, 401]);
    let of_partner = partner.client.log_in("kim@example.com").await;
    assert_eq!(statuses(&site, &of_partner).await, [401, 401, 200, 401]);
    let of_both = both.client.log_in("kim@example.com").await;
    assert_eq!(statuses(&site, &of_both).await, [401, 401, 401, 200]);
    // Revocations are heard for all of them alike.
    assert_eq!(both.client.logout(&of_both.access).await.status, 204);
    site.gateway.program.until("it is refused", async || statuses(&site, &of_both).await == [401; 4]).await;
    assert_eq!(statuses(&site, &of_reports).await, [401, 200, 401, 401], "another session");
}

#[tokio::test]
async fn a_reload_moves_a_route_to_another_audience() {
    let site = Site::with(ROUTES).await;
    let person = site.api().person("kim@example.com").await;
    assert_eq!(site.front().bearing(&person.access).get("/private/x").await.status, 200);
    let file = std::fs::read_to_string(site.gateway.file()).unwrap();
    let moved = file.replace("name = \"private\"", "name = \"private\"\naudience = \"reports\"");
    std::fs::write(site.gateway.file(), moved).unwrap();
    site.gateway.program.signal("HUP");
    site.gateway.program.until_logged("the routes are read anew").await;
    assert_eq!(site.front().bearing(&person.access).get("/private/x").await.status, 401);
    assert_eq!(site.front().bearing(&person.access).get("/careful/x").await.status, 200);
}
