//! Running a compiled query: workers take events, merge, and say what came out.

mod cluster;
mod groups;
mod rows;
mod tail;

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::RunError;
use crate::event::Event;
use crate::node::Frame;
use crate::plan::{Extract, Query, Sink, Step};
use crate::value::Value;

use cluster::Clusters;
use groups::Groups;
use rows::Rows;

/// Takes events one by one, in any order. Several may share the work; they merge in the end.
#[derive(Debug, Clone)]
pub struct Worker {
    query: Arc<Query>,
    store: Store,
    is_baseline: bool,
    scanned: u64,
    matched: u64,
}

#[derive(Debug, Clone)]
enum Store {
    Rows(Rows),
    Groups(Groups),
    Clusters(Clusters),
}

/// What a query answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub names: Vec<String>,
    pub rows: Vec<Row>,
}

/// A row: a value for each name, or none, and where its event lies unless it was made of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub values: Vec<Option<String>>,
    pub pointer: Option<String>,
}

impl Worker {
    pub fn new(query: Arc<Query>) -> Worker {
        let store = match &query.sink {
            Sink::Rows(_) => Store::Rows(Rows::default()),
            Sink::Stats(_) => Store::Groups(Groups::default()),
            Sink::Pattern(_) => Store::Clusters(Clusters::default()),
        };
        Worker { query, store, is_baseline: false, scanned: 0, matched: 0 }
    }

    /// A worker for the events of [`Query::baseline`].
    pub fn of_baseline(query: Arc<Query>) -> Worker {
        Worker { is_baseline: true, ..Worker::new(query) }
    }

    /// Takes an event. [`RunError::TooLarge`] when more would have to be kept than [`Options`](crate::Options) allow.
    pub fn push(&mut self, event: &Event<'_>) -> Result<(), RunError> {
        self.scanned += 1;
        let query: &Query = &self.query;
        if !may_pass(query, event.message) {
            return Ok(());
        }
        let mut frame = Frame::of_event(&query.slots, event, query.options.now_ms.div_euclid(1000));
        if !query.head.iter().all(|step| apply(step, &mut frame)) {
            return Ok(());
        }
        self.matched += 1;
        let when = (event.at_ms, event.id);
        let bytes = match (&mut self.store, &query.sink) {
            (Store::Rows(rows), Sink::Rows(plan)) => rows.push(plan, query, &mut frame, event),
            (Store::Groups(groups), Sink::Stats(stats)) => {
                groups.push(stats, &mut frame, when, &query.hasher)
            }
            (Store::Clusters(clusters), Sink::Pattern(pattern)) => {
                clusters.push(pattern.text.evaluate(&mut frame), self.is_baseline)
            }
            _ => 0,
        };
        self.check(bytes)
    }

    /// Takes what another worker has done. Both run the same query.
    pub fn merge(&mut self, other: Worker) -> Result<(), RunError> {
        self.scanned += other.scanned;
        self.matched += other.matched;
        let bytes = match (&mut self.store, other.store, &self.query.sink) {
            (Store::Rows(rows), Store::Rows(more), Sink::Rows(plan)) => rows.merge(plan, more),
            (Store::Groups(groups), Store::Groups(more), Sink::Stats(stats)) => groups.merge(stats, more),
            (Store::Clusters(clusters), Store::Clusters(more), _) => clusters.merge(more),
            _ => 0,
        };
        self.check(bytes)
    }

    fn check(&self, bytes: usize) -> Result<(), RunError> {
        let limit = self.query.options.bytes_max;
        if bytes > limit { Err(RunError::TooLarge { limit }) } else { Ok(()) }
    }

    /// Are there as many rows as `limit any` asks for?
    pub fn is_full(&self) -> bool {
        match (&self.store, &self.query.sink) {
            (Store::Rows(rows), Sink::Rows(plan)) => {
                self.query.any && plan.keep.is_some_and(|keep| rows.len() >= keep)
            }
            _ => false,
        }
    }

    /// Events that were pushed.
    pub fn scanned(&self) -> u64 {
        self.scanned
    }

    /// Events that passed the filters.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    /// What came out.
    pub fn finish(self) -> Result<Answer, RunError> {
        let query: &Query = &self.query;
        let rows = match (self.store, &query.sink) {
            (Store::Rows(rows), Sink::Rows(plan)) => rows.finish(plan),
            (Store::Groups(groups), Sink::Stats(stats)) => groups.finish(stats, query.slots.sources.len()),
            (Store::Clusters(clusters), Sink::Pattern(pattern)) => {
                clusters.finish(pattern, query.slots.sources.len())
            }
            _ => Vec::new(),
        };
        let mut rows = tail::run(query, rows)?;
        rows.truncate(query.options.limit);
        let shown = |row: tail::Line| {
            let value = |slot: usize| row.cells[slot].as_ref().map(|value| value.text().into_owned());
            let values = query.shown.iter().map(|(_, slot)| value(*slot)).collect();
            Row { values, pointer: row.pointer.filter(|_| query.are_events) }
        };
        let names = query.shown.iter().map(|(name, _)| name.clone()).collect();
        Ok(Answer { names, rows: rows.into_iter().map(shown).collect() })
    }
}

/// False for a message that hasn't what the fields of JSON that filters want have; what is escaped is read.
fn may_pass(query: &Query, message: &str) -> bool {
    let message = message.as_bytes();
    query.literals.iter().all(|literal| literal.find(message).is_some())
        || memchr::memchr(b'\\', message).is_some()
}

/// Does a step that looks at one event only; false when the event is out.
fn apply<'e>(step: &'e Step, frame: &mut Frame<'e>) -> bool {
    match step {
        Step::Filter(node) => return node.is_true(frame),
        Step::Assign(slot, node) => frame.cells[*slot] = node.evaluate(frame),
        Step::Parse(node, extract) => {
            if let Some(value) = node.evaluate(frame) {
                extract_into(extract, value.into_text(), frame);
            }
        }
        _ => {}
    }
    true
}

fn extract_into<'e>(extract: &Extract, text: Cow<'e, str>, frame: &mut Frame<'e>) {
    let mut put = |slot: usize, start: usize, end: usize| {
        frame.cells[slot] = Some(Value::Text(match &text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[start..end]),
            Cow::Owned(text) => Cow::Owned(text[start..end].to_owned()),
        }));
    };
    match extract {
        Extract::Glob(glob, slots) => {
            let mut stars = Vec::with_capacity(slots.len());
            if glob.find(&text, &mut stars) {
                slots.iter().zip(stars).for_each(|(slot, (start, end))| put(*slot, start, end));
            }
        }
        Extract::Regex(regex, groups) => {
            let Some(found) = regex.captures(&text) else { return };
            for (number, slot) in groups {
                if let Some(group) = found.get(*number) {
                    put(*slot, group.start(), group.end());
                }
            }
        }
    }
}
