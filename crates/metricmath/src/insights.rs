//! Metrics Insights: `SELECT AVG(x) FROM SCHEMA("ns", Dim) WHERE … GROUP BY … ORDER BY … LIMIT n`.

use crate::function::Function;
use crate::{Error, Identity, Series, aggregate};

mod parse;
mod token;

/// Series that a query gives. Source: Metrics Insights, LIMIT.
pub const RESULTS_MAX: usize = 500;

/// A Metrics Insights query. Which metrics it is about is [`Insights::matches`], what is read of them [`Insights::function`],
/// which of them count as one [`Insights::group`], what is answered [`Insights::arrange`].
#[derive(Debug, Clone, PartialEq)]
pub struct Insights {
    pub function: Aggregation,
    pub metric: String,
    pub namespace: String,
    /// The dimensions that metrics have, no more and no less; any without SCHEMA.
    dimensions: Option<Vec<String>>,
    filters: Vec<Filter>,
    group_by: Vec<String>,
    order: Option<Order>,
    limit: usize,
}

/// How observations become a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    Avg,
    Count,
    Max,
    Min,
    Sum,
}

#[derive(Debug, Clone, PartialEq)]
struct Filter {
    label: String,
    is_equal: bool,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Order {
    by: Aggregation,
    is_falling: bool,
}

impl Insights {
    /// Whether an expression is meant as such a query: it begins with SELECT.
    pub fn is_meant(text: &str) -> bool {
        let mut words = text.split_whitespace();
        words.next().is_some_and(|word| word.eq_ignore_ascii_case("SELECT"))
    }

    /// Reads a query. Filters by tags are refused by name.
    pub fn parse(text: &str) -> Result<Insights, Error> {
        parse::query(text)
    }

    /// Whether the query is about the metric. A metric without a label that is asked for isn't, whatever the label is compared with.
    pub fn matches(&self, metric: Identity<'_>) -> bool {
        let value = |label: &str| metric.dimensions.iter().find(|(name, _)| *name == label);
        metric.namespace == self.namespace
            && metric.name == self.metric
            && self.dimensions.as_ref().is_none_or(|wanted| {
                wanted.len() == metric.dimensions.len() && wanted.iter().all(|label| value(label).is_some())
            })
            && self.filters.iter().all(|filter| {
                value(&filter.label).is_some_and(|(_, value)| (*value == filter.value) == filter.is_equal)
            })
    }

    /// The group that a metric belongs to: its values of the labels that are grouped by, `Other` where it has none.
    pub fn group(&self, metric: Identity<'_>) -> Vec<String> {
        let value = |label: &String| {
            let found = metric.dimensions.iter().find(|(name, _)| name == label);
            found.map_or("Other", |(_, value)| value).to_owned()
        };
        self.group_by.iter().map(value).collect()
    }

    /// Whether there may be several series.
    pub fn is_grouped(&self) -> bool {
        !self.group_by.is_empty()
    }

    /// Sorts the groups' series, which come by ascending group, and leaves out those beyond the limit. Series without points are none.
    pub fn arrange(&self, mut series: Vec<Series>) -> Vec<Series> {
        series.retain(|series| !series.points.is_empty());
        if let Some(Order { by, is_falling }) = self.order {
            let key = |series: &Series| aggregate::over(by.function(), series.values(), 0);
            series.sort_by(|one, other| {
                let (one, other) = (key(one), key(other));
                if is_falling { other.total_cmp(&one) } else { one.total_cmp(&other) }
            });
        }
        series.truncate(self.limit);
        series
    }
}

impl Aggregation {
    fn function(self) -> Function {
        match self {
            Aggregation::Avg => Function::Avg,
            Aggregation::Count => Function::DatapointCount,
            Aggregation::Max => Function::Max,
            Aggregation::Min => Function::Min,
            Aggregation::Sum => Function::Sum,
        }
    }

    /// The statistic that observations are read at.
    pub fn stat(self) -> &'static str {
        match self {
            Aggregation::Avg => "Average",
            Aggregation::Count => "SampleCount",
            Aggregation::Max => "Maximum",
            Aggregation::Min => "Minimum",
            Aggregation::Sum => "Sum",
        }
    }

    fn parse(word: &str) -> Option<Aggregation> {
        Some(match word.to_ascii_uppercase().as_str() {
            "AVG" => Aggregation::Avg,
            "COUNT" => Aggregation::Count,
            "MAX" => Aggregation::Max,
            "MIN" => Aggregation::Min,
            "SUM" => Aggregation::Sum,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
