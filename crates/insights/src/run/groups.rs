//! Groups of `stats`, by the values of their keys.

use std::collections::HashMap;
use std::hash::RandomState;
use std::io::Write;

use super::tail::Line;
use crate::aggregate::Accumulator;
use crate::node::Frame;
use crate::plan::Stats;
use crate::value::{Value, sort_order};

/// What a group takes beside its keys' text and its accumulators, bytes.
const GROUP_BYTES: usize = 128;

#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    /// Places among the groups, by key.
    places: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
    groups: Vec<Group>,
    bytes: usize,
    /// The key that was looked for last, and its place: the next event's is often the same.
    last: (Vec<u8>, Option<usize>),
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
        let place = match self.last {
            (ref last, Some(place)) if *last == self.key => place,
            _ => self.place(stats, keys),
        };
        let group = &mut self.groups[place];
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

    /// The place of the key's group, which is made if it isn't there.
    fn place(&mut self, stats: &Stats, keys: smallvec::SmallVec<[Option<Value<'_>>; 4]>) -> usize {
        let place = match self.places.get(self.key.as_slice()) {
            Some(place) => *place,
            None => {
                let keys: Vec<_> = keys.into_iter().map(|value| value.map(Value::into_owned)).collect();
                let accumulators = stats.accumulators.iter().map(|(how, _, _)| how.start()).collect();
                self.bytes += size(&self.key, &keys, stats);
                self.add(self.key.as_slice().into(), Group { keys, accumulators })
            }
        };
        std::mem::swap(&mut self.last.0, &mut self.key);
        self.last.1 = Some(place);
        place
    }

    fn add(&mut self, key: Box<[u8]>, group: Group) -> usize {
        self.places.insert(key, self.groups.len());
        self.groups.push(group);
        self.groups.len() - 1
    }

    pub fn merge(&mut self, stats: &Stats, other: Groups) -> usize {
        let mut keys = vec![Box::default(); other.groups.len()];
        other.places.into_iter().for_each(|(key, place)| keys[place] = key);
        for (key, more) in keys.into_iter().zip(other.groups) {
            match self.places.get(&key) {
                Some(place) => {
                    let group = &mut self.groups[*place];
                    let pairs = group.accumulators.iter_mut().zip(more.accumulators);
                    for ((how, _, _), (accumulator, more)) in stats.accumulators.iter().zip(pairs) {
                        self.bytes += accumulator.merge(*how, more);
                    }
                }
                None => {
                    self.bytes += size(&key, &more.keys, stats);
                    self.add(key, more);
                }
            }
        }
        self.bytes
    }

    /// A row for each group: times falling, all else rising.
    pub fn finish(self, stats: &Stats, slots: usize) -> Vec<Line> {
        let mut groups = self.groups;
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
            out.push(2);
            let start = out.len();
            out.extend_from_slice(&[0; 8]);
            match value {
                Value::Int(int) => write!(out, "{int}").expect("a Vec takes all bytes"),
                value => out.extend_from_slice(value.text().as_bytes()),
            }
            let length = (out.len() - start - 8) as u64;
            out[start..start + 8].copy_from_slice(&length.to_le_bytes());
        }
    }
}
