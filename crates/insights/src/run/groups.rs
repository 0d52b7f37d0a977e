//! Groups of `stats`, by the values of their keys.

use std::collections::HashMap;
use std::hash::RandomState;

use super::tail::Line;
use crate::aggregate::Accumulator;
use crate::node::Frame;
use crate::plan::Stats;
use crate::value::{Value, sort_order};

/// What a group takes beside its keys' text and its accumulators, bytes.
const GROUP_BYTES: usize = 128;

#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    groups: HashMap<Box<[u8]>, Group>,
    bytes: usize,
    /// The key that is looked for, kept for its room.
    key: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Group {
    keys: Vec<Option<Value<'static>>>,
    accumulators: Vec<Accumulator>,
}

impl Groups {
    /// Answers how many bytes there are now.
    pub fn push<'e>(
        &mut self,
        stats: &'e Stats,
        frame: &mut Frame<'e>,
        when: (i64, u128),
        hasher: &RandomState,
    ) -> usize {
        let keys: smallvec::SmallVec<[_; 4]> =
            stats.keys.iter().map(|(node, _)| node.evaluate(frame)).collect();
        self.key.clear();
        keys.iter().for_each(|value| write_key(&mut self.key, value.as_ref()));
        if !self.groups.contains_key(self.key.as_slice()) {
            let keys: Vec<_> = keys.into_iter().map(|value| value.map(Value::into_owned)).collect();
            let accumulators = stats.accumulators.iter().map(|(how, _, _)| how.start()).collect();
            self.bytes += size(&self.key, &keys, stats);
            self.groups.insert(self.key.as_slice().into(), Group { keys, accumulators });
        }
        let Some(group) = self.groups.get_mut(self.key.as_slice()) else { return self.bytes };
        for ((how, node, _), accumulator) in stats.accumulators.iter().zip(&mut group.accumulators) {
            let value = match node {
                None => Some(Value::Bool(true)),
                Some(node) => node.evaluate(frame),
            };
            if let Some(value) = value {
                self.bytes += accumulator.add(*how, value, when, hasher);
            }
        }
        self.bytes
    }

    pub fn merge(&mut self, stats: &Stats, other: Groups) -> usize {
        for (key, more) in other.groups {
            match self.groups.get_mut(&key) {
                Some(group) => {
                    let pairs = group.accumulators.iter_mut().zip(more.accumulators);
                    for ((how, _, _), (accumulator, more)) in stats.accumulators.iter().zip(pairs) {
                        self.bytes += accumulator.merge(*how, more);
                    }
                }
                None => {
                    self.bytes += size(&key, &more.keys, stats);
                    self.groups.insert(key, more);
                }
            }
        }
        self.bytes
    }

    /// A row for each group: times falling, all else rising.
    pub fn finish(self, stats: &Stats, slots: usize) -> Vec<Line> {
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        groups.sort_by(|left, right| {
            let orders = left.keys.iter().zip(&right.keys).map(|(left, right)| match (left, right) {
                (Some(Value::Time(left)), Some(Value::Time(right))) => right.cmp(left),
                (left, right) => sort_order(left.as_ref(), right.as_ref()),
            });
            orders.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        let line = |group: Group| {
            let mut cells = vec![None; slots];
            for ((_, slot), value) in stats.keys.iter().zip(group.keys) {
                cells[*slot] = value;
            }
            for ((how, _, slot), accumulator) in stats.accumulators.iter().zip(&group.accumulators) {
                cells[*slot] = accumulator.result(*how);
            }
            Line { cells, when: (0, 0), pointer: None }
        };
        groups.into_iter().map(line).collect()
    }
}

fn size(key: &[u8], keys: &[Option<Value<'_>>], stats: &Stats) -> usize {
    let values: usize = keys.iter().flatten().map(|value| 48 + value.heap_bytes()).sum();
    GROUP_BYTES + key.len() + values + stats.accumulators.len() * size_of::<Accumulator>()
}

/// Appends a value so that two are alike when they would be printed alike.
pub(super) fn write_key(out: &mut Vec<u8>, value: Option<&Value<'_>>) {
    match value {
        None => out.push(0),
        Some(Value::Time(at_ms)) => {
            out.push(1);
            out.extend_from_slice(&at_ms.to_le_bytes());
        }
        Some(value) => {
            let text = value.text();
            out.push(2);
            out.extend_from_slice(&(text.len() as u64).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
    }
}
