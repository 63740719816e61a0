//! Who takes part: instances of the Auth API, and gateways.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::SystemStatus;

/// An instance of the Auth API or a gateway, as it last said of itself.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Instance {
    /// Chosen at its start, so another one after every start.
    pub id: Uuid,
    /// `api` or `gateway`.
    #[schema(example = "gateway")]
    pub role: String,
    /// Where it listens.
    #[schema(example = "10.0.0.7:8080")]
    pub address: String,
    /// Its version.
    #[schema(example = "1.0.0")]
    pub version: String,
    /// When it was started.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it was last heard of; each reports every ten seconds.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
    /// When it took its leave; `null` while it has not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub left_at: Option<Timestamp>,
    /// Whether it was not heard of for more than thirty seconds, without having taken its leave.
    pub late: bool,
    /// How it fares, if it is an instance of the API whose report is understood.
    pub api: Option<ApiState>,
    /// How it fares, if it is a gateway whose report is understood.
    pub gateway: Option<GatewayState>,
}

/// What an instance of the API says of itself.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ApiState {
    /// How it fares.
    pub status: SystemStatus,
    /// The gateways that it feeds with revocations.
    pub feeds: Vec<FeedConnection>,
}

/// A gateway that is fed with revocations.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FeedConnection {
    /// Where it comes from.
    pub ip_address: String,
    /// Which gateway it is by its own word.
    pub gateway_id: Option<Uuid>,
    /// Since when it is connected.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it was last sent an event; heartbeats are events.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_event_at: Option<Timestamp>,
}

/// What a gateway says of itself.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct GatewayState {
    /// Where its report came from.
    pub ip_address: String,
    /// What it knows of the revocations.
    pub freshness: GatewayFreshness,
    /// The routes in force, its own first.
    pub routes: Vec<GatewayRoute>,
    /// Why its file of routes was refused, and an older one is in force; `null` when it was not.
    pub routes_refused: Option<String>,
    /// The servers behind it.
    pub upstreams: Vec<GatewayUpstream>,
    /// The certificates that it serves by.
    pub certificates: Vec<GatewayCertificate>,
}

/// How fresh what a gateway knows of the revocations is.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct GatewayFreshness {
    /// Whether it is trusted.
    pub state: FreshnessState,
    /// How old it is, in milliseconds; `null` when nothing is known.
    #[serde(default)]
    pub age_ms: Option<u64>,
}

/// Whether what a gateway knows of the revocations is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FreshnessState {
    /// Nothing was heard yet.
    Unknown,
    /// It is.
    Current,
    /// It is too old.
    Stale,
}

/// A route of a gateway.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct GatewayRoute {
    /// Its name.
    pub name: String,
    /// The host that it serves; any without one.
    #[serde(default)]
    pub host: Option<String>,
    /// The beginning of the paths that it serves, or all of the one.
    pub path: String,
    /// Whether the path must be exactly this.
    #[serde(default)]
    pub exact: bool,
    /// The methods that it takes; any when empty.
    pub methods: Vec<String>,
    /// Where it leads.
    pub upstream: String,
    /// `required`, `optional` or `none`.
    pub auth: String,
    /// All of these are asked for.
    pub permissions: Vec<String>,
    /// One of these is asked for, unless there are none.
    #[serde(default)]
    pub any_permission: Vec<String>,
    /// `allow` or `deny`: what it does while the revocations are stale.
    pub stale: String,
}

/// What a route leads to.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct GatewayUpstream {
    /// Its name.
    pub name: String,
    /// Its servers, one for each address.
    pub servers: Vec<GatewayServer>,
}

/// A server behind a gateway.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct GatewayServer {
    /// Host and port, and the address that the host stands for.
    pub address: String,
    /// By active checks.
    pub healthy: bool,
    /// By its answers to real requests.
    pub ejected: bool,
    /// Requests in progress.
    pub in_progress: u64,
}

/// A certificate of a gateway.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct GatewayCertificate {
    /// The name that it is for.
    pub name: String,
    /// When it expires.
    #[schema(value_type = String, format = DateTime)]
    pub valid_until: Timestamp,
}
