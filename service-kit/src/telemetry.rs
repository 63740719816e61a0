//! Logs, traces and error reports; none of them can stop or slow the service down.

mod cloudwatch;
mod export;
mod line;
mod writer;

use std::fmt;
use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Env, Environment, Secret};
pub use cloudwatch::MetricLog;
use export::{Sentry, Traces};
pub use export::{inject_trace, server_span};
use line::LineLayer;
use writer::LogWriter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
    /// Pretty in a terminal, JSON otherwise.
    Auto,
}

/// Where the program reports what it does.
pub struct TelemetryConfig {
    /// `LOG_FORMAT`.
    pub format: LogFormat,
    /// `LOG_LEVEL`: levels by target.
    pub levels: Targets,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, without `/v1/traces`.
    pub otlp_endpoint: Option<url::Url>,
    /// `SENTRY_DSN`.
    pub sentry_dsn: Option<Secret>,
    /// `CLOUDWATCH_METRICS`.
    pub cloudwatch_metrics: bool,
    /// `ENV`, as reports name it.
    pub environment: Environment,
}

/// What must live as long as the program: dropping it sends and writes what is still waiting.
pub struct Telemetry {
    // Dropped in this order: exporters may still log.
    _traces: Option<Traces>,
    _sentry: Option<Sentry>,
    log: LogWriter,
    writes_metrics: bool,
}

/// Why reporting cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `SENTRY_DSN` is none.
    #[error("SENTRY_DSN: write the address that Sentry shows for the project")]
    SentryDsn,
    /// The OTLP exporter cannot be built.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT: {0}")]
    Otlp(#[from] opentelemetry_otlp::ExporterBuildError),
    /// A thread cannot be started.
    #[error("telemetry cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// Something else receives the process's events already.
    #[error("telemetry is started already: {0}")]
    Started(#[from] TryInitError),
}

impl TelemetryConfig {
    /// Reads `LOG_FORMAT`, `LOG_LEVEL`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `SENTRY_DSN` and `CLOUDWATCH_METRICS`.
    pub fn read(env: &mut Env) -> Self {
        let format = "`json`, `pretty`, or `auto`: pretty in a terminal.";
        let levels = "Level of the log, also by target: `info,auth_service=debug`.";
        let metrics = "Whether metrics are written to the log, a line a minute, as CloudWatch reads them (Embedded Metric Format).";
        let otlp = "OpenTelemetry collector that receives traces over HTTP, such as http://collector:4318.";
        Self {
            format: env.parse("LOG_FORMAT", "auto", format),
            levels: env.parse("LOG_LEVEL", "info", levels),
            otlp_endpoint: env.optional("OTEL_EXPORTER_OTLP_ENDPOINT", otlp),
            sentry_dsn: env.secret("SENTRY_DSN", "Sentry project that receives errors and panics."),
            cloudwatch_metrics: env.parse("CLOUDWATCH_METRICS", "false", metrics),
            environment: env.environment(),
        }
    }
}

/// Starts reporting for the whole process.
///
/// # Errors
/// When a destination is misconfigured, or reporting was started before.
pub fn start(
    config: &TelemetryConfig,
    service: &'static str,
    version: &'static str,
) -> Result<Telemetry, TelemetryError> {
    let (writer, lines) = LogWriter::start(std::io::stdout())?;
    let pretty = match config.format {
        LogFormat::Json => false,
        LogFormat::Pretty => true,
        LogFormat::Auto => std::io::stdout().is_terminal(),
    };
    let traces = config.otlp_endpoint.as_ref().map(|endpoint| Traces::start(endpoint, service)).transpose()?;
    let sentry = config.sentry_dsn.as_ref();
    let sentry = sentry.map(|dsn| Sentry::start(dsn, config.environment, version)).transpose()?;
    // Spans cost only where they are exported: for the log alone they are never made. A layer that is not wanted is not
    // added, for an absent one (`None`) would be taken to want every span.
    let events = config.levels.clone().and(filter_fn(|metadata| metadata.is_event()));
    let mut layers = vec![LineLayer::new(lines, pretty).with_filter(events).boxed()];
    layers.extend(traces.as_ref().map(|traces| traces.layer().with_filter(config.levels.clone()).boxed()));
    layers.extend(sentry.as_ref().map(|_| export::sentry_layer().boxed()));
    tracing_subscriber::registry().with(layers).try_init()?;
    Ok(Telemetry { _traces: traces, _sentry: sentry, log: writer, writes_metrics: config.cloudwatch_metrics })
}

impl Telemetry {
    /// What writes metrics to the log, where that is wanted.
    pub fn metric_log(&self) -> MetricLog {
        MetricLog::new(self.writes_metrics.then(|| self.log.lines()))
    }
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            "auto" => Ok(Self::Auto),
            _ => Err("write `json`, `pretty` or `auto`"),
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telemetry")
    }
}
