//! What a gateway reports of itself, read and bounded.

use std::net::{IpAddr, SocketAddr};

use auth_sdk::GatewayState;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{GATEWAY, store::InstanceRow};
use crate::{
    db::Ts,
    fields::{Fault, Fields, parse_time},
};

/// The longest version and address, in characters.
const MAX_VERSION: usize = 50;
const MAX_ADDRESS: usize = 255;
/// The most that are listed of anything.
const MAX_ITEMS: usize = 1_000;

/// A report.
pub struct Report {
    id: Uuid,
    version: String,
    started_at: Ts,
    address: String,
    is_leaving: bool,
    state: GatewayState,
}

impl Report {
    /// Takes the members of a report that came from this address.
    pub fn read(fields: &mut Fields, from: IpAddr) -> Option<Self> {
        let id = fields.required("id", parse_id);
        let version = fields.required("version", |text| plain(text, MAX_VERSION));
        let started_at = fields.required("started_at", parse_time);
        let address = fields.required("address", |text| plain(text, MAX_ADDRESS));
        let is_leaving = fields.flag("leaving", false);
        let freshness = typed(fields, "freshness");
        let routes = list(fields, "routes");
        let routes_refused = fields.optional("routes_refused", |text| Ok(text.to_owned()));
        let upstreams = list(fields, "upstreams");
        let certificates = if fields.has("certificates") { list(fields, "certificates") } else { Some(Vec::new()) };
        let state = GatewayState {
            ip_address: from.to_string(),
            freshness: freshness?,
            routes: routes?,
            routes_refused: routes_refused?,
            upstreams: upstreams?,
            certificates: certificates?,
        };
        let (version, address) = (version?, reachable(address?, from));
        Some(Self { id: id?, version, started_at: started_at?, address, is_leaving: is_leaving?, state })
    }

    /// As it is kept.
    pub fn into_row(self, now: Ts) -> InstanceRow {
        InstanceRow {
            id: self.id,
            role: GATEWAY.to_owned(),
            address: self.address,
            version: self.version,
            started_at: self.started_at,
            seen_at: now,
            left_at: self.is_leaving.then_some(now),
            // Texts, numbers and flags always serialise.
            state: serde_json::to_string(&self.state).unwrap_or_default(),
        }
    }
}

/// Where a gateway that listens everywhere is found: where it comes from.
fn reachable(address: String, from: IpAddr) -> String {
    match address.parse::<SocketAddr>() {
        Ok(listens_on) if listens_on.ip().is_unspecified() => SocketAddr::new(from, listens_on.port()).to_string(),
        Ok(_) | Err(_) => address,
    }
}

fn parse_id(text: &str) -> Result<Uuid, Fault> {
    text.parse().map_err(|_| invalid())
}

fn plain(text: &str, longest: usize) -> Result<String, Fault> {
    let fits = (1..=longest).contains(&text.chars().count()) && !text.contains(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(invalid()) }
}

fn list<T: DeserializeOwned>(fields: &mut Fields, name: &str) -> Option<Vec<T>> {
    let items: Vec<T> = typed(fields, name)?;
    if items.len() > MAX_ITEMS {
        return fields.refuse(name, Fault::new("too_many", "At most 1000 items.", "1000개를 넘을 수 없습니다."));
    }
    Some(items)
}

fn typed<T: DeserializeOwned>(fields: &mut Fields, name: &str) -> Option<T> {
    let value = fields.value(name)?;
    serde_json::from_value(value).map_err(|_| fields.refuse::<()>(name, invalid())).ok()
}

fn invalid() -> Fault {
    Fault::new("invalid", "This cannot be understood.", "이해할 수 없는 값입니다.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_listens_everywhere_is_found_where_it_comes_from() {
        let from: IpAddr = "10.0.0.7".parse().unwrap();
        for (said, expected) in [
            ("0.0.0.0:8080", "10.0.0.7:8080"),
            ("[::]:8080", "10.0.0.7:8080"),
            ("192.0.2.1:8080", "192.0.2.1:8080"),
            ("edge-1:8080", "edge-1:8080"),
        ] {
            assert_eq!(reachable(said.to_owned(), from), expected);
        }
    }
}
