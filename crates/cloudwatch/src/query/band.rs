//! Which queries of a plan have bands of expected values, and which models these come from.

use std::collections::BTreeSet;

use pitbird_metricmath::Error as Cause;
use pitbird_names::Scope;
use pitbird_telemetry::metrics::Unit;
use serde_json::{Value as Json, json};

use super::plan::{MetricAsked, Plan, Source};
use crate::Error;

/// Bands of one call: each may have a model trained.
const BANDS_MAX: usize = 100;

/// A query and the query that gives its band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Banded {
    /// The place of the query whose values are judged.
    pub of: usize,
    /// The place of the band.
    pub by: usize,
}

impl Plan {
    /// Bands are of other queries, which have none within them, and have a width.
    pub(super) fn check_bands(&self) -> Result<(), Error> {
        let mut count = 0;
        for one in &self.asked {
            let Source::Expression(expression) = &one.source else { continue };
            for band in expression.bands() {
                count += 1;
                if count > BANDS_MAX {
                    return Err(too_many());
                }
                let wrong = |cause| Err(Error::expression(&one.id, cause));
                if band.deviations.is_some_and(|width| !is_width(width)) {
                    return wrong(Cause::Width);
                }
                let Some(of) = band.id.as_deref().and_then(|id| self.place(id)) else {
                    return wrong(Cause::Banded);
                };
                if !self.bands_of(&self.needed([of].into_iter())).is_empty() {
                    return Err(Error::unsupported("ANOMALY_DETECTION_BAND of what has one itself"));
                }
            }
        }
        Ok(())
    }

    /// The places of the queries whose bands some queries take, each once.
    pub(crate) fn bands_of(&self, needed: &BTreeSet<usize>) -> BTreeSet<usize> {
        let expressions = needed.iter().filter_map(|place| match &self.asked[*place].source {
            Source::Expression(expression) => Some(expression),
            Source::Metric(_) | Source::Insights(_) => None,
        });
        let ids = expressions.flat_map(|expression| expression.bands()).filter_map(|band| band.id);
        ids.filter_map(|id| self.place(&id)).collect()
    }

    /// The places of the queries whose bands any query takes, each once.
    pub(crate) fn all_bands(&self) -> BTreeSet<usize> {
        self.bands_of(&(0..self.len()).collect())
    }

    /// The query of an id that gives nothing but the band of another.
    pub(crate) fn banded(&self, id: &str) -> Option<Banded> {
        let by = self.place(id)?;
        let Source::Expression(expression) = &self.asked[by].source else { return None };
        let band = expression.bands().into_iter().next().filter(|_| expression.is_band())?;
        Some(Banded { of: self.place(&band.id?)?, by })
    }

    /// Whose metrics they are.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The period of what a query gives, seconds.
    pub(crate) fn period(&self, place: usize) -> u32 {
        self.period_of(place)
    }

    /// Whether a query gives several series, however many there will be.
    pub(crate) fn gives_several(&self, place: usize) -> bool {
        let mut several = vec![false; self.len()];
        // Each comes after all that it needs.
        for place in &self.order {
            several[*place] = match &self.asked[*place].source {
                Source::Metric(_) => false,
                Source::Insights(insights) => insights.is_grouped(),
                Source::Expression(expression) => {
                    expression.is_array(|id| self.place(id).is_some_and(|place| several[place]))
                }
            };
        }
        several[place]
    }

    /// The unit that a metric is read in, where one is asked for.
    pub(crate) fn unit(&self, place: usize) -> Option<Unit> {
        match &self.asked[place].source {
            Source::Metric(asked) => asked.unit,
            Source::Expression(_) | Source::Insights(_) => None,
        }
    }

    /// The id of a query, and the ids of all that it needs with its own.
    pub(crate) fn ids_needed(&self, place: usize) -> (&str, Vec<&str>) {
        let needed = self.needed([place].into_iter()).into_iter();
        (&self.asked[place].id, needed.map(|place| self.asked[place].id.as_str()).collect())
    }

    /// The places of the queries that return data.
    pub(crate) fn returned(&self) -> Vec<usize> {
        (0..self.len()).filter(|place| self.asked[*place].is_returned).collect()
    }

    /// Whether a query rests on searches or on Metrics Insights, and so on metrics that aren't known beforehand.
    pub(crate) fn is_open(&self, place: usize) -> bool {
        self.needed([place].into_iter()).into_iter().any(|place| match &self.asked[place].source {
            Source::Metric(_) => false,
            Source::Expression(expression) => !expression.searches().is_empty(),
            Source::Insights(_) => true,
        })
    }

    /// What tells apart what queries give, for finding their models: a metric's statistic, or all that an expression needs.
    pub(crate) fn identity(&self, place: usize) -> String {
        if let Source::Metric(asked) = &self.asked[place].source {
            return json!(["metric", metric(asked)]).to_string();
        }
        let mut needed: Vec<usize> = self.needed([place].into_iter()).into_iter().collect();
        needed.sort_by_key(|place| &self.asked[*place].id);
        let one = |place: &usize| {
            let asked = &self.asked[*place];
            match &asked.source {
                Source::Metric(stat) => json!([asked.id, metric(stat), stat.period_s]),
                Source::Expression(_) | Source::Insights(_) => json!([asked.id, asked.text, asked.period_s]),
            }
        };
        json!(["math", self.asked[place].id, needed.iter().map(one).collect::<Vec<_>>()]).to_string()
    }
}

/// Whether a band may be so many standard deviations wide.
pub(super) fn is_width(deviations: f64) -> bool {
    deviations.is_finite() && deviations > 0.0
}

fn too_many() -> Error {
    let words = format!("A request must not have more than {BANDS_MAX} ANOMALY_DETECTION_BAND functions.");
    Error::Invalid(words)
}

fn metric(asked: &MetricAsked) -> Json {
    let metric = &asked.metric;
    let dimensions: Vec<(&str, &str)> = metric.dimensions.iter().collect();
    json!([metric.namespace, metric.name, dimensions, asked.stat_text])
}
