//! `auth-system up` and `auth-system service`: starts servers and keeps them until told to stop.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use api_gateway::{HealthDetails, Listeners, Neighbours};
use auth_admin::Neighbour;
use auth_service::{App, console::setup, ids::Entropy};
use service_kit::config::{Environment, Secret};
use service_kit::proxies::OwnConnections;
use service_kit::serve::ServeLimits;
use service_kit::telemetry::MetricLog;
use service_kit::{clock::Clock, metrics, serve, shutdown::Shutdown};
use tokio::net::TcpListener;
use url::Url;

use super::serving::{bind, in_runtime, outlive_hangups, start_telemetry};
use crate::settings::Settings;

/// Which servers a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Servers {
    /// Every one.
    All,
    /// The Auth API alone.
    Service,
}

/// What stands before the Auth API in a process that runs all servers.
struct Fronts {
    gateway: TcpListener,
    console: TcpListener,
}

/// Serves until SIGTERM or Ctrl-C, then finishes what is in flight.
///
/// # Errors
/// When the configuration cannot be used, or a port is taken.
pub fn run(servers: Servers) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let mut settings = Settings::load()?;
    let telemetry = start_telemetry(&settings.telemetry, &settings.warnings)?;
    settings.service.make_development_secrets()?;
    let metric_log = telemetry.metric_log();
    in_runtime(telemetry, serve_all(servers, settings, began, metric_log))
}

async fn serve_all(
    servers: Servers,
    mut settings: Settings,
    began: Instant,
    metric_log: MetricLog,
) -> anyhow::Result<()> {
    let (limits, metrics_addr) = (settings.serve, settings.metrics.address);
    let shutdown = Shutdown::on_signal()?;
    outlive_hangups(match servers {
        Servers::All => settings.gateway.file.as_deref(),
        Servers::Service => None,
    })?;
    let (metrics_listener, exporter) = (bind(metrics_addr, "METRICS_ADDR").await?, metrics::install()?);
    let listener = bind(settings.service.addr, "SERVICE_ADDR").await?;
    let fronts = match servers {
        Servers::All => Some(Fronts {
            gateway: bind(settings.gateway.addr, "GATEWAY_ADDR").await?,
            console: bind(settings.admin.addr, "ADMIN_ADDR").await?,
        }),
        Servers::Service => None,
    };
    let neighbours = match &fronts {
        Some(fronts) => introduce(&mut settings, listener.local_addr()?, fronts.console.local_addr()?),
        None => Neighbours::default(),
    };
    let Settings { service, gateway, admin, .. } = settings;
    let welcome = Welcome::of(&service, fronts.as_ref(), metrics_addr);
    let (api_addr, secret) = (listener.local_addr()?, service.console_secret.clone());
    let app = App::start(service, Clock::System, shutdown.clone()).await?;
    let setup_token = find_setup_token(&app).await;
    let (front, console) = match fronts {
        Some(fronts) => {
            let gateway = api_gateway::App::start(gateway, &neighbours, Clock::System, shutdown.clone())?;
            let api = Url::parse(&format!("http://{api_addr}")).ok();
            let console = auth_admin::App::start(admin, Neighbour { api, secret }, Clock::System);
            let console = console.map_err(anyhow::Error::msg)?;
            (Some(Listeners::open(gateway, fronts.gateway).await?), Some((fronts.console, console)))
        }
        None => (None, None),
    };
    tracing::info!(addr = %api_addr, "the Auth API listens after {} ms", began.elapsed().as_millis());
    if app.config.environment == Environment::Development {
        println!("{}", welcome.with_setup(setup_token.as_deref()));
    }
    let page = metrics::router(exporter.clone());
    let page = match &front {
        Some(front) => page.route_service(HealthDetails::PATH, front.health_details()),
        None => page,
    };
    let metrics = serve::serve(metrics_listener, page, limits, shutdown.clone());
    let servers = serve_in_turn((front, console), (listener, app), limits, shutdown);
    let serving = async { tokio::join!(metrics, servers) };
    let (metrics, servers) = metric_log.beside("auth-service", exporter, serving).await;
    metrics.and(servers).context("serving")
}

/// Makes the servers of one process known to each other: they need no secret from outside for that.
fn introduce(settings: &mut Settings, api: SocketAddr, console: SocketAddr) -> Neighbours {
    let made = || Secret::new(Entropy.token().to_wire().as_str());
    let (own, own_console) = (OwnConnections::default(), OwnConnections::default());
    let service = &mut settings.service;
    let token = service.revocation.token.get_or_insert_with(made).clone();
    settings.gateway.feed.token = Some(token);
    service.console_secret.get_or_insert_with(made);
    service.proxies = std::mem::take(&mut service.proxies).with_own(own.clone());
    settings.admin.believe(own_console.clone());
    Neighbours {
        api: Some(api),
        console: Some(console),
        own_connections: Some(own),
        own_console_connections: Some(own_console),
    }
}

/// What the first administrator is made by, where there is none yet and it can be said now.
async fn find_setup_token(app: &App) -> Option<String> {
    match setup::prepare(&app.db, &app.config, app.now()).await {
        Ok(token) => token.map(|token| token.to_wire()),
        Err(cause) => {
            tracing::warn!(%cause, "whether somebody administers this installation could not be found out");
            None
        }
    }
}

/// The gateway leaves first and the console second: until its last request is answered, each needs what is behind it.
async fn serve_in_turn(
    (front, console): (Option<Listeners>, Option<(TcpListener, auth_admin::App)>),
    (listener, app): (TcpListener, App),
    limits: ServeLimits,
    shutdown: Shutdown,
) -> io::Result<()> {
    let api = auth_service::router(app);
    let (Some(front), Some((console_listener, console))) = (front, console) else {
        return serve::serve(listener, api, limits, shutdown).await;
    };
    let share = |part: f64| ServeLimits { drain_time: limits.drain_time.mul_f64(part), ..limits };
    let ((gateway_gone, behind_gateway), (console_gone, behind_console)) = (Shutdown::manual(), Shutdown::manual());
    let gateway = async {
        let outcome = front.serve(share(0.5), shutdown.clone()).await;
        // If it ended by itself, the others end with it.
        gateway_gone.request();
        outcome
    };
    let console = async {
        let pages = auth_admin::router(console);
        let outcome = serve::serve(console_listener, pages, share(0.25), behind_gateway).await;
        console_gone.request();
        outcome
    };
    let api = serve::serve(listener, api, share(0.25), behind_console);
    let (gateway, console, api) = tokio::join!(gateway, console, api);
    gateway.and(console).and(api)
}

/// What a developer is told once everything runs.
struct Welcome {
    lines: Vec<(&'static str, String)>,
    console: Option<u16>,
}

impl Welcome {
    fn of(service: &auth_service::Config, fronts: Option<&Fronts>, metrics: SocketAddr) -> Self {
        let port = |listener: &TcpListener| listener.local_addr().map_or(0, |addr| addr.port());
        let local = |port: u16, path: &str| format!("http://localhost:{port}{path}");
        let database = match &service.db.primary_url {
            Some(_) => "PostgreSQL".to_owned(),
            None => format!("SQLite, {}", service.db.data_dir.join("auth.db").display()),
        };
        let console = fronts.map(|fronts| port(&fronts.console));
        let mut lines = vec![("Auth API", local(service.addr.port(), ""))];
        lines.extend(fronts.map(|fronts| ("Gateway", local(port(&fronts.gateway), ""))));
        lines.extend(console.map(|port| ("Console", local(port, "/admin/"))));
        lines.extend([
            ("Documentation", local(service.addr.port(), "/docs")),
            ("Metrics", format!("http://{metrics}/metrics")),
            ("Database", database),
            ("Signing key", service.keys.source.to_string()),
        ]);
        Self { lines, console }
    }

    /// With the way to the first administrator, where there is none yet.
    fn with_setup(mut self, token: Option<&str>) -> String {
        let setup = self.console.zip(token).map(|(port, token)| {
            format!("\n  Nobody administers this installation yet. Make the first administrator, once, at\n\n    http://localhost:{port}/admin/setup?token={token}\n")
        });
        let lines = self.lines.drain(..).map(|(name, value)| format!("    {name:<15}{value}\n")).collect::<String>();
        let version = env!("CARGO_PKG_VERSION");
        format!("\n  auth-system {version} is ready\n\n{lines}{}\n  Press Ctrl-C to stop.\n", setup.unwrap_or_default())
    }
}
