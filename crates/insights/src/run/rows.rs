//! Rows that come first in an order, and no more of them than are asked for.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::groups::write_key;
use super::tail::Line;
use crate::event::Event;
use crate::node::Frame;
use crate::plan::{Query, RowsPlan};
use crate::syntax::Order;
use crate::value::{Value, sort_order};

/// What a row takes beside its texts, bytes.
const ROW_BYTES: usize = 256;

#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    rows: Vec<Kept>,
    /// With `dedup`: where the row with these values is.
    places: HashMap<Box<[u8]>, usize>,
    bytes: usize,
    /// The first `keep` rows are sorted: a row that comes after the last of them isn't needed.
    is_cut: bool,
}

#[derive(Debug, Clone)]
struct Kept {
    keys: Vec<Option<Value<'static>>>,
    /// The values that a row must not share with an earlier one.
    same: Option<Box<[u8]>>,
    line: Line,
    bytes: usize,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Answers how many bytes there are now.
    pub fn push<'e>(
        &mut self,
        plan: &'e RowsPlan,
        query: &Query,
        frame: &mut Frame<'e>,
        event: &Event<'_>,
    ) -> usize {
        let when = (event.at_ms, event.id);
        let keys: Vec<_> = plan.keys.iter().map(|(node, _)| node.evaluate(frame)).collect();
        if self.is_cut
            && let Some(last) = plan.keep.and_then(|keep| self.rows.get(keep - 1))
            && order(plan, (&keys, when), (&last.keys, last.line.when)) == Ordering::Greater
        {
            return self.bytes;
        }
        let same = plan.dedup.as_ref().map(|nodes| {
            let values: Vec<_> = nodes.iter().map(|node| node.evaluate(frame)).collect();
            same_key(&values, event.id)
        });
        let mut cells = vec![None; query.slots.sources.len()];
        for slot in &query.kept {
            cells[*slot] = frame.get(*slot).map(Value::into_owned);
        }
        let pointer = query.are_events.then(|| event.pointer.to_string());
        let keys: Vec<_> = keys.into_iter().map(|value| value.map(Value::into_owned)).collect();
        let values = keys.iter().chain(&cells).flatten();
        let bytes = ROW_BYTES
            + (keys.len() + cells.len()) * size_of::<Value<'_>>()
            + values.map(Value::heap_bytes).sum::<usize>()
            + pointer.as_ref().map_or(0, String::len)
            + same.as_ref().map_or(0, |same| 2 * same.len());
        self.keep(plan, Kept { keys, same, line: Line { cells, when, pointer }, bytes });
        self.bytes
    }

    fn keep(&mut self, plan: &RowsPlan, row: Kept) {
        if let Some(same) = &row.same {
            if let Some(place) = self.places.get(same) {
                let other = &mut self.rows[*place];
                let is_earlier =
                    order(plan, (&row.keys, row.line.when), (&other.keys, other.line.when)) == Ordering::Less;
                if is_earlier {
                    self.bytes = self.bytes + row.bytes - other.bytes;
                    *other = row;
                }
                return;
            }
            self.places.insert(same.clone(), self.rows.len());
        }
        self.bytes += row.bytes;
        self.rows.push(row);
        // Duplicates must be known to the end.
        if let Some(keep) = plan.keep
            && plan.dedup.is_none()
            && self.rows.len() >= 2 * keep + 64
        {
            self.cut(plan, keep);
        }
    }

    fn cut(&mut self, plan: &RowsPlan, keep: usize) {
        self.sort(plan);
        self.rows.truncate(keep);
        self.bytes = self.rows.iter().map(|row| row.bytes).sum();
        self.is_cut = true;
    }

    fn sort(&mut self, plan: &RowsPlan) {
        self.rows
            .sort_by(|left, right| order(plan, (&left.keys, left.line.when), (&right.keys, right.line.when)));
    }

    pub fn merge(&mut self, plan: &RowsPlan, other: Rows) -> usize {
        other.rows.into_iter().for_each(|row| self.keep(plan, row));
        self.bytes
    }

    pub fn finish(mut self, plan: &RowsPlan) -> Vec<Line> {
        self.sort(plan);
        self.rows.truncate(plan.keep.unwrap_or(usize::MAX));
        self.rows.into_iter().map(|row| row.line).collect()
    }
}

/// The values of `dedup`; an event that lacks one is like no other. Source: AWS, dedup.
pub(super) fn same_key(values: &[Option<Value<'_>>], id: u128) -> Box<[u8]> {
    let mut key = Vec::new();
    values.iter().for_each(|value| write_key(&mut key, value.as_ref()));
    if values.iter().any(Option::is_none) {
        key.extend_from_slice(&id.to_le_bytes());
    }
    key.into()
}

type Ordered<'k, 'v> = (&'k [Option<Value<'v>>], (i64, u128));

/// By the keys, then the latest first.
fn order(plan: &RowsPlan, left: Ordered<'_, '_>, right: Ordered<'_, '_>) -> Ordering {
    for ((_, order), (left, right)) in plan.keys.iter().zip(left.0.iter().zip(right.0)) {
        let by_key = sort_order(left.as_ref(), right.as_ref());
        let by_key = if *order == Order::Descending { by_key.reverse() } else { by_key };
        if by_key.is_ne() {
            return by_key;
        }
    }
    right.1.cmp(&left.1)
}
