//! Traces to an OpenTelemetry collector, errors to Sentry: only when configured.

use std::thread;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use sentry::integrations::tracing::ErrorLayer;
use tracing::{Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::TelemetryError;
use crate::config::{Environment, Secret};
use crate::request_id::RequestId;

/// The exporter of traces; dropping it sends what is waiting.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    pub(super) fn start(endpoint: &url::Url, service: &'static str) -> Result<Self, TelemetryError> {
        let endpoint = format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'));
        let exporter = outside_async(|| SpanExporter::builder().with_http().with_endpoint(endpoint).build())??;
        let resource = Resource::builder().with_service_name(service).build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource);
        Ok(Self(provider.build()))
    }

    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer("auth-system"))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // Nobody is left to be told of a failure.
        let _ = outside_async(|| self.0.shutdown());
    }
}

/// The connection to Sentry; dropping it sends what is waiting, for two seconds at most.
pub(super) struct Sentry(#[allow(dead_code, reason = "held for its drop")] sentry::ClientInitGuard);

impl Sentry {
    pub(super) fn start(dsn: &Secret, environment: Environment, version: &'static str) -> Result<Self, TelemetryError> {
        let mut options = sentry::ClientOptions::new();
        options.dsn = Some(dsn.expose().parse().map_err(|_| TelemetryError::SentryDsn)?);
        options.release = Some(version.into());
        options.environment = Some(environment.as_str().into());
        options.send_default_pii = false;
        Ok(Self(sentry::init(options)))
    }
}

/// Errors become Sentry events. The access log does not: its 5xx lines only repeat a cause that was logged itself.
pub(super) fn sentry_layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let reported = |metadata: &Metadata<'_>| {
        metadata.is_event() && *metadata.level() == Level::ERROR && metadata.target() != "access"
    };
    ErrorLayer::new().with_filter(filter_fn(reported))
}

/// The span of a request to a server, which continues the caller's. Of use to the trace exporter only, and disabled, which
/// costs nothing, without one. It names the route: a path itself may hold what must not be traced.
pub fn server_span(method: &Method, route: &str, request_id: &RequestId, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        "request",
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        http.request.method = %method,
        http.route = route,
        %request_id,
    );
    if !span.is_disabled() {
        continue_trace(&span, headers);
    }
    span
}

/// Makes `span` a child of the caller's, when the request carries one (W3C Trace Context).
fn continue_trace(span: &Span, headers: &HeaderMap) {
    let parent = TraceContextPropagator::new().extract(&Headers(headers));
    // Refused only when no exporter is there or the span has begun, and then there is nothing to continue.
    let _ = span.set_parent(parent);
}

/// Makes the receiver of `headers` continue `span`. Without an exporter what they carry stays: a trace then passes us by.
pub fn inject_trace(span: &Span, headers: &mut HeaderMap) {
    TraceContextPropagator::new().inject_context(&span.context(), &mut HeadersMut(headers));
}

struct Headers<'a>(&'a HeaderMap);

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) else { return };
        // The propagator writes a state also when there is none.
        if value.is_empty() {
            self.0.remove(name);
        } else {
            self.0.insert(name, value);
        }
    }
}

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Runs on a thread of its own: the exporter's blocking client must be neither built nor waited for in an async task.
fn outside_async<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, std::io::Error> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().spawn_scoped(scope, work)?;
        worker.join().map_err(|_| std::io::Error::other("the exporter panicked"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_exporter_the_clients_trace_passes_by() {
        let sent = HeaderMap::from_iter([
            (HeaderName::from_static("traceparent"), HeaderValue::from_static("00-1-2-01")),
            (HeaderName::from_static("tracestate"), HeaderValue::from_static("a=b")),
        ]);
        let mut headers = sent.clone();
        inject_trace(&tracing::info_span!("request"), &mut headers);
        assert_eq!(headers, sent);
    }
}
