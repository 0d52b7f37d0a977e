use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::query::cursor::Cursor;
use crate::query::{self, Evaluated, Message, MetricDataQuery, Plan, SeriesResult, Span};
use crate::shape::{milliseconds, seconds};
use crate::{Error, State};

/// Datapoints of one call. Source: GetMetricData.
const DATAPOINTS_MAX: usize = 100_800;
/// Queries that are read together: as few as may fill a page.
const BATCH: usize = 16;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    metric_data_queries: Vec<MetricDataQuery>,
    start_time: f64,
    end_time: f64,
    next_token: Option<String>,
    scan_by: Option<String>,
    max_datapoints: Option<i64>,
    label_options: Option<LabelOptions>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LabelOptions {
    timezone: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    metric_data_results: Vec<Answered>,
    next_token: Option<String>,
    messages: Vec<Said>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    code: &'static str,
    value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answered {
    id: String,
    label: String,
    timestamps: Vec<f64>,
    values: Vec<f64>,
    status_code: &'static str,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let (start_ms, end_ms) = (milliseconds(input.start_time), milliseconds(input.end_time));
    if start_ms >= end_ms {
        return Err(Error::StartTime.into_invalid().into());
    }
    let plan = Plan::parse(&input.metric_data_queries, &caller.scope).map_err(Error::into_invalid)?;
    let zone = input.label_options.and_then(|options| options.timezone);
    let plan = match zone.as_deref().map(query::label::offset).transpose().map_err(Error::into_invalid)? {
        Some(offset) => Arc::new(plan.in_zone(offset)),
        None => Arc::new(plan),
    };
    let cursor = input.next_token.as_deref().map(Cursor::parse).transpose()?.unwrap_or_default();
    let room = match input.max_datapoints {
        None => DATAPOINTS_MAX,
        Some(max) => {
            usize::try_from(max).ok().filter(|max| (1..=DATAPOINTS_MAX).contains(max)).ok_or_else(|| {
                Error::Invalid(format!("MaxDatapoints must be between 1 and {DATAPOINTS_MAX}."))
            })?
        }
    };
    let is_falling = input.scan_by.as_deref() != Some("TimestampAscending");
    let mut page = Page { answered: Vec::new(), next: None, room, is_falling };
    let (mut place, mut messages) = (cursor.query.min(plan.len()), Vec::new());
    while place < plan.len() && page.next.is_none() {
        let batch = place..(place + BATCH).min(plan.len());
        place = batch.end;
        let span = Span { start_ms, end_ms, now_ms };
        let Evaluated { results, messages: more } =
            query::evaluate_some(&state, &plan, batch, span).await.map_err(Error::into_invalid)?;
        for Message { code, value } in more {
            // A search that several batches need says so once.
            if !messages.iter().any(|said: &Said| said.code == code) {
                messages.push(Said { code, value });
            }
        }
        let mut within = (usize::MAX, 0);
        for result in results {
            within = if within.0 == result.query { (within.0, within.1 + 1) } else { (result.query, 0) };
            page.take(within.1, result, &cursor);
        }
    }
    let next_token = page.next.as_ref().map(Cursor::to_token);
    Ok(Output { metric_data_results: page.answered, next_token, messages })
}

struct Page {
    answered: Vec<Answered>,
    /// Where the next page begins, once this one is full.
    next: Option<Cursor>,
    room: usize,
    is_falling: bool,
}

impl Page {
    /// Answers with a series whose points come by rising time, as far as there is room. It is the query's `place`th; what comes
    /// before the cursor has been answered.
    fn take(&mut self, place: usize, result: SeriesResult, cursor: &Cursor) {
        let here = (result.query, place);
        if self.next.is_some() || here < (cursor.query, cursor.series) {
            return;
        }
        let beyond = cursor.at_ms.filter(|_| here == (cursor.query, cursor.series));
        let mut points = result.points;
        if self.is_falling {
            points.reverse();
        }
        if let Some(beyond) = beyond {
            points.retain(|(at_ms, _)| if self.is_falling { *at_ms < beyond } else { *at_ms > beyond });
        }
        let next = |at_ms| Some(Cursor { query: here.0, series: here.1, at_ms });
        if self.room == 0 && !points.is_empty() {
            self.next = next(beyond);
            return;
        }
        let is_whole = points.len() <= self.room;
        points.truncate(self.room);
        self.room -= points.len();
        if !is_whole {
            self.next = next(points.last().map(|(at_ms, _)| *at_ms));
        }
        self.answered.push(Answered {
            id: result.id,
            label: result.label,
            timestamps: points.iter().map(|(at_ms, _)| seconds(*at_ms)).collect(),
            values: points.iter().map(|(_, value)| *value).collect(),
            status_code: if is_whole { "Complete" } else { "PartialData" },
        });
    }
}
