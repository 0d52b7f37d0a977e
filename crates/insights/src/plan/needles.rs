//! What a message must have in it to pass a query's filters: looked for before anything is read of it.

use memchr::memmem::Finder;

use super::Step;
use crate::field::{LambdaField, Source};
use crate::node::{Literal, Node, Slots};
use crate::syntax::Binary;
use crate::value;

/// Texts that are in each message that passes, as they are; and texts that are in each JSON message that passes
/// unless they are written with escapes.
pub(super) fn of(head: &[Step], slots: &Slots) -> (Vec<String>, Vec<Finder<'static>>) {
    let mut found = Found { slots, needles: Vec::new(), literals: Vec::new() };
    for step in head {
        if let Step::Filter(node) = step {
            found.collect(node);
        }
    }
    let literals = found.literals.iter().map(|literal| Finder::new(literal).into_owned()).collect();
    (found.needles, literals)
}

struct Found<'s> {
    slots: &'s Slots,
    needles: Vec<String>,
    literals: Vec<String>,
}

impl Found<'_> {
    fn collect(&mut self, node: &Node) {
        match node {
            Node::Binary(Binary::And, left, right) => {
                self.collect(left);
                self.collect(right);
            }
            Node::Binary(Binary::Equal, left, right) => match (&**left, &**right) {
                (Node::Slot(slot), Node::Literal(Literal::Text(text)))
                | (Node::Literal(Literal::Text(text)), Node::Slot(slot)) => self.equal(*slot, text),
                _ => {}
            },
            Node::Like(value, matcher) => {
                if let Node::Slot(slot) = **value
                    && let Some(needle) = matcher.needle().filter(|needle| !needle.is_empty())
                {
                    self.within(slot, needle);
                }
            }
            _ => {}
        }
    }

    /// A field that is to be this text.
    fn equal(&mut self, slot: usize, text: &str) {
        // Numbers and truths are equal to what is written differently.
        if !text.is_empty() && value::number(text).is_none() && text.parse::<bool>().is_err() {
            self.within(slot, text.to_owned());
        }
    }

    /// A field that is to have this text in it.
    fn within(&mut self, slot: usize, text: String) {
        use LambdaField::{Kind, RequestId, SegmentId, TraceId};
        match self.slots.sources[slot] {
            Source::Message | Source::Lambda(RequestId | Kind | TraceId | SegmentId) => {
                self.needles.push(text);
            }
            // Numbers and truths are printed in ways of our own.
            Source::Json if text.contains(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)) => {
                self.literals.push(text);
            }
            _ => {}
        }
    }
}
