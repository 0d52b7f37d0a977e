use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use pitbird_filterpattern::Pattern;
use pitbird_names::{Scope, arn};
use pitbird_service::{Call, Event, Events, Fault};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::Nothing;
use crate::live::{Asked, Streams, Tailed, Watching};
use crate::{Error, State, group, identifier};

/// Between two updates. Source: StartLiveTail.
const UPDATE_EVERY: Duration = Duration::from_secs(1);
/// How long a session lasts. Source: StartLiveTail.
const SESSION: Duration = Duration::from_secs(3 * 3600);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_identifiers: Vec<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefixes: Option<Vec<String>>,
    log_event_filter_pattern: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionStart {
    request_id: String,
    session_id: String,
    log_group_identifiers: Vec<String>,
    log_stream_names: Vec<String>,
    log_stream_name_prefixes: Vec<String>,
    log_event_filter_pattern: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionUpdate {
    session_metadata: Metadata,
    session_results: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Metadata {
    sampled: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    log_stream_name: Arc<str>,
    /// `{account}:{group}`.
    log_group_identifier: String,
    message: String,
    timestamp: i64,
    ingestion_time: i64,
}

#[derive(Debug, Serialize)]
struct Timeout {
    message: &'static str,
}

/// Tells of a session, and then each second of the events that came: those that are filed from now on.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<(Nothing, Events), Fault> {
    let Call { caller, input, request_id, .. } = call;
    let scope = caller.scope;
    let mut groups = Vec::new();
    for identifier in &input.log_group_identifiers {
        let name = identifier::parse(identifier, &scope)?;
        group::kept(&state, &scope, &name).await?;
        groups.push(name);
    }
    let streams = match (&input.log_stream_names, &input.log_stream_name_prefixes) {
        (Some(_), Some(_)) => return Err(Error::NamesAndPrefixes.into()),
        (Some(_), None) | (None, Some(_)) if groups.len() != 1 => return Err(Error::StreamsOfOneGroup.into()),
        (Some(names), None) => Streams::Named(names.clone()),
        (None, Some(prefixes)) => Streams::Prefixes(prefixes.clone()),
        (None, None) => Streams::All,
    };
    let pattern_text = input.log_event_filter_pattern.unwrap_or_default();
    let pattern = Pattern::parse(&pattern_text).map_err(Error::from)?;
    let log_group_identifiers = groups.iter().map(|name| arn::log_group(&scope, name)).collect();
    let asked = Asked { scope: scope.clone(), groups, streams, pattern };
    let watching = state.sessions.open(asked)?;
    let start = SessionStart {
        session_id: request_id.clone(),
        request_id,
        log_group_identifiers,
        log_stream_names: input.log_stream_names.unwrap_or_default(),
        log_stream_name_prefixes: input.log_stream_name_prefixes.unwrap_or_default(),
        log_event_filter_pattern: pattern_text,
    };
    Ok((Nothing {}, Box::pin(Tail::new(scope, watching, start))))
}

/// A session's events as they are told.
struct Tail {
    scope: Scope,
    /// `None` when all has been told.
    watching: Option<Watching>,
    start: Option<SessionStart>,
    updates: Interval,
    end: Instant,
}

impl Tail {
    fn new(scope: Scope, watching: Watching, start: SessionStart) -> Tail {
        let now = Instant::now();
        let mut updates = tokio::time::interval_at(now + UPDATE_EVERY, UPDATE_EVERY);
        updates.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Tail { scope, watching: Some(watching), start: Some(start), updates, end: now + SESSION }
    }

    fn line(&self, event: Tailed) -> Line {
        Line {
            log_stream_name: event.stream,
            log_group_identifier: format!("{}:{}", self.scope.account.as_str(), event.group),
            message: event.message,
            timestamp: event.at_ms,
            ingestion_time: event.ingested_ms,
        }
    }
}

impl Stream for Tail {
    type Item = Result<Event, Fault>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Event, Fault>>> {
        let tail = self.get_mut();
        if let Some(start) = tail.start.take() {
            return Poll::Ready(Some(Event::new("sessionStart", &start)));
        }
        if tail.watching.is_none() {
            return Poll::Ready(None);
        }
        let now = ready!(tail.updates.poll_tick(context));
        if tail.watching.as_ref().is_some_and(Watching::is_over) {
            tail.watching = None;
            return Poll::Ready(None);
        }
        if now >= tail.end {
            tail.watching = None;
            let timeout = Timeout { message: "The Live Tail session has timed out." };
            return Poll::Ready(Some(Event::new("SessionTimeoutException", &timeout)));
        }
        let update = tail.watching.as_ref().map(Watching::take).unwrap_or_default();
        let session_results = update.events.into_iter().map(|event| tail.line(event)).collect();
        let session_metadata = Metadata { sampled: update.is_sampled };
        Poll::Ready(Some(Event::new("sessionUpdate", &SessionUpdate { session_metadata, session_results })))
    }
}
