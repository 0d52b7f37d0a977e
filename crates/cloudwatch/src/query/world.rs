//! What expressions are evaluated over: the request's metrics, its searches, and what was evaluated before.

use std::collections::BTreeSet;

use pitbird_metricmath::{Band, Environment, Error, Identity, Search, Series, Value};
use pitbird_telemetry::metrics::{Metric, Stat};

use super::clamped;
use super::evaluate::Span;
use super::plan::{Plan, Source};

/// A search, what it has found and what was read of that.
pub(super) struct Searched {
    pub search: Search,
    pub period_s: u32,
    pub stat: Stat,
    pub metrics: Vec<Metric>,
    pub series: Vec<Series>,
}

pub(super) struct World<'a> {
    plan: &'a Plan,
    pub values: Vec<Option<Value>>,
    searched: Vec<Searched>,
    /// The query that is evaluated.
    pub current: usize,
    /// What the numbers of series stand for.
    pub metrics: Vec<Metric>,
    span: Span,
}

impl<'a> World<'a> {
    pub fn new(plan: &'a Plan, searched: Vec<Searched>, span: Span) -> World<'a> {
        let values = vec![None; plan.len()];
        World { plan, values, searched, current: 0, metrics: Vec::new(), span }
    }

    pub fn number(&mut self, metric: &Metric) -> usize {
        self.metrics.push(metric.clone());
        self.metrics.len() - 1
    }

    /// Takes what was read for the searches, in their order.
    pub fn fill_searches(&mut self, mut read: impl Iterator<Item = Vec<(i64, f64)>>) {
        for one in &mut self.searched {
            let labels = labels(&one.metrics);
            for (metric, label) in one.metrics.iter().zip(labels) {
                self.metrics.push(metric.clone());
                let number = Some(self.metrics.len() - 1);
                let points = read.next().unwrap_or_default();
                one.series.push(Series { label, metric: number, period_s: one.period_s, points });
            }
        }
    }
}

impl Environment for World<'_> {
    fn value(&self, id: &str) -> Option<&Value> {
        self.values[self.plan.place(id)?].as_ref()
    }

    fn metrics(&self) -> Vec<(&str, &Series)> {
        let asked = self.plan.asked.iter().zip(&self.values);
        let metrics = asked.filter_map(|(asked, value)| match (&asked.source, value) {
            (Source::Metric(_), Some(Value::Series(series))) => Some((asked.id.as_str(), series)),
            _ => None,
        });
        metrics.collect()
    }

    fn search(&self, search: &Search) -> Result<Vec<Series>, Error> {
        let period_s = search.period_s.unwrap_or_else(|| self.period_s());
        let found = self.searched.iter().find(|one| one.search == *search && one.period_s == period_s);
        Ok(found.map(|found| found.series.clone()).unwrap_or_default())
    }

    fn band(&self, _: Option<&str>, _: &Series, _: f64) -> Result<Band, Error> {
        Err(Error::Unsupported("Metric math function ANOMALY_DETECTION_BAND".to_owned()))
    }

    fn span(&self, period_s: u32) -> (i64, i64) {
        clamped(self.span.start_ms, self.span.end_ms, period_s, self.span.now_ms)
    }

    fn period_s(&self) -> u32 {
        self.plan.period_of(self.current)
    }
}

/// Whether a search means the metric.
pub(super) fn is_found(search: &Search, metric: &Metric) -> bool {
    let dimensions: Vec<(&str, &str)> = metric.dimensions.iter().collect();
    search.matches(Identity { namespace: &metric.namespace, name: &metric.name, dimensions: &dimensions })
}

/// What tells metrics that were found together apart: those of namespace, dimensions' values and name that differ; the name
/// where nothing does.
fn labels(metrics: &[Metric]) -> Vec<String> {
    let differs =
        |of: &dyn Fn(&Metric) -> Option<String>| metrics.iter().map(of).collect::<BTreeSet<_>>().len() > 1;
    let with_namespace = differs(&|metric| Some(metric.namespace.clone()));
    let with_name = differs(&|metric| Some(metric.name.clone()));
    let all: BTreeSet<&str> =
        metrics.iter().flat_map(|metric| metric.dimensions.iter().map(|(name, _)| name)).collect();
    let value = |metric: &Metric, name: &str| metric.dimensions.get(name).map(str::to_owned);
    let names: Vec<&str> = all.into_iter().filter(|name| differs(&|metric| value(metric, name))).collect();
    let label = |metric: &Metric| {
        let mut parts = Vec::new();
        parts.extend(with_namespace.then(|| metric.namespace.clone()));
        parts.extend(names.iter().filter_map(|name| value(metric, name)));
        parts.extend((with_name || parts.is_empty()).then(|| metric.name.clone()));
        parts.join(" ")
    };
    metrics.iter().map(label).collect()
}
