//! Finds a few values of a JSON object and skips all others.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::selector::{Selector, Step};

/// Several selectors as one tree, of which the first node is the object itself.
#[derive(Debug, Clone)]
pub struct Lookup {
    nodes: Vec<Node>,
    selectors: usize,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// Selectors that end here.
    ends: Vec<usize>,
    steps: Vec<(Step, usize)>,
    /// Does a wildcard lead here, so that there may be several values?
    is_many: bool,
}

/// What was found by each selector, as it is written in the message.
pub type Found<'a> = Vec<Vec<&'a str>>;

impl Lookup {
    pub fn new(selectors: &[Selector]) -> Lookup {
        let mut lookup = Lookup { nodes: vec![Node::default()], selectors: selectors.len() };
        for (number, selector) in selectors.iter().enumerate() {
            let mut at = 0;
            for step in &selector.steps {
                at = lookup.child(at, step);
            }
            lookup.nodes[at].ends.push(number);
        }
        lookup
    }

    fn child(&mut self, at: usize, step: &Step) -> usize {
        if let Some((_, child)) = self.nodes[at].steps.iter().find(|(known, _)| known == step) {
            return *child;
        }
        let is_many = self.nodes[at].is_many || matches!(step, Step::AnyName | Step::AnyPlace);
        let child = self.nodes.len();
        self.nodes.push(Node { is_many, ..Node::default() });
        self.nodes[at].steps.push((step.clone(), child));
        child
    }

    /// Looks through a message; `None` unless it is a JSON object and nothing else.
    pub fn find<'a>(&self, message: &'a str) -> Option<Found<'a>> {
        if !message.trim_start().starts_with('{') {
            return None;
        }
        let mut found = vec![Vec::new(); self.selectors];
        self.visit(0, message, &mut found)?;
        Some(found)
    }

    fn visit<'a>(&self, node: usize, written: &'a str, found: &mut Found<'a>) -> Option<()> {
        let mut source = serde_json::Deserializer::from_str(written);
        let walk = Walk { lookup: self, node, found };
        source.deserialize_any(walk).ok()?;
        source.end().ok()
    }
}

/// Walks into the value of a node that has children.
struct Walk<'l, 'f, 'a> {
    lookup: &'l Lookup,
    node: usize,
    found: &'f mut Found<'a>,
}

impl<'a> Walk<'_, '_, 'a> {
    /// The children that a step leads to: seldom more than one.
    fn children(&self, is_step: impl Fn(&Step) -> bool) -> (Option<usize>, Option<usize>) {
        let steps = &self.lookup.nodes[self.node].steps;
        let mut children = steps.iter().filter(|(step, _)| is_step(step)).map(|(_, child)| *child);
        (children.next(), children.next())
    }

    fn of(&mut self, node: usize) -> Reach<'_, '_, 'a> {
        Reach { lookup: self.lookup, node, found: self.found }
    }

    /// A value that two children want, a name's and a wildcard's.
    fn both(&mut self, nodes: [usize; 2], written: &'a str) -> Result<(), serde_json::Error> {
        for node in nodes {
            self.of(node).take(written)?;
        }
        Ok(())
    }
}

impl<'a> Visitor<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        loop {
            let key = map.next_key_seed(Key(|key: &str| {
                self.children(|step| match step {
                    Step::Name(name) => name == key,
                    Step::AnyName => true,
                    Step::Place(_) | Step::AnyPlace => false,
                })
            }))?;
            match key {
                None => return Ok(()),
                Some((None, _)) => drop(map.next_value::<IgnoredAny>()?),
                Some((Some(node), None)) => map.next_value_seed(self.of(node))?,
                Some((Some(one), Some(other))) => {
                    let value: &'a RawValue = map.next_value()?;
                    self.both([one, other], value.get()).map_err(serde::de::Error::custom)?;
                }
            }
        }
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut items: A) -> Result<(), A::Error> {
        for place in 0.. {
            let children = self.children(|step| match step {
                Step::Place(wanted) => *wanted == place,
                Step::AnyPlace => true,
                Step::Name(_) | Step::AnyName => false,
            });
            let more = match children {
                (None, _) => items.next_element::<IgnoredAny>()?.is_some(),
                (Some(node), None) => items.next_element_seed(self.of(node))?.is_some(),
                (Some(one), Some(other)) => match items.next_element::<&'a RawValue>()? {
                    Some(value) => {
                        self.both([one, other], value.get()).map_err(serde::de::Error::custom)?;
                        true
                    }
                    None => false,
                },
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    // Whatever else stands where an object or an array was looked for has nothing in it.

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The value of a node: kept if a selector ends there, walked into if others go on.
struct Reach<'l, 'f, 'a> {
    lookup: &'l Lookup,
    node: usize,
    found: &'f mut Found<'a>,
}

impl<'a> Reach<'_, '_, 'a> {
    fn take(self, written: &'a str) -> Result<(), serde_json::Error> {
        let node = &self.lookup.nodes[self.node];
        for end in &node.ends {
            if !node.is_many {
                // Of two with the same key the last counts.
                self.found[*end].clear();
            }
            self.found[*end].push(written);
        }
        if !node.steps.is_empty() && written.starts_with(['{', '[']) {
            let mut source = serde_json::Deserializer::from_str(written);
            let walk = Walk { lookup: self.lookup, node: self.node, found: self.found };
            source.deserialize_any(walk)?;
        }
        Ok(())
    }
}

impl<'a> DeserializeSeed<'a> for Reach<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, source: D) -> Result<(), D::Error> {
        if self.lookup.nodes[self.node].ends.is_empty() {
            return source.deserialize_any(Walk { lookup: self.lookup, node: self.node, found: self.found });
        }
        let value: &'a RawValue = serde::Deserialize::deserialize(source)?;
        self.take(value.get()).map_err(serde::de::Error::custom)
    }
}

/// A key, looked at without keeping it.
struct Key<F>(F);

impl<'a, T, F: FnOnce(&str) -> T> DeserializeSeed<'a> for Key<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'a>>(self, source: D) -> Result<T, D::Error> {
        source.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Key<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<T, E> {
        Ok((self.0)(key))
    }
}
