use std::collections::HashMap;

use crate::{Segment, Template, decode};
use foldhash::fast::RandomState;
use smallvec::SmallVec;
use thiserror::Error;

/// A template that matches exactly the same paths is already there; its parameters may have other names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{new} matches the same paths as {old}")]
pub struct Conflict {
    pub old: String,
    pub new: String,
}

/// Many templates, each with a value.
#[derive(Debug, Clone)]
pub struct Router<T> {
    /// The tree of segments; the root is first.
    nodes: Vec<Node>,
    routes: Vec<Route<T>>,
}

#[derive(Debug, Clone)]
struct Route<T> {
    template: Template,
    names: Box<[Box<str>]>,
    value: T,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// Indices of nodes by text.
    statics: HashMap<Box<str>, usize, RandomState>,
    /// Index of a node.
    param: Option<usize>,
    /// Index of the route that takes all that is left.
    greedy: Option<usize>,
    /// Index of the route that ends here.
    end: Option<usize>,
}

type Values<'p> = SmallVec<[&'p str; 6]>;

/// The best route for a path, with what its parameters captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'r, 'p, T> {
    pub value: &'r T,
    pub template: &'r Template,
    names: &'r [Box<str>],
    values: Values<'p>,
}

impl<'r, 'p, T> Match<'r, 'p, T> {
    /// Name and raw text of each parameter in the template's order. The text is as the client sent it; see
    /// [`decode`].
    pub fn captures(&self) -> impl ExactSizeIterator<Item = (&'r str, &'p str)> + '_ {
        self.names.iter().map(|name| &**name).zip(self.values.iter().copied())
    }

    /// The raw text of one parameter; of the last one if a template names two alike.
    pub fn get(&self, name: &str) -> Option<&'p str> {
        let at = self.names.iter().rposition(|candidate| **candidate == *name)?;
        self.values.get(at).copied()
    }
}

impl<T> Default for Router<T> {
    fn default() -> Self {
        Router { nodes: vec![Node::default()], routes: Vec::new() }
    }
}

impl<T> Router<T> {
    pub fn new() -> Router<T> {
        Router::default()
    }

    /// How many templates are held.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// Every template with its value, in the order of insertion.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Template, &T)> {
        self.routes.iter().map(|route| (&route.template, &route.value))
    }

    pub fn insert(&mut self, template: &Template, value: T) -> Result<(), Conflict> {
        let slot = self.slot(template);
        if let Some(taken) = *slot.of(&mut self.nodes) {
            return Err(Conflict { old: self.routes[taken].template.to_string(), new: template.to_string() });
        }
        self.add(slot, template, value);
        Ok(())
    }

    /// The value of the template that matches the same paths, made by `make` if there is none. Parameters keep the
    /// names of the template that came first.
    pub fn get_or_insert_with(&mut self, template: &Template, make: impl FnOnce() -> T) -> &mut T {
        let slot = self.slot(template);
        let at = match *slot.of(&mut self.nodes) {
            Some(taken) => taken,
            None => self.add(slot, template, make()),
        };
        &mut self.routes[at].value
    }

    /// The best match for a request's path, without its query string. Leading slashes count as one and one trailing
    /// slash as none, as API Gateway does it; any other empty segment is met by a greedy parameter only. Static text
    /// is compared decoded, since `/%61` and `/a` are the same path (RFC 3986 §6.2.2.2).
    pub fn find<'r, 'p>(&'r self, path: &'p str) -> Option<Match<'r, 'p, T>> {
        self.find_where(path, |_| true)
    }

    /// A route whose value the caller accepts, whatever its path: with what the path captures, if it is one that the route matches,
    /// else with nothing.
    pub fn force_where<'r, 'p>(
        &'r self,
        path: &'p str,
        accepts: impl Fn(&T) -> bool,
    ) -> Option<Match<'r, 'p, T>> {
        let matched = self.find_where(path, &accepts);
        matched.or_else(|| {
            let Route { template, value, .. } = self.routes.iter().find(|route| accepts(&route.value))?;
            Some(Match { value, template, names: &[], values: Values::new() })
        })
    }

    /// The best match among the routes whose value the caller accepts.
    pub fn find_where<'r, 'p>(
        &'r self,
        path: &'p str,
        accepts: impl Fn(&T) -> bool,
    ) -> Option<Match<'r, 'p, T>> {
        let rest = path.trim_start_matches('/');
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let mut values = Values::new();
        let whole =
            if path.starts_with('/') { Some(rest).filter(|rest| !rest.is_empty()) } else { return None };
        let found =
            self.descend(&self.nodes[0], whole, &mut values, &|at| accepts(&self.routes[at].value))?;
        let Route { template, names, value } = &self.routes[found];
        Some(Match { value, template, names, values })
    }

    /// Looks below `node` for `rest`, which is `None` once no segment is left. Each node is visited at most once per
    /// search, because only one path leads to it.
    fn descend<'p>(
        &self,
        node: &Node,
        rest: Option<&'p str>,
        values: &mut Values<'p>,
        accepts: &dyn Fn(usize) -> bool,
    ) -> Option<usize> {
        let Some(rest) = rest else { return node.end.filter(|&end| accepts(end)) };
        let (segment, below) = match rest.split_once('/') {
            Some((segment, below)) => (segment, Some(below)),
            None => (rest, None),
        };
        if let Some(next) = node.text(segment)
            && let Some(found) = self.descend(&self.nodes[next], below, values, accepts)
        {
            return Some(found);
        }
        if let Some(next) = node.param.filter(|_| !segment.is_empty()) {
            values.push(segment);
            if let Some(found) = self.descend(&self.nodes[next], below, values, accepts) {
                return Some(found);
            }
            values.pop();
        }
        let found = node.greedy.filter(|&greedy| !rest.is_empty() && accepts(greedy))?;
        values.push(rest);
        Some(found)
    }

    /// Walks to where the template ends, making the nodes that are missing.
    fn slot(&mut self, template: &Template) -> Slot {
        let mut at = 0;
        for segment in template.segments() {
            let fresh = self.nodes.len();
            let node = &mut self.nodes[at];
            at = match segment {
                Segment::Greedy(_) => return Slot { node: at, greedy: true },
                Segment::Param(_) => *node.param.get_or_insert(fresh),
                Segment::Static(text) => *node.statics.entry(text.clone()).or_insert(fresh),
            };
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        Slot { node: at, greedy: false }
    }

    fn add(&mut self, slot: Slot, template: &Template, value: T) -> usize {
        let at = self.routes.len();
        *slot.of(&mut self.nodes) = Some(at);
        let names = template.names().map(Into::into).collect();
        self.routes.push(Route { template: template.clone(), names, value });
        at
    }
}

impl Node {
    fn text(&self, segment: &str) -> Option<usize> {
        if self.statics.is_empty() {
            return None;
        }
        self.statics.get(&*decode(segment)).copied()
    }
}

/// Where a route's index is kept.
#[derive(Clone, Copy)]
struct Slot {
    node: usize,
    greedy: bool,
}

impl Slot {
    fn of(self, nodes: &mut [Node]) -> &mut Option<usize> {
        let node = &mut nodes[self.node];
        if self.greedy { &mut node.greedy } else { &mut node.end }
    }
}

#[cfg(test)]
mod tests;
