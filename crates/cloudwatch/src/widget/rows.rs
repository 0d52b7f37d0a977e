//! The rows of a widget's `metrics`, made into queries.

use std::collections::HashSet;

use pitbird_names::Scope;
use pitbird_plot::{Color, Side};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{check_place, color, on_side, read};
use crate::Error;
use crate::query::{Dimension, Identity, MetricDataQuery, MetricStat};

/// Rows of one widget. Source: GetMetricData, which they become queries of.
const ROWS_MAX: usize = 500;
/// Texts of a row: a namespace, a metric, 30 dimensions with their values.
const TEXTS_MAX: usize = 62;

/// What rows have that say nothing of it.
pub struct Defaults {
    pub period_s: u32,
    pub stat: String,
}

/// How a row is drawn.
#[derive(Debug)]
pub struct Row {
    pub color: Option<Color>,
    pub side: Side,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Renderer {
    color: Option<String>,
    label: Option<String>,
    period: Option<u32>,
    stat: Option<String>,
    visible: Option<bool>,
    y_axis: Option<String>,
    id: Option<String>,
    expression: Option<String>,
    region: Option<String>,
    account_id: Option<String>,
}

/// How each row is drawn, and its query.
pub fn parse(
    metrics: Option<&Json>,
    defaults: &Defaults,
    scope: &Scope,
) -> Result<(Vec<Row>, Vec<MetricDataQuery>), Error> {
    let rows = match metrics {
        None => return Err(Error::Missing("MetricWidget.metrics".to_owned()).into_invalid()),
        Some(Json::Array(rows)) => rows,
        Some(_) => return Err(no_row("metrics")),
    };
    if rows.len() > ROWS_MAX {
        let parameter = "MetricWidget.metrics".to_owned();
        return Err(Error::TooMany { parameter, limit: ROWS_MAX }.into_invalid());
    }
    let mut names = Names::new(rows);
    let mut before: Vec<String> = Vec::new();
    let (mut drawn, mut queries) = (Vec::new(), Vec::new());
    for (number, row) in rows.iter().enumerate() {
        let at = format!("metrics[{number}]");
        let (texts, renderer) = split(row, &at)?;
        let renderer: Renderer = read(&Json::Object(renderer), &format!("MetricWidget.{at}"))?;
        check_place(
            &format!("MetricWidget.{at}"),
            renderer.region.as_deref(),
            renderer.account_id.as_deref(),
            scope,
        )?;
        drawn.push(Row {
            color: color(renderer.color.as_deref(), &format!("{at}.color"))?,
            side: on_side(renderer.y_axis.as_deref(), &format!("{at}.yAxis"))?,
        });
        if renderer.expression.is_none() {
            before = expand(&texts, &before).ok_or_else(|| no_row(&at))?;
        } else if !texts.is_empty() || renderer.stat.is_some() {
            return Err(no_row(&at));
        }
        queries.push(query(renderer, &before, defaults, &mut names));
    }
    Ok((drawn, queries))
}

fn no_row(at: &str) -> Error {
    Error::Invalid(format!(
        "The value for parameter MetricWidget.{at} is invalid: Field \"metrics\" has to be an array of array of strings, with an \
         optional metricRenderer object as last element"
    ))
}

/// A row's texts, and what stands after them.
fn split(row: &Json, at: &str) -> Result<(Vec<String>, Map<String, Json>), Error> {
    let Json::Array(cells) = row else { return Err(no_row(at)) };
    let (renderer, texts) = match cells.split_last() {
        Some((Json::Object(renderer), texts)) => (renderer.clone(), texts),
        _ => (Map::new(), cells.as_slice()),
    };
    let texts = texts.iter().map(|text| text.as_str().map(str::to_owned));
    Ok((texts.collect::<Option<_>>().ok_or_else(|| no_row(at))?, renderer))
}

/// A row with what it takes from the row before: `.` is what stood in its place, `...` all before what follows.
fn expand(texts: &[String], before: &[String]) -> Option<Vec<String>> {
    let (mut whole, rest) = match texts.split_first() {
        Some((first, rest)) if first == "..." => {
            (before[..before.len().checked_sub(rest.len())?].to_vec(), rest)
        }
        _ => (Vec::new(), texts),
    };
    for text in rest {
        whole.push(if text == "." { before.get(whole.len())?.clone() } else { text.clone() });
    }
    (whole.len() >= 2 && whole.len().is_multiple_of(2) && whole.len() <= TEXTS_MAX).then_some(whole)
}

fn query(renderer: Renderer, texts: &[String], defaults: &Defaults, names: &mut Names) -> MetricDataQuery {
    let is_expression = renderer.expression.is_some();
    let period_s = renderer.period.unwrap_or(defaults.period_s);
    let metric_stat = (!is_expression).then(|| MetricStat {
        metric: Identity {
            namespace: texts.first().cloned(),
            metric_name: texts.get(1).cloned(),
            dimensions: Some(
                texts[2..]
                    .chunks_exact(2)
                    .map(|pair| Dimension { name: pair[0].clone(), value: pair[1].clone() })
                    .collect(),
            ),
        },
        period: period_s,
        stat: renderer.stat.unwrap_or_else(|| defaults.stat.clone()),
        unit: None,
    });
    MetricDataQuery {
        id: renderer.id.unwrap_or_else(|| names.next()),
        metric_stat,
        expression: renderer.expression,
        label: renderer.label,
        return_data: Some(renderer.visible.unwrap_or(true)),
        period: is_expression.then_some(period_s),
        account_id: None,
    }
}

/// Ids for rows that have none.
struct Names {
    taken: HashSet<String>,
    last: usize,
}

impl Names {
    fn new(rows: &[Json]) -> Names {
        let id = |row: &Json| Some(row.as_array()?.last()?.get("id")?.as_str()?.to_owned());
        Names { taken: rows.iter().filter_map(id).collect(), last: 0 }
    }

    fn next(&mut self) -> String {
        loop {
            self.last += 1;
            let name = format!("row{}", self.last);
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_from_the_row_before() {
        let texts = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        let before = texts("N m D v E w");
        for (row, whole) in [
            ("N m", Some("N m")),
            (". n", Some("N n")),
            (". . D x", Some("N m D x")),
            (". . . . . z", Some("N m D v E z")),
            ("... z", Some("N m D v E z")),
            ("... F z", Some("N m D v F z")),
            ("...", Some("N m D v E w")),
            ("N", None),
            ("N m D", None),
            ("", None),
            (". . . . . . .", None),
            ("... 1 2 3 4 5 6 7", None),
        ] {
            assert_eq!(expand(&texts(row), &before), whole.map(texts), "{row}");
        }
        assert_eq!(expand(&texts(". m"), &[]), None);
        let many: Vec<String> = (0..64).map(|n| n.to_string()).collect();
        assert_eq!((expand(&many, &[]), expand(&many[..62], &[]).is_some()), (None, true));
    }
}
