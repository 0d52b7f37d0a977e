//! Whole queries over a few events, as a table: a query and the rows that it answers.

mod commands;
mod functions;
mod language;
mod properties;

use crate::{Answer, CompileError, Event, Options, Query, Worker};

/// 2025-11-28 10:00:00.
const START_MS: i64 = 1_764_324_000_000;

fn options() -> Options {
    Options { limit: 10_000, now_ms: START_MS, bytes_max: 64 << 20 }
}

/// An event `after_s` seconds after the start; its place in the list is its id.
fn events<'m>(log: &'m str, messages: &[(i64, &'m str)]) -> Vec<Event<'m>> {
    let event = |(place, (after_s, message)): (usize, &(i64, &'m str))| {
        let at_ms = START_MS + after_s * 1000;
        Event {
            log,
            stream: "s",
            at_ms,
            ingested_ms: at_ms + 5,
            id: place as u128 + 1,
            pointer: &"here",
            message,
        }
    };
    messages.iter().enumerate().map(event).collect()
}

fn run(text: &str, events: &[Event<'_>]) -> Answer {
    let query = Query::compile(text, options()).unwrap_or_else(|error| panic!("{text}: {error}"));
    let query = std::sync::Arc::new(query);
    let mut worker = Worker::new(query.clone());
    for event in events {
        worker.push(event).expect("room");
    }
    worker.finish().expect("room")
}

/// Rows as text: values joined by a bar, `-` for one that is missing.
fn lines(answer: &Answer) -> Vec<String> {
    let line = |row: &crate::Row| {
        let values = row.values.iter().map(|value| value.as_deref().unwrap_or("-"));
        values.collect::<Vec<_>>().join("|")
    };
    answer.rows.iter().map(line).collect()
}

fn check(text: &str, events: &[Event<'_>], rows: &[&str]) {
    assert_eq!(lines(&run(text, events)), rows, "{text}");
}

/// What one expression says of one event; `-` if nothing.
fn value(expression: &str, message: &str) -> String {
    let events = events("0:g", &[(0, message)]);
    lines(&run(&format!("fields {expression} as x | display x"), &events)).join("")
}

fn malformed(text: &str) -> (String, std::ops::Range<usize>) {
    match Query::compile(text, options()) {
        Err(CompileError::Malformed { message, at }) => (message, at),
        other => panic!("{text}: {other:?}"),
    }
}

fn unsupported(text: &str) -> String {
    match Query::compile(text, options()) {
        Err(CompileError::Unsupported(what)) => what,
        other => panic!("{text}: {other:?}"),
    }
}
