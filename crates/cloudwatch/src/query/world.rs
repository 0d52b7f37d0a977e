//! What expressions are evaluated over: the request's metrics, its searches, and what was evaluated before.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use pitbird_metricmath::anomaly::Model;
use pitbird_metricmath::{Band, Environment, Error, Search, Series, Value};
use pitbird_telemetry::metrics::Metric;

use super::band::is_width;
use super::clamped;
use super::evaluate::{Span, label};
use super::gather::{Gathered, Grouped};
use super::label::Read;
use super::plan::{Plan, Source};

/// What is expected of queries, by their places. Those that there is no model of, or one that knows too little, aren't among them.
pub(crate) type Bands = HashMap<usize, Arc<Model>>;

pub(super) struct World<'a> {
    pub plan: &'a Plan,
    pub values: Vec<Option<Value>>,
    gathered: Gathered,
    bands: Bands,
    /// The query that is evaluated.
    pub current: usize,
    /// What the numbers of series stand for.
    pub metrics: Vec<Read>,
    pub span: Span,
}

impl<'a> World<'a> {
    pub fn new(plan: &'a Plan, gathered: Gathered, bands: Bands, span: Span) -> World<'a> {
        let values = vec![None; plan.len()];
        World { plan, values, gathered, bands, current: 0, metrics: Vec::new(), span }
    }

    /// Takes what was read, in the order of [`Gathered::queries`].
    pub fn fill(&mut self, needed: &BTreeSet<usize>, mut read: impl Iterator<Item = Vec<(i64, f64)>>) {
        let plan = self.plan;
        for place in needed {
            let Source::Metric(asked) = &plan.asked[*place].source else { continue };
            let points = read.next().unwrap_or_default();
            let mut series = self.series(asked.read(), asked.period_s, points);
            series.label = label(self, *place, &series, &plan.asked[*place].default_label);
            self.values[*place] = Some(Value::Series(series));
        }
        let mut searched = std::mem::take(&mut self.gathered.searched);
        for one in &mut searched {
            for (metric, label) in one.metrics.iter().zip(labels(&one.metrics)) {
                let source = Read { metric: metric.clone(), stat: one.search.stat.clone() };
                let points = read.next().unwrap_or_default();
                one.series.push(Series { label, ..self.series(source, one.period_s, points) });
            }
        }
        self.gathered.searched = searched;
        for Grouped { place, period_s, groups, .. } in &self.gathered.grouped {
            let Source::Insights(insights) = &plan.asked[*place].source else { continue };
            let series = groups.iter().map(|(group, _)| {
                let (label, points) = (group.join(" "), read.next().unwrap_or_default());
                Series { label, period_s: *period_s, points, metric: None }
            });
            let mut series = insights.arrange(series.collect());
            self.values[*place] = Some(match insights.is_grouped() {
                true => Value::Array(series),
                false => {
                    let empty = || Series { period_s: *period_s, ..Series::default() };
                    Value::Series(series.pop().unwrap_or_else(empty))
                }
            });
        }
    }

    fn series(&mut self, source: Read, period_s: u32, points: Vec<(i64, f64)>) -> Series {
        self.metrics.push(source);
        Series { label: String::new(), metric: Some(self.metrics.len() - 1), period_s, points }
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
        let found =
            self.gathered.searched.iter().find(|one| one.search == *search && one.period_s == period_s);
        Ok(found.map(|found| found.series.clone()).unwrap_or_default())
    }

    /// At all times of the answer, also where there are no values: what is expected doesn't wait for them.
    fn band(&self, id: Option<&str>, of: &Series, deviations: f64) -> Result<Band, Error> {
        let place = id.and_then(|id| self.plan.place(id)).ok_or(Error::Banded)?;
        if !is_width(deviations) {
            return Err(Error::Width);
        }
        // A series that nothing was taken into has no period of its own.
        let period_s = if of.period_s > 0 { of.period_s } else { self.plan.period_of(place) };
        let (start_ms, end_ms) = self.span(period_s);
        let step_ms = usize::try_from(period_s.max(1)).unwrap_or(1) * 1000;
        let bound = |label: &str, upper: bool| {
            let points = self.bands.get(&place).into_iter().flat_map(|model| {
                (start_ms..end_ms).step_by(step_ms).map(move |at_ms| {
                    let expected = model.expected(at_ms, deviations);
                    (at_ms, if upper { expected.upper } else { expected.lower })
                })
            });
            let (label, points) = (label.to_owned(), points.collect());
            Series { label, metric: None, period_s, points }
        };
        Ok(Band { upper: bound("High", true), lower: bound("Low", false) })
    }

    fn span(&self, period_s: u32) -> (i64, i64) {
        clamped(self.span.start_ms, self.span.end_ms, period_s, self.span.now_ms)
    }

    fn period_s(&self) -> u32 {
        self.plan.period_of(self.current)
    }
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
