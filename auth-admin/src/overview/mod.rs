//! The first page: what happened lately, how the system fares, and what to look at.

mod chart;

use askama::Template;
use auth_sdk::{AuditFilter, Instance, PageParams, Statistics, StatisticsParams, SystemStatus};
use axum::response::{Html, IntoResponse, Response};

use self::chart::Chart;
use crate::{
    audit::line::Line,
    failure::{Failure, Result},
    forms::Query,
    frame::{Frame, Section, number},
    visit::Operator,
};

/// What can be looked at, each with its text.
const WINDOWS: [(&str, &str); 3] = [("24h", "window-24h"), ("7d", "window-7d"), ("30d", "window-30d")];

/// In tenths of a percent: what grew tenfold began with next to nothing.
const MOST_CHANGE: i64 = 10_000;

#[derive(Template)]
#[template(path = "overview/page.html")]
struct OverviewPage {
    frame: Frame,
    window: &'static str,
    statistics: Statistics,
    charts: [Chart; 3],
    /// Unknown to those who may not see it.
    status: Option<SystemStatus>,
    /// Likewise.
    gateways: Option<Vec<Instance>>,
    /// Likewise: what was refused lately, newest first.
    refusals: Option<Vec<Line>>,
}

/// The page.
pub async fn show(operator: Operator, Query(query): Query) -> Result<Response> {
    let asked = query.find("window").unwrap_or_default();
    let (window, _) = WINDOWS.into_iter().find(|(name, _)| *name == asked).unwrap_or(WINDOWS[0]);
    let frame = operator.frame(Section::Overview).await?;
    if !frame.may("users:read") {
        return Err(Failure::forbidden());
    }
    let api = operator.api();
    let params = StatisticsParams { window: Some(window.to_owned()), offset: Some(frame.offset_text()) };
    let (may_see_system, may_see_audit) = (frame.may("system:read"), frame.may("audit:read"));
    let refused = AuditFilter { outcome: Some("refused".to_owned()), ..AuditFilter::default() };
    let few = PageParams { limit: Some(8), cursor: None };
    let (statistics, status, instances, refusals) = tokio::join!(
        api.statistics(&params),
        async { if may_see_system { api.system_status().await.map(Some) } else { Ok(None) } },
        async { if may_see_system { api.list_instances().await.map(Some) } else { Ok(None) } },
        async { if may_see_audit { api.list_audit_logs(&refused, &few).await.map(Some) } else { Ok(None) } },
    );
    let statistics = statistics?;
    let is_gateway = |instance: &Instance| instance.role == "gateway" && instance.left_at.is_none();
    let page = OverviewPage {
        window,
        charts: Chart::all(&frame, &statistics),
        statistics,
        status: status?,
        gateways: instances?.map(|page| page.items.into_iter().filter(is_gateway).collect()),
        refusals: refusals?.map(|page| Line::all(&frame, page.items)),
        frame,
    };
    Ok(Html(page.render()?).into_response())
}

impl OverviewPage {
    fn refused(&self) -> u64 {
        self.statistics.totals.refused.values().sum()
    }

    /// Reasons with how often each was, most frequent first.
    fn reasons(&self) -> Vec<(&str, u64)> {
        let mut reasons: Vec<_> = self.statistics.totals.refused.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        reasons
    }

    /// How a number compares with the window before; nothing where there was next to none.
    fn change(&self, now: &u64, before: &u64) -> Option<String> {
        let percent = i64::try_from((*now).abs_diff(*before) * 1_000 / (*before).max(1)).ok()?;
        let sign = if now >= before { "+" } else { "−" };
        let change = format!("{sign}{}.{} %", percent / 10, percent % 10);
        (*before > 0 && percent < MOST_CHANGE).then(|| self.frame.t1("change-since", "change", &change))
    }

    fn milliseconds(&self, value: &Option<f64>) -> String {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.0} ms"))
    }

    fn number(&self, n: &u64) -> String {
        number(*n)
    }

    fn count(&self, n: &Option<u64>) -> String {
        n.map_or_else(|| "–".to_owned(), number)
    }
}
