use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_telemetry::metrics::MetricQuery;
use serde::{Deserialize, Serialize};

use crate::query::data::{self, Asked, Cursor, MetricDataQuery};
use crate::shape::{milliseconds, seconds};
use crate::{Error, State, query};

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
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    metric_data_results: Vec<Answered>,
    next_token: Option<String>,
    messages: [(); 0],
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
    let asked = data::parse(input.metric_data_queries, &caller.scope).map_err(Error::into_invalid)?;
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
    let first = cursor.query.min(asked.len());
    let mut place = first;
    for batch in asked[first..].chunks(BATCH) {
        let queries = batch.iter().map(|one| one.read(start_ms, end_ms, now_ms)).map(query::clamped);
        let queries: Vec<MetricQuery> = queries.collect();
        let found = state.telemetry.statistics(queries).await.map_err(Error::from)?;
        for (one, datapoints) in batch.iter().zip(found) {
            let beyond = cursor.at_ms.filter(|_| place == cursor.query);
            page.take(place, one, query::series(&datapoints), beyond);
            place += 1;
        }
        if page.next.is_some() {
            break;
        }
    }
    let next_token = page.next.as_ref().map(Cursor::to_token);
    Ok(Output { metric_data_results: page.answered, next_token, messages: [] })
}

struct Page {
    answered: Vec<Answered>,
    /// Where the next page begins, once this one is full.
    next: Option<Cursor>,
    room: usize,
    is_falling: bool,
}

impl Page {
    /// Answers a query whose points come by rising time, as far as there is room; `beyond` is the time that the page before
    /// ended with.
    fn take(&mut self, place: usize, asked: &Asked, mut points: Vec<(i64, f64)>, beyond: Option<i64>) {
        if self.next.is_some() {
            return;
        }
        if self.is_falling {
            points.reverse();
        }
        if let Some(beyond) = beyond {
            points.retain(|(at_ms, _)| if self.is_falling { *at_ms < beyond } else { *at_ms > beyond });
        }
        if self.room == 0 && !points.is_empty() {
            self.next = Some(Cursor { query: place, at_ms: beyond });
            return;
        }
        let is_whole = points.len() <= self.room;
        points.truncate(self.room);
        self.room -= points.len();
        if !is_whole {
            self.next = Some(Cursor { query: place, at_ms: points.last().map(|(at_ms, _)| *at_ms) });
        }
        self.answered.push(Answered {
            id: asked.id.clone(),
            label: asked.label.clone(),
            timestamps: points.iter().map(|(at_ms, _)| seconds(*at_ms)).collect(),
            values: points.iter().map(|(_, value)| *value).collect(),
            status_code: if is_whole { "Complete" } else { "PartialData" },
        });
    }
}
