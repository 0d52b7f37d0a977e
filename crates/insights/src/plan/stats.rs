//! `stats`: which keys, which accumulators, and what is made of them.

use super::compile::Compiler;
use super::expression::squeezed;
use super::{Stats, Step};
use crate::aggregate::Aggregate;
use crate::error::Flaw;
use crate::field::Source;
use crate::node::Node;
use crate::syntax::{Column, Expression, ExpressionKind};

impl Compiler<'_> {
    /// Answers the columns that come out: keys first, then figures.
    pub fn stats(&mut self, columns: &[Column], by: &[Column]) -> Result<Vec<(String, usize)>, Flaw> {
        let mut stats = Stats { keys: Vec::new(), accumulators: Vec::new() };
        let mut keys: Vec<(String, usize)> = Vec::new();
        for column in by {
            let node = self.node(&column.expression)?;
            let slot = self.slot(Source::Computed, &column.expression)?;
            stats.keys.push((node, slot));
            keys.push((column.name.clone(), slot));
        }
        let by_text: Vec<(String, usize)> = by
            .iter()
            .zip(&keys)
            .map(|(column, (_, slot))| (squeezed(&self.text[column.expression.at.clone()]), *slot))
            .collect();
        let (mut made, mut figures) = (Vec::new(), Vec::new());
        for column in columns {
            let accumulators = stats.accumulators.len();
            let node = self.figure(&column.expression, &keys, &by_text, &mut stats)?;
            if stats.accumulators.len() == accumulators {
                return Err(Flaw::Symbol(column.expression.at.clone()));
            }
            let slot = match node {
                Node::Slot(slot) => slot,
                node => {
                    let slot = self.slot(Source::Computed, &column.expression)?;
                    made.push(Step::Assign(slot, node));
                    slot
                }
            };
            figures.push((column.name.clone(), slot));
        }
        self.steps.push(Step::Stats(stats));
        self.steps.extend(made);
        self.is_closed = true;
        self.parsed.clear();
        keys.extend(figures);
        self.names.clone_from(&keys);
        Ok(keys)
    }

    /// An expression over aggregates and keys.
    fn figure(
        &mut self,
        expression: &Expression,
        keys: &[(String, usize)],
        by_text: &[(String, usize)],
        stats: &mut Stats,
    ) -> Result<Node, Flaw> {
        let text = squeezed(&self.text[expression.at.clone()]);
        if let Some((_, slot)) = by_text.iter().find(|(known, _)| *known == text) {
            return Ok(Node::Slot(*slot));
        }
        let mut inner = |part: &Expression| self.figure(part, keys, by_text, stats);
        Ok(match &expression.kind {
            ExpressionKind::Field(name) => match keys.iter().find(|(known, _)| known == name) {
                Some((_, slot)) => Node::Slot(*slot),
                None => return Err(Flaw::Symbol(expression.at.clone())),
            },
            ExpressionKind::Negate(part) => Node::Negate(Box::new(inner(part)?)),
            ExpressionKind::Not(part) => Node::Not(Box::new(inner(part)?)),
            ExpressionKind::Binary(operator, left, right) => {
                Node::Binary(*operator, Box::new(inner(left)?), Box::new(inner(right)?))
            }
            ExpressionKind::Call(name, arguments) => match Aggregate::named(name) {
                Some(aggregate) => Node::Slot(self.aggregate(aggregate, name, arguments, expression, stats)?),
                None => {
                    let Some((function, fewest, most)) = crate::function::named(name) else {
                        // Says what is wrong with the name.
                        return self.node(expression);
                    };
                    if !(fewest..=most).contains(&arguments.len()) {
                        return Err(self.wrong_count(name, arguments.len(), expression));
                    }
                    let arguments = arguments.iter().map(inner);
                    Node::Call(function, arguments.collect::<Result<_, Flaw>>()?)
                }
            },
            ExpressionKind::Text(_) | ExpressionKind::Number(_) | ExpressionKind::Bool(_) => {
                self.node(expression)?
            }
            _ => return Err(Flaw::Symbol(expression.at.clone())),
        })
    }

    fn aggregate(
        &mut self,
        aggregate: Aggregate,
        name: &str,
        arguments: &[Expression],
        expression: &Expression,
        stats: &mut Stats,
    ) -> Result<usize, Flaw> {
        let (aggregate, value) = match (aggregate, arguments) {
            (Aggregate::Count, []) => (aggregate, None),
            (Aggregate::Count, [star]) if star.kind == ExpressionKind::Star => (aggregate, None),
            (Aggregate::Percentile(_), [value, percent]) => match percent.kind {
                ExpressionKind::Number(percent) if (0.0..=100.0).contains(&percent) => {
                    (Aggregate::Percentile(percent), Some(value))
                }
                _ => return Err(Flaw::Symbol(percent.at.clone())),
            },
            (Aggregate::Percentile(_), _) => {
                return Err(self.wrong_count(name, arguments.len(), expression));
            }
            (_, [value]) => (aggregate, Some(value)),
            _ => return Err(self.wrong_count(name, arguments.len(), expression)),
        };
        let node = value.map(|value| self.node(value)).transpose()?;
        let slot = self.slot(Source::Computed, expression)?;
        stats.accumulators.push((aggregate, node, slot));
        Ok(slot)
    }
}
