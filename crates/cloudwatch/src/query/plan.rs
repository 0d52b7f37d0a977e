//! Queries checked, and which of them need which.

use std::collections::{BTreeSet, HashMap};

use pitbird_metricmath::{Expression, Insights};
use pitbird_names::Scope;
use pitbird_telemetry::metrics::{Metric, Stat, Unit};
use time::UtcOffset;

use super::data::{MetricDataQuery, MetricStat};
use super::label::{Label, Read};
use super::{period, unit};
use crate::Error;
use crate::shape::dimensions;

/// Queries of one call. Source: GetMetricData.
const QUERIES_MAX: usize = 500;
/// Searches of one call. Source: CloudWatch search expression syntax.
const SEARCHES_MAX: usize = 5;
/// Metrics Insights queries of one call. Source: Metrics Insights quotas.
const INSIGHTS_MAX: usize = 1;
/// The period of a number over time where nothing else has one, seconds.
const PERIOD_S: u32 = 60;

/// Queries that can be evaluated: every one well formed, each expression with all that it names, none needing itself.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) scope: Scope,
    pub(super) asked: Vec<Asked>,
    places: HashMap<String, usize>,
    /// The time zone of times in labels.
    pub(super) offset: UtcOffset,
    /// Places of queries, each after all that it needs.
    pub(super) order: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub id: String,
    /// An expression as it is written.
    pub text: Option<String>,
    /// As it is given.
    pub label: Option<Label>,
    /// What it is called without one.
    pub default_label: String,
    pub is_returned: bool,
    /// Of an expression.
    pub period_s: Option<u32>,
    pub source: Source,
    /// Places of the queries that it needs, directly.
    needs: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Source {
    Metric(Box<MetricAsked>),
    Expression(Box<Expression>),
    Insights(Box<Insights>),
}

#[derive(Debug, Clone)]
pub(super) struct MetricAsked {
    pub metric: Metric,
    pub period_s: u32,
    pub stat: Stat,
    pub unit: Option<Unit>,
    /// The statistic as it is written.
    pub stat_text: String,
}

impl MetricAsked {
    pub fn read(&self) -> Read {
        Read { metric: self.metric.clone(), stat: self.stat_text.clone() }
    }
}

impl Plan {
    /// Checks the queries of a caller, who may read metrics of `scope`.
    pub fn parse(queries: &[MetricDataQuery], scope: &Scope) -> Result<Plan, Error> {
        if queries.len() > QUERIES_MAX {
            return Err(Error::TooMany { parameter: "MetricDataQueries".to_owned(), limit: QUERIES_MAX });
        }
        let mut places = HashMap::new();
        for (place, query) in queries.iter().enumerate() {
            if places.insert(query.id.as_str(), place).is_some() {
                let words = "The values for parameter id in MetricDataQueries are not unique.";
                return Err(Error::Invalid(words.to_owned()));
            }
        }
        let parse =
            |(place, query)| parse_one(&format!("MetricDataQueries.member.{}", place + 1), query, scope);
        let mut asked = queries.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
        check_searches(&asked)?;
        link(&mut asked, &places)?;
        label(&mut asked);
        let order = order(&asked)?;
        let places = places.into_iter().map(|(id, place)| (id.to_owned(), place)).collect();
        let plan = Plan { scope: scope.clone(), asked, places, offset: UtcOffset::UTC, order };
        plan.check_bands()?;
        Ok(plan)
    }

    /// The same with times in labels told in a zone.
    pub(crate) fn in_zone(self, offset: UtcOffset) -> Plan {
        Plan { offset, ..self }
    }

    /// How many queries there are.
    pub fn len(&self) -> usize {
        self.asked.len()
    }

    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// The period of the first query that returns data.
    pub fn returned_period(&self) -> Option<u32> {
        self.asked.iter().position(|asked| asked.is_returned).map(|place| self.period_of(place))
    }

    /// Where the query of an id is.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// These queries and all that they need, directly or not.
    pub(super) fn needed(&self, wanted: impl Iterator<Item = usize>) -> BTreeSet<usize> {
        let mut needed = BTreeSet::new();
        let mut open: Vec<usize> = wanted.collect();
        while let Some(place) = open.pop() {
            if needed.insert(place) {
                open.extend(&self.asked[place].needs);
            }
        }
        needed
    }

    /// The period of a query: its own, else the longest of the metrics that it needs, else of the request's metrics.
    pub(super) fn period_of(&self, place: usize) -> u32 {
        if let Some(period_s) = self.asked[place].period_s {
            return period_s;
        }
        let longest = |places: &mut dyn Iterator<Item = usize>| {
            let metrics = places.filter_map(|place| match &self.asked[place].source {
                Source::Metric(metric) => Some(metric.period_s),
                Source::Expression(_) | Source::Insights(_) => None,
            });
            metrics.max()
        };
        longest(&mut self.needed([place].into_iter()).into_iter())
            .or_else(|| longest(&mut (0..self.asked.len())))
            .unwrap_or(PERIOD_S)
    }
}

fn parse_one(at: &str, query: &MetricDataQuery, scope: &Scope) -> Result<Asked, Error> {
    if !is_id(&query.id) {
        return Err(Error::Invalid(format!(
            "The value {} for parameter {at}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
            query.id
        )));
    }
    if query.account_id.as_ref().is_some_and(|account| *account != scope.account.as_str()) {
        return Err(Error::unsupported(format!("{at}.AccountId of another account")));
    }
    let exclusive = |one: &str, other: &str| {
        Err(Error::Exclusive { one: format!("{at}.{one}"), other: format!("{at}.{other}") })
    };
    let source = match (&query.metric_stat, &query.expression) {
        (None, None) => return Err(Error::Missing(format!("{at}.MetricStat"))),
        (Some(_), Some(_)) => return exclusive("Expression", "MetricStat"),
        (Some(_), None) if query.period.is_some() => return exclusive("Period", "MetricStat"),
        (Some(stat), None) => Source::Metric(Box::new(metric(at, stat, scope)?)),
        (None, Some(text)) if Insights::is_meant(text) => {
            query.period.ok_or_else(|| Error::Missing(format!("{at}.Period")))?;
            let insights = Insights::parse(text).map_err(|error| Error::expression(&query.id, error))?;
            Source::Insights(Box::new(insights))
        }
        (None, Some(text)) => {
            let expression = Expression::parse(text).map_err(|error| Error::expression(&query.id, error))?;
            Source::Expression(Box::new(expression))
        }
    };
    Ok(Asked {
        id: query.id.clone(),
        text: query.expression.clone(),
        label: label_of(query, &format!("{at}.Label"))?,
        default_label: query.id.clone(),
        is_returned: query.return_data.unwrap_or(true),
        period_s: query.period.map(|seconds| period(seconds, &format!("{at}.Period"))).transpose()?,
        source,
        needs: Vec::new(),
    })
}

fn label_of(query: &MetricDataQuery, parameter: &str) -> Result<Option<Label>, Error> {
    query.label.as_deref().map(|text| Label::parse(text, parameter)).transpose()
}

fn metric(at: &str, stat: &MetricStat, scope: &Scope) -> Result<MetricAsked, Error> {
    let missing = |name: &str| Error::Missing(format!("{at}.MetricStat.Metric.{name}"));
    let metric = Metric {
        scope: scope.clone(),
        namespace: stat.metric.namespace.clone().ok_or_else(|| missing("Namespace"))?,
        name: stat.metric.metric_name.clone().ok_or_else(|| missing("MetricName"))?,
        dimensions: dimensions(
            stat.metric.dimensions.clone(),
            &format!("{at}.MetricStat.Metric.Dimensions"),
        )?,
    };
    let parameter = format!("{at}.MetricStat.Stat");
    Ok(MetricAsked {
        metric,
        period_s: period(stat.period, &format!("{at}.MetricStat.Period"))?,
        stat: Stat::parse(&stat.stat).map_err(|error| Error::statistic(&parameter, error))?,
        unit: unit(stat.unit.clone())?,
        stat_text: stat.stat.clone(),
    })
}

fn is_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Searches are few, have statistics that there are, and a period.
fn check_searches(asked: &[Asked]) -> Result<(), Error> {
    let mut count = 0;
    for (place, one) in asked.iter().enumerate() {
        let Source::Expression(expression) = &one.source else { continue };
        for search in expression.searches() {
            count += 1;
            let at = format!("MetricDataQueries.member.{}", place + 1);
            Stat::parse(&search.stat)
                .map_err(|error| Error::statistic(&format!("{at}.Expression"), error))?;
            match search.period_s.or(one.period_s) {
                Some(seconds) => period(seconds, &format!("{at}.Expression"))?,
                None => return Err(Error::Missing(format!("{at}.Period"))),
            };
        }
    }
    let insights = asked.iter().filter(|one| matches!(one.source, Source::Insights(_))).count();
    if insights > INSIGHTS_MAX {
        return Err(Error::Invalid(
            "A request must not have more than one Metrics Insights query.".to_owned(),
        ));
    }
    if count > SEARCHES_MAX {
        return Err(Error::Invalid(format!(
            "A request must not have more than {SEARCHES_MAX} SEARCH expressions."
        )));
    }
    Ok(())
}

/// Finds the queries that expressions name.
fn link(asked: &mut [Asked], places: &HashMap<&str, usize>) -> Result<(), Error> {
    let is_metric = |one: &Asked| matches!(one.source, Source::Metric(_));
    let metrics: Vec<usize> = (0..asked.len()).filter(|place| is_metric(&asked[*place])).collect();
    for one in asked.iter_mut() {
        let Source::Expression(expression) = &one.source else { continue };
        for id in expression.ids() {
            let unknown = || pitbird_metricmath::Error::NoId(id.to_owned());
            let place = places.get(id).ok_or_else(|| Error::expression(&one.id, unknown()))?;
            one.needs.push(*place);
        }
        if expression.uses_metrics() {
            one.needs.extend(&metrics);
        }
    }
    Ok(())
}

/// Gives names to series that the caller gave none: the metric's, and with it the statistic's where several that are returned
/// are of one name.
fn label(asked: &mut [Asked]) {
    let name = |one: &Asked| match &one.source {
        Source::Metric(metric) if one.is_returned => Some(metric.metric.name.clone()),
        _ => None,
    };
    let names: Vec<String> = asked.iter().filter_map(name).collect();
    for one in asked {
        let Source::Metric(asked) = &one.source else { continue };
        let alike = names.iter().filter(|name| **name == asked.metric.name).count();
        one.default_label = if alike > 1 && one.is_returned {
            format!("{} {}", asked.metric.name, asked.stat_text)
        } else {
            asked.metric.name.clone()
        };
    }
}

/// Each query after those that it needs. Works off those that need nothing more, so that depth is of no account.
fn order(asked: &[Asked]) -> Result<Vec<usize>, Error> {
    let mut open: Vec<usize> = asked.iter().map(|one| one.needs.len()).collect();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); asked.len()];
    for (place, one) in asked.iter().enumerate() {
        one.needs.iter().for_each(|needed| users[*needed].push(place));
    }
    let mut order: Vec<usize> = (0..asked.len()).filter(|place| open[*place] == 0).collect();
    let mut done = 0;
    while let Some(place) = order.get(done).copied() {
        done += 1;
        for user in &users[place] {
            open[*user] -= 1;
            if open[*user] == 0 {
                order.push(*user);
            }
        }
    }
    match (0..asked.len()).find(|place| open[*place] > 0) {
        Some(circular) => Err(Error::Circular { id: asked[circular].id.clone() }),
        None => Ok(order),
    }
}
