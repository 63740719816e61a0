//! Metrics for CloudWatch without an agent: a line of the log each minute, in its Embedded Metric Format.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, Value, json};
use tokio::time::{MissedTickBehavior, interval};

use super::writer::Lines;
use crate::clock::Clock;

const NAMESPACE: &str = "AuthSystem";
/// The one dimension: CloudWatch charges for each combination, so instances are not told apart.
const DIMENSION: &str = "service";
/// A queue that fills and empties within a minute is seen by its samples, not by a look once a minute.
const SAMPLE_TIME: Duration = Duration::from_secs(5);
const SAMPLES_A_LINE: usize = 12;

/// A metric as CloudWatch gets it, and the series of the metrics page that it is made of.
struct Metric {
    name: &'static str,
    unit: &'static str,
    kind: Kind,
    series: &'static str,
    /// What the labels of the series hold.
    label: &'static str,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Every sample is written.
    Level,
    /// What was added since the last line.
    Count,
}

const METRICS: [Metric; 21] = [
    level("hash_queue_depth", "Count"),
    level("revocation_lag_seconds", "Seconds"),
    level("db_connections_open", "Count"),
    level("db_connections_idle", "Count"),
    level("mail_outbox_depth", "Count"),
    level("audit_unsealed_entries", "Count"),
    level("http_requests_in_flight", "Count"),
    level("gateway_revocation_staleness_seconds", "Seconds"),
    count("logins", "logins_total", "outcome=\"logged_in\""),
    count("login_failures", "logins_total", "outcome=\"refused\""),
    count("registrations", "registrations_total", ""),
    count("refresh_reuse", "refresh_reuse_total", ""),
    count("token_validations_failed", "token_validations_failed_total", ""),
    count("rate_limited", "rate_limited_total", ""),
    count("http_requests", "http_requests_total", ""),
    count("http_errors", "http_requests_total", "status=\"5"),
    count("http_requests_shed", "http_requests_shed_total", ""),
    count("profile_cache_hits", "profile_cache_total", "outcome=\"hit\""),
    count("profile_cache_misses", "profile_cache_total", "outcome=\"miss\""),
    count("gateway_requests", "gateway_requests_total", ""),
    count("log_lines_lost", "log_lines_lost_total", ""),
];

/// Where the lines go, if they are wanted.
pub struct MetricLog(Option<Lines>);

/// What is known of the metrics since the last line, in the order of [`METRICS`].
struct Record {
    service: &'static str,
    samples: usize,
    levels: [Vec<f64>; METRICS.len()],
    totals: [Option<f64>; METRICS.len()],
    written: [f64; METRICS.len()],
}

impl MetricLog {
    pub(super) fn new(lines: Option<Lines>) -> Self {
        Self(lines)
    }

    /// Does what a process does to its end, and meanwhile writes a line a minute; the last one when it is done.
    pub async fn beside<T>(self, service: &'static str, page: PrometheusHandle, work: impl Future<Output = T>) -> T {
        let Some(lines) = self.0 else { return work.await };
        let (mut work, mut ticks, mut record) = (pin!(work), interval(SAMPLE_TIME), Record::new(service));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                outcome = &mut work => Some(outcome),
                _ = ticks.tick() => None,
            };
            record.sample(&page.render());
            if (done.is_some() || record.samples >= SAMPLES_A_LINE)
                && let Some(line) = record.take_line(&Clock::System)
            {
                lines.write(line);
            }
            if let Some(outcome) = done {
                return outcome;
            }
        }
    }
}

impl Record {
    fn new(service: &'static str) -> Self {
        let (levels, totals) = ([const { Vec::new() }; METRICS.len()], [None; METRICS.len()]);
        Self { service, samples: 0, levels, totals, written: [0.0; METRICS.len()] }
    }

    /// Reads the metrics page.
    fn sample(&mut self, page: &str) {
        self.samples += 1;
        for (at, metric) in METRICS.iter().enumerate() {
            // A series is there once something has happened that it counts. JSON knows no NaN.
            let Some(value) = read(page, metric).filter(|value| value.is_finite()) else { continue };
            match metric.kind {
                Kind::Level => self.levels[at].push(value),
                Kind::Count => self.totals[at] = Some(value),
            }
        }
    }

    /// The line of what was sampled since the last one; nothing when no metric is known yet.
    fn take_line(&mut self, clock: &Clock) -> Option<Vec<u8>> {
        self.samples = 0;
        let (mut values, mut directives) = (Map::new(), Vec::new());
        for (at, metric) in METRICS.iter().enumerate() {
            let Some(value) = self.take(at, metric.kind) else { continue };
            values.insert(metric.name.to_owned(), value);
            directives.push(json!({"Name": metric.name, "Unit": metric.unit}));
        }
        if directives.is_empty() {
            return None;
        }
        let now = clock.now();
        // The members that every line of the log has come first: whoever reads it need not know of this format.
        let mut line = json!({
            "timestamp": now.to_string(), "level": "INFO", "target": "metrics", "message": "metrics",
            DIMENSION: self.service,
            "_aws": {
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": directives}],
            },
        });
        if let Value::Object(members) = &mut line {
            members.extend(values);
        }
        let mut line = line.to_string().into_bytes();
        line.push(b'\n');
        Some(line)
    }

    fn take(&mut self, at: usize, kind: Kind) -> Option<Value> {
        match kind {
            Kind::Level => {
                let samples = std::mem::take(&mut self.levels[at]);
                (!samples.is_empty()).then(|| json!(samples))
            }
            Kind::Count => {
                let total = self.totals[at]?;
                let added = total - self.written[at];
                self.written[at] = total;
                Some(json!(added))
            }
        }
    }
}

const fn level(name: &'static str, unit: &'static str) -> Metric {
    Metric { name, unit, kind: Kind::Level, series: name, label: "" }
}

const fn count(name: &'static str, series: &'static str, label: &'static str) -> Metric {
    Metric { name, unit: "Count", kind: Kind::Count, series, label }
}

/// The sum of a metric's series on the page; nothing when none is there.
fn read(page: &str, metric: &Metric) -> Option<f64> {
    let values = page.lines().filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let labels = series.strip_prefix(metric.series)?;
        let is_meant = labels.is_empty() || labels.starts_with('{');
        (is_meant && labels.contains(metric.label)).then(|| value.parse::<f64>().ok())?
    });
    values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(record: &mut Record) -> Value {
        let clock = Clock::manual("2026-01-01T00:00:00Z".parse().unwrap());
        let line = String::from_utf8(record.take_line(&clock).unwrap()).unwrap();
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_line_has_every_sample_of_a_level_and_what_was_added_to_a_count() {
        let mut record = Record::new("auth-service");
        record.sample("# TYPE hash_queue_depth gauge\nhash_queue_depth 3\nlogins_total{outcome=\"refused\"} 5\n");
        record
            .sample("hash_queue_depth 0\nlogins_total{outcome=\"refused\"} 9\nlogins_total{outcome=\"logged_in\"} 2\n");
        let expected = json!({
            "timestamp": "2026-01-01T00:00:00Z", "level": "INFO", "target": "metrics", "message": "metrics",
            "service": "auth-service", "hash_queue_depth": [3.0, 0.0], "logins": 2.0, "login_failures": 9.0,
            "_aws": {
                "Timestamp": 1_767_225_600_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "AuthSystem", "Dimensions": [["service"]],
                    "Metrics": [
                        {"Name": "hash_queue_depth", "Unit": "Count"}, {"Name": "logins", "Unit": "Count"},
                        {"Name": "login_failures", "Unit": "Count"},
                    ],
                }],
            },
        });
        assert_eq!(take(&mut record), expected);
        record.sample("logins_total{outcome=\"refused\"} 10\n");
        let next = take(&mut record);
        assert_eq!((&next["login_failures"], &next["hash_queue_depth"]), (&json!(1.0), &Value::Null));
    }

    #[test]
    fn series_are_summed_over_their_labels_and_never_mistaken_for_longer_names() {
        let mut record = Record::new("auth-service");
        record.sample(
            "http_requests_total{route=\"/a\",status=\"200\"} 4\nhttp_requests_total{route=\"/a\",status=\"503\"} 2\n\
             http_requests_total_more 100\nhttp_requests_in_flight 7\n",
        );
        let line = take(&mut record);
        let told = ["http_requests", "http_errors", "http_requests_in_flight"].map(|name| line[name].clone());
        assert_eq!(told, [json!(6.0), json!(2.0), json!([7.0])]);
    }

    #[test]
    fn what_is_no_number_is_left_out_and_nothing_at_all_is_no_line() {
        let mut record = Record::new("api-gateway");
        record.sample("");
        record.sample("revocation_lag_seconds NaN\nmail_outbox_depth +Inf\n");
        assert!(record.take_line(&Clock::System).is_none());
    }

    #[test]
    fn names_are_told_apart_from_each_other_and_from_the_other_members() {
        let members = ["timestamp", "level", "target", "message", DIMENSION, "_aws"];
        let names: std::collections::HashSet<&str> = METRICS.iter().map(|metric| metric.name).chain(members).collect();
        assert_eq!(names.len(), METRICS.len() + members.len());
    }
}
