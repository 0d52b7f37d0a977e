//! A query as it is run.

mod compile;
mod expression;
mod needles;
mod stats;

use std::hash::RandomState;

use memchr::memmem::Finder;
use regex::Regex;

use crate::aggregate::Aggregate;
use crate::baseline::Baseline;
use crate::error::CompileError;
use crate::field::Source;
use crate::matcher::Glob;
use crate::node::{Node, Slots};
use crate::syntax::Order;

/// Most rows that a query answers with. Source: StartQuery.
pub const ROWS_MAX: usize = 10_000;

/// What a query is run with.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Rows at most; more than [`ROWS_MAX`] counts as that.
    pub limit: usize,
    /// What `now()` says, milliseconds since 1970.
    pub now_ms: i64,
    /// Bytes that the rows, groups and patterns of one part of the work may take.
    pub bytes_max: usize,
}

/// A compiled query. [`Worker`](crate::Worker)s run it.
#[derive(Debug)]
pub struct Query {
    pub(crate) slots: Slots,
    /// What each event goes through by itself.
    pub(crate) head: Vec<Step>,
    /// Where what has come through is kept.
    pub(crate) sink: Sink,
    /// What happens to the rows of the sink.
    pub(crate) tail: Vec<Step>,
    /// Fields that are shown and their slots.
    pub(crate) shown: Vec<(String, usize)>,
    /// The slots that rows of the sink must bring.
    pub(crate) kept: Vec<usize>,
    /// Are rows still events, and not what has been made of several?
    pub(crate) are_events: bool,
    pub(crate) options: Options,
    pub(crate) hasher: RandomState,
    pub(crate) needles: Vec<String>,
    /// What JSON that passes has in it, but for escapes.
    pub(crate) literals: Vec<Finder<'static>>,
    /// Is the work done as soon as there are so many rows?
    pub(crate) any: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Assign(usize, Node),
    Filter(Node),
    Parse(Node, Extract),
    Stats(Stats),
    Sort(Vec<(Node, Order)>),
    Limit(usize, bool),
    Dedup(Vec<Node>),
    Pattern(Pattern),
}

#[derive(Debug, Clone)]
pub(crate) enum Extract {
    Glob(Glob, Vec<usize>),
    /// Groups by their number, and the slots that they go to.
    Regex(Regex, Vec<(usize, usize)>),
}

/// One `stats`: its keys and accumulators get a slot each; what is made of them is assigned by steps behind it.
#[derive(Debug, Clone)]
pub(crate) struct Stats {
    pub keys: Vec<(Node, usize)>,
    pub accumulators: Vec<(Aggregate, Option<Node>, usize)>,
}

/// Clusters texts; what comes out has slots of its own.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub text: Node,
    pub pattern: usize,
    pub ratio: usize,
    pub count: usize,
    pub severity: usize,
    pub diff: Option<Diff>,
}

/// A comparison with an earlier time, and the slots of what it says.
#[derive(Debug, Clone)]
pub(crate) struct Diff {
    pub baseline: Baseline,
    /// How many more there are now.
    pub more: usize,
    pub words: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Sink {
    Rows(RowsPlan),
    Stats(Stats),
    Pattern(Pattern),
}

/// The rows that come first in an order: of the keys, then the latest.
#[derive(Debug, Clone)]
pub(crate) struct RowsPlan {
    pub keys: Vec<(Node, Order)>,
    /// Of rows with the same values only the first is kept.
    pub dedup: Option<Vec<Node>>,
    pub keep: Option<usize>,
}

impl Query {
    /// Compiles a query.
    pub fn compile(text: &str, options: Options) -> Result<Query, CompileError> {
        let commands = crate::parse::parse(text).map_err(|flaw| flaw.into_error(text))?;
        compile::compile(text, &commands, options).map_err(|flaw| flaw.into_error(text))
    }

    /// Texts that must all be in a message for it to be taken; messages without one needn't be shown to a worker.
    pub fn needles(&self) -> &[String] {
        &self.needles
    }

    /// Do the latest events come first, and are there enough of them at some time? They are best shown to a worker first, which then
    /// needs little of the others.
    pub fn wants_latest_first(&self) -> bool {
        let Sink::Rows(plan) = &self.sink else { return false };
        let is_by_time = match plan.keys.first() {
            None => true,
            Some((Node::Slot(slot), Order::Descending)) => self.slots.sources[*slot] == Source::Timestamp,
            Some(_) => false,
        };
        plan.keep.is_some() && is_by_time
    }

    /// The start and the end of another time whose events are to be shown to a worker of their own,
    /// [`Worker::of_baseline`](crate::Worker::of_baseline), where the query itself is of that from `start_ms` to `end_ms`.
    pub fn baseline(&self, start_ms: i64, end_ms: i64) -> Option<(i64, i64)> {
        match &self.sink {
            Sink::Pattern(Pattern { diff: Some(diff), .. }) => Some(diff.baseline.of(start_ms, end_ms)),
            _ => None,
        }
    }

    /// Are events enough that come first from the end of time, so that reading may stop when a worker
    /// [is full](crate::Worker::is_full)?
    pub fn may_stop_early(&self) -> bool {
        self.any
    }
}
