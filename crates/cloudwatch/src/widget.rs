//! The picture of a metric widget: read, evaluated as GetMetricData would, and drawn.
//!
//! Source: CloudWatch API reference, "GetMetricWidgetImage: Metric Widget Structure and Syntax". What of it can't be drawn is refused by name.

mod marks;
mod rows;
mod times;

use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_plot::{Axis, Chart, Color, Legend, PALETTE, SIDE_MAX, Series, Side, View};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tokio::sync::Semaphore;

use crate::query::label::offset;
use crate::query::{self, Evaluated, Plan, Span};
use crate::{Error, State};

use self::rows::Row;

/// Datapoints in one picture, those of a page of GetMetricData.
const DATAPOINTS_MAX: usize = 100_800;
/// Pictures that are drawn at the same time, of up to 16 MB each; others wait.
const DRAWN_AT_ONCE: usize = 4;
/// Datapoints that began less than this ago aren't whole, and shown only as live data.
const MINUTE_MS: i64 = 60_000;

static TURNS: Semaphore = Semaphore::const_new(DRAWN_AT_ONCE);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    width: Option<u32>,
    height: Option<u32>,
    title: Option<String>,
    view: Option<String>,
    stacked: Option<bool>,
    theme: Option<String>,
    period: Option<u32>,
    stat: Option<String>,
    start: Option<String>,
    end: Option<String>,
    timezone: Option<String>,
    region: Option<String>,
    account_id: Option<String>,
    live_data: Option<bool>,
    legend: Option<GivenLegend>,
    y_axis: Option<GivenAxes>,
}

#[derive(Debug, Deserialize)]
struct GivenLegend {
    position: Option<String>,
}

#[derive(Debug, Deserialize)]
struct GivenAxes {
    left: Option<GivenAxis>,
    right: Option<GivenAxis>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenAxis {
    label: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    show_units: Option<bool>,
}

/// What is to be drawn, as soon as it is known.
#[derive(Debug)]
pub struct Widget {
    plan: Arc<Plan>,
    rows: Vec<Row>,
    span: Span,
    is_live: bool,
    /// Without its series.
    chart: Chart,
}

impl Widget {
    /// Reads a widget, a JSON text, of a caller who may see the metrics of `scope`.
    pub fn parse(text: &str, scope: &Scope, now_ms: i64) -> Result<Widget, Error> {
        let broken = || Error::Invalid("The parameter MetricWidget must be a valid JSON object.".to_owned());
        let mut json: Json = serde_json::from_str(text).map_err(|_| broken())?;
        let members = json.as_object_mut().ok_or_else(broken)?;
        let (metrics, annotations) = (members.remove("metrics"), members.remove("annotations"));
        let given: Given = read(&json, "MetricWidget")?;
        check_place("MetricWidget", given.region.as_deref(), given.account_id.as_deref(), scope)?;
        let defaults = rows::Defaults {
            period_s: given.period.unwrap_or(300),
            stat: given.stat.clone().unwrap_or_else(|| "Average".to_owned()),
        };
        let (rows, queries) = rows::parse(metrics.as_ref(), &defaults, scope)?;
        let offset = given.timezone.as_deref().map(offset).transpose().map_err(Error::into_invalid)?;
        let plan = Plan::parse(&queries, scope).map_err(Error::into_invalid)?;
        let plan = match offset {
            Some(offset) => plan.in_zone(offset),
            None => plan,
        };
        let start_ms = times::parse(given.start.as_deref().unwrap_or("-PT3H"), "start", now_ms)?;
        let end_ms = times::parse(given.end.as_deref().unwrap_or("PT0H"), "end", now_ms)?;
        if start_ms >= end_ms {
            return Err(Error::StartTime.into_invalid());
        }
        // A minute that has begun is shown whole, as its datapoint is.
        let start_ms = start_ms.div_euclid(MINUTE_MS) * MINUTE_MS;
        let mut chart = chart(&given, start_ms, end_ms, offset.map_or(0, |offset| offset.whole_seconds()))?;
        (chart.horizontals, chart.verticals) = marks::parse(annotations.as_ref(), now_ms)?;
        let span = Span { start_ms, end_ms, now_ms };
        Ok(Widget { plan: Arc::new(plan), rows, span, is_live: given.live_data.unwrap_or(false), chart })
    }

    /// Evaluates and draws; gives a PNG.
    pub async fn draw(self, state: &State) -> Result<Vec<u8>, Error> {
        // Never closed.
        let _turn = TURNS.acquire().await.map_err(|_| Error::from(pitbird_telemetry::Error::Closed))?;
        let Widget { plan, rows, span, is_live, mut chart } = self;
        let Evaluated { results, .. } =
            query::evaluate(state, &plan, span).await.map_err(Error::into_invalid)?;
        let asked = results.iter().map(|result| result.points.len()).sum::<usize>();
        if asked > DATAPOINTS_MAX {
            let (asked, limit) = (asked as u64, DATAPOINTS_MAX as u64);
            return Err(Error::TooManyDatapoints { asked, limit }.into_invalid());
        }
        let whole_ms = if is_live { i64::MAX } else { span.now_ms.div_euclid(MINUTE_MS) * MINUTE_MS };
        for (number, result) in results.into_iter().enumerate() {
            let Some(row) = rows.get(result.query) else { continue };
            let mut points = result.points;
            points.retain(|(at_ms, _)| *at_ms < whole_ms);
            chart.series.push(Series {
                label: result.label,
                color: row.color.unwrap_or(PALETTE[number % PALETTE.len()]),
                side: row.side,
                period_ms: i64::from(result.period_s) * 1000,
                points,
            });
        }
        // Cancelled only when the runtime ends.
        let drawn = tokio::task::spawn_blocking(move || pitbird_plot::draw(&chart)).await;
        let drawn = drawn.map_err(|_| Error::from(pitbird_telemetry::Error::Closed))?;
        drawn.map_err(|error| Error::Invalid(error.to_string()))
    }
}

fn chart(given: &Given, start_ms: i64, end_ms: i64, offset_s: i32) -> Result<Chart, Error> {
    if given.theme.as_deref().is_some_and(|theme| theme != "light") {
        return Err(Error::unsupported("MetricWidget.theme other than light"));
    }
    let axes = given.y_axis.as_ref();
    Ok(Chart {
        width: side("width", given.width, 600)?,
        height: side("height", given.height, 400)?,
        title: given.title.clone().unwrap_or_default(),
        view: match given.view.as_deref() {
            None | Some("timeSeries") => View::TimeSeries,
            Some("singleValue") => View::SingleValue,
            Some("bar") => View::Bar,
            Some("pie") => View::Pie,
            Some(other) => return Err(Error::unsupported(format!("MetricWidget.view {other}"))),
        },
        is_stacked: given.stacked.unwrap_or(false),
        legend: match given.legend.as_ref().and_then(|legend| legend.position.as_deref()) {
            None | Some("bottom") => Legend::Bottom,
            Some("right") => Legend::Right,
            Some("hidden") => Legend::Hidden,
            Some(other) => return Err(invalid("legend.position", other)),
        },
        left: axis("left", axes.and_then(|axes| axes.left.as_ref()))?,
        right: axis("right", axes.and_then(|axes| axes.right.as_ref()))?,
        series: Vec::new(),
        horizontals: Vec::new(),
        verticals: Vec::new(),
        start_ms,
        end_ms,
        offset_s,
    })
}

fn side(name: &str, given: Option<u32>, default: u32) -> Result<u32, Error> {
    let length = given.unwrap_or(default);
    if (1..=SIDE_MAX).contains(&length) { Ok(length) } else { Err(invalid(name, length)) }
}

fn axis(name: &str, given: Option<&GivenAxis>) -> Result<Axis, Error> {
    let Some(given) = given else { return Ok(Axis::default()) };
    if given.show_units == Some(true) {
        return Err(Error::unsupported(format!("MetricWidget.yAxis.{name}.showUnits")));
    }
    if let (Some(min), Some(max)) = (given.min, given.max)
        && min >= max
    {
        return Err(invalid(&format!("yAxis.{name}.min"), min));
    }
    Ok(Axis { label: given.label.clone().unwrap_or_default(), min: given.min, max: given.max })
}

fn invalid(name: &str, value: impl ToString) -> Error {
    Error::value(format!("MetricWidget.{name}"), value).into_invalid()
}

/// Reads what stands at a place. Members that aren't known are refused by name.
fn read<T: DeserializeOwned>(json: &Json, at: &str) -> Result<T, Error> {
    let wrong = |cause: String| Error::Invalid(format!("The value for parameter {at} is invalid: {cause}"));
    let value = pitbird_wire::to_value(json).map_err(|error| wrong(error.to_string()))?;
    let (read, ignored) =
        pitbird_wire::from_value_reporting::<T>(value).map_err(|error| wrong(error.to_string()))?;
    match ignored.first() {
        Some(path) => Err(Error::unsupported(format!("{at}.{path}"))),
        None => Ok(read),
    }
}

/// Metrics of other regions and accounts aren't seen.
fn check_place(at: &str, region: Option<&str>, account: Option<&str>, scope: &Scope) -> Result<(), Error> {
    if region.is_some_and(|region| region != scope.region.as_str()) {
        return Err(Error::unsupported(format!("{at}.region of another region")));
    }
    if account.is_some_and(|account| account != scope.account.as_str()) {
        return Err(Error::unsupported(format!("{at}.accountId of another account")));
    }
    Ok(())
}

fn color(text: Option<&str>, at: &str) -> Result<Option<Color>, Error> {
    let parse = |text: &str| {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |from: usize| u8::from_str_radix(digits.get(from..from + 2)?, 16).ok();
        Some(Color(part(0)?, part(2)?, part(4)?))
    };
    text.map(|text| parse(text).ok_or_else(|| invalid(at, text))).transpose()
}

fn on_side(text: Option<&str>, at: &str) -> Result<Side, Error> {
    match text {
        None | Some("left") => Ok(Side::Left),
        Some("right") => Ok(Side::Right),
        Some(other) => Err(invalid(at, other)),
    }
}
