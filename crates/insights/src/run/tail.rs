//! What happens to the rows of the sink.

use std::collections::HashSet;

use super::apply;
use super::cluster::Clusters;
use super::groups::Groups;
use super::rows::same_key;
use crate::error::RunError;
use crate::node::{Frame, Node};
use crate::plan::{Query, Step};
use crate::syntax::Order;
use crate::value::{Value, sort_order};

/// A row between two commands: a cell for each slot.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub cells: Vec<Option<Value<'static>>>,
    /// Time and id of its event.
    pub when: (i64, u128),
    pub pointer: Option<String>,
}

pub(super) fn run(query: &Query, mut lines: Vec<Line>) -> Result<Vec<Line>, RunError> {
    let limit = query.options.bytes_max;
    let slots = query.slots.sources.len();
    for step in &query.tail {
        match step {
            Step::Assign(..) | Step::Filter(_) | Step::Parse(..) => {
                lines = lines.into_iter().filter_map(|line| pass(query, step, line)).collect();
            }
            Step::Stats(stats) => {
                let mut groups = Groups::default();
                for line in lines {
                    let when = line.when;
                    if groups.push(stats, &mut frame(query, line.cells), when, &query.hasher) > limit {
                        return Err(RunError::TooLarge { limit });
                    }
                }
                lines = groups.finish(stats, slots);
            }
            Step::Pattern(pattern) => {
                let mut clusters = Clusters::default();
                for line in lines {
                    if clusters.push(pattern.text.evaluate(&mut frame(query, line.cells)), false) > limit {
                        return Err(RunError::TooLarge { limit });
                    }
                }
                lines = clusters.finish(pattern, slots);
            }
            Step::Sort(keys) => sort(query, keys, &mut lines),
            Step::Limit(count, _) => lines.truncate(*count),
            Step::Dedup(nodes) => {
                let mut seen = HashSet::new();
                let mut place = 0u128;
                lines.retain(|line| {
                    place += 1;
                    seen.insert(same_key(&values(query, nodes, line), place))
                });
            }
        }
    }
    Ok(lines)
}

fn frame<'e>(query: &'e Query, cells: Vec<Option<Value<'static>>>) -> Frame<'e> {
    Frame::of_row(&query.slots, cells, query.options.now_ms.div_euclid(1000))
}

/// One step for one row.
fn pass(query: &Query, step: &Step, line: Line) -> Option<Line> {
    let mut frame = frame(query, line.cells);
    let stays = apply(step, &mut frame);
    let cells = frame.cells.into_iter().map(|cell| cell.map(Value::into_owned)).collect();
    stays.then_some(Line { cells, ..line })
}

fn values(query: &Query, nodes: &[Node], line: &Line) -> Vec<Option<Value<'static>>> {
    let mut frame = frame(query, line.cells.clone());
    nodes.iter().map(|node| node.evaluate(&mut frame).map(Value::into_owned)).collect()
}

/// Keeps the order of rows whose keys are alike.
fn sort(query: &Query, keys: &[(Node, Order)], lines: &mut Vec<Line>) {
    let nodes: Vec<Node> = keys.iter().map(|(node, _)| node.clone()).collect();
    let mut dated: Vec<(Vec<Option<Value<'static>>>, Line)> =
        std::mem::take(lines).into_iter().map(|line| (values(query, &nodes, &line), line)).collect();
    dated.sort_by(|left, right| {
        let orders = keys.iter().zip(left.0.iter().zip(&right.0)).map(|((_, order), (left, right))| {
            let by_key = sort_order(left.as_ref(), right.as_ref());
            if *order == Order::Descending { by_key.reverse() } else { by_key }
        });
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    lines.extend(dated.into_iter().map(|(_, line)| line));
}
