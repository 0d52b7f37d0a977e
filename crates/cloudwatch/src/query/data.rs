//! The queries of GetMetricData.

use std::collections::HashSet;

use pitbird_names::Scope;
use pitbird_telemetry::metrics::{Metric, MetricQuery, Stat, Unit};
use serde::Deserialize;

use super::{period, unit};
use crate::shape::{Dimension, dimensions};
use crate::{Error, page};

/// Queries of one call. Source: GetMetricData.
const QUERIES_MAX: usize = 500;

/// A query as a caller gives it. Expressions aren't obeyed and so aren't here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricDataQuery {
    id: String,
    metric_stat: Option<MetricStat>,
    label: Option<String>,
    return_data: Option<bool>,
    account_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: Identity,
    period: u32,
    stat: String,
    unit: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Identity {
    namespace: Option<String>,
    metric_name: Option<String>,
    dimensions: Option<Vec<Dimension>>,
}

/// A query that can be read.
#[derive(Debug)]
pub struct Asked {
    pub id: String,
    pub label: String,
    metric: Metric,
    period_s: u32,
    stat: Stat,
    unit: Option<Unit>,
}

impl Asked {
    pub fn read(&self, start_ms: i64, end_ms: i64, now_ms: i64) -> MetricQuery {
        MetricQuery {
            metric: self.metric.clone(),
            unit: self.unit,
            period_s: self.period_s,
            start_ms,
            end_ms,
            stats: vec![self.stat],
            now_ms,
        }
    }
}

/// Checks all queries; those whose data isn't to be returned are left out, since nothing but their data is of use.
pub fn parse(queries: Vec<MetricDataQuery>, scope: &Scope) -> Result<Vec<Asked>, Error> {
    if queries.len() > QUERIES_MAX {
        return Err(Error::TooMany { parameter: "MetricDataQueries".to_owned(), limit: QUERIES_MAX });
    }
    let mut ids = HashSet::new();
    if !queries.iter().all(|query| ids.insert(query.id.as_str())) {
        let words = "The values for parameter id in MetricDataQueries are not unique.";
        return Err(Error::Invalid(words.to_owned()));
    }
    let returned: Vec<bool> = queries.iter().map(|query| query.return_data.unwrap_or(true)).collect();
    let labelled: Vec<bool> = queries.iter().map(|query| query.label.is_some()).collect();
    let parse = |(place, query)| parse_one(&format!("MetricDataQueries.member.{}", place + 1), query, scope);
    let asked = queries.into_iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
    let asked = asked.into_iter().zip(labelled).zip(returned).filter(|(_, returned)| *returned);
    Ok(label(asked.map(|(asked, _)| asked).collect()))
}

fn parse_one(at: &str, query: MetricDataQuery, scope: &Scope) -> Result<Asked, Error> {
    if !is_id(&query.id) {
        return Err(Error::Invalid(format!(
            "The value {} for parameter {at}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
            query.id
        )));
    }
    if query.account_id.is_some_and(|account| account != scope.account.as_str()) {
        return Err(Error::unsupported(format!("{at}.AccountId of another account")));
    }
    let label = query.label.unwrap_or_default();
    if label.contains("${") {
        return Err(Error::unsupported(format!("{at}.Label with ${{…}}")));
    }
    let stat = query.metric_stat.ok_or_else(|| Error::Missing(format!("{at}.MetricStat")))?;
    let missing = |name: &str| Error::Missing(format!("{at}.MetricStat.Metric.{name}"));
    let metric = Metric {
        scope: scope.clone(),
        namespace: stat.metric.namespace.ok_or_else(|| missing("Namespace"))?,
        name: stat.metric.metric_name.ok_or_else(|| missing("MetricName"))?,
        dimensions: dimensions(stat.metric.dimensions, &format!("{at}.MetricStat.Metric.Dimensions"))?,
    };
    let parameter = format!("{at}.MetricStat.Stat");
    Ok(Asked {
        id: query.id,
        label,
        metric,
        period_s: period(stat.period, &format!("{at}.MetricStat.Period"))?,
        stat: Stat::parse(&stat.stat).map_err(|error| Error::statistic(&parameter, error))?,
        unit: unit(stat.unit)?,
    })
}

fn is_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Gives names to series that the caller gave none: the metric's, and with it the statistic's where several series are of
/// one metric.
fn label(asked: Vec<(Asked, bool)>) -> Vec<Asked> {
    let names: Vec<String> = asked.iter().map(|(one, _)| one.metric.name.clone()).collect();
    let name = |(mut one, is_labelled): (Asked, bool)| {
        if !is_labelled {
            let alike = names.iter().filter(|name| **name == one.metric.name).count();
            one.label = match alike {
                1 => one.metric.name.clone(),
                _ => format!("{} {}", one.metric.name, one.stat),
            };
        }
        one
    };
    asked.into_iter().map(name).collect()
}

/// Where a page begins: at a query, and in it beyond a time.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub query: usize,
    pub at_ms: Option<i64>,
}

impl Cursor {
    pub fn parse(token: &str) -> Result<Cursor, Error> {
        let text = page::decode(token)?;
        let parse = || {
            let (query, at_ms) = text.split_once(':')?;
            let at_ms = if at_ms.is_empty() { None } else { Some(at_ms.parse().ok()?) };
            Some(Cursor { query: query.parse().ok()?, at_ms })
        };
        parse().ok_or(Error::Token)
    }

    pub fn to_token(&self) -> String {
        let at_ms = self.at_ms.map(|at_ms| at_ms.to_string()).unwrap_or_default();
        page::encode(&format!("{}:{at_ms}", self.query))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written() {
        for cursor in [Cursor { query: 3, at_ms: None }, Cursor { query: 0, at_ms: Some(-7) }] {
            assert_eq!(Cursor::parse(&cursor.to_token()).expect("a token"), cursor);
        }
        for text in ["", "3", "x:", "1:x", ":"] {
            assert!(Cursor::parse(&page::encode(text)).is_err(), "{text}");
        }
    }
}
