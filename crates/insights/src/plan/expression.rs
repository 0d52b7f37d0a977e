//! Expressions: names to slots, calls to functions.

use super::compile::Compiler;
use crate::aggregate::Aggregate;
use crate::error::Flaw;
use crate::function::{self, Function, UNSUPPORTED};
use crate::matcher::{Matcher, PatternFlaw};
use crate::node::{Literal, Node};
use crate::syntax::{Expression, ExpressionKind, LikeHow};
use crate::time::Period;

impl Compiler<'_> {
    pub fn node(&mut self, expression: &Expression) -> Result<Node, Flaw> {
        if let Some(slot) = self.column_of(expression) {
            return Ok(Node::Slot(slot));
        }
        let at = &expression.at;
        let mut boxed = |inner: &Expression| Ok::<_, Flaw>(Box::new(self.node(inner)?));
        Ok(match &expression.kind {
            ExpressionKind::Field(name) => return self.field(name, expression),
            ExpressionKind::Text(text) => Node::Literal(Literal::Text(text.clone())),
            ExpressionKind::Number(number) => Node::Literal(Literal::Number(*number)),
            ExpressionKind::Bool(is) => Node::Literal(Literal::Bool(*is)),
            ExpressionKind::Period(_) | ExpressionKind::Star => return Err(Flaw::Symbol(at.clone())),
            ExpressionKind::Call(name, arguments) => return self.call(name, arguments, expression),
            ExpressionKind::Not(inner) => Node::Not(boxed(inner)?),
            ExpressionKind::Negate(inner) => Node::Negate(boxed(inner)?),
            ExpressionKind::Binary(operator, left, right) => {
                Node::Binary(*operator, boxed(left)?, boxed(right)?)
            }
            ExpressionKind::Like { value, how, is_negated } => {
                let value = boxed(value)?;
                let node = match how {
                    LikeHow::Regex(pattern) => {
                        let matcher = Matcher::regex(pattern).map_err(|flaw| match flaw {
                            PatternFlaw::Unsupported(what) => Flaw::Unsupported(what.to_owned()),
                            PatternFlaw::Malformed(message) => Flaw::message(at.clone(), message),
                        })?;
                        Node::Like(value, matcher)
                    }
                    LikeHow::Text(part) => match &part.kind {
                        ExpressionKind::Text(text) => Node::Like(value, Matcher::text(text)),
                        _ => Node::LikeValue(value, boxed(part)?),
                    },
                };
                negated(node, *is_negated)
            }
            ExpressionKind::In { value, list, is_negated } => {
                let value = boxed(value)?;
                let list = list.iter().map(|item| self.node(item)).collect::<Result<_, Flaw>>()?;
                negated(Node::In(value, list), *is_negated)
            }
        })
    }

    /// Behind `stats`, a column without an alias is named by its text: `sort count(*) desc`.
    fn column_of(&self, expression: &Expression) -> Option<usize> {
        if !self.is_closed || matches!(expression.kind, ExpressionKind::Field(_)) {
            return None;
        }
        let text = squeezed(&self.text[expression.at.clone()]);
        self.names.iter().rev().find(|(name, _)| squeezed(name) == text).map(|(_, slot)| *slot)
    }

    fn field(&mut self, name: &str, expression: &Expression) -> Result<Node, Flaw> {
        if let Some((_, slot)) = self.names.iter().rev().find(|(known, _)| known == name) {
            return Ok(Node::Slot(*slot));
        }
        let member = self.names.iter().rev().find_map(|(known, slot)| {
            let path = name.strip_prefix(known.as_str())?.strip_prefix('.')?;
            self.parsed.contains(slot).then(|| Node::Member(*slot, path.to_owned()))
        });
        if let Some(member) = member {
            return Ok(member);
        }
        if self.is_closed {
            // Source: seen on AWS.
            let message = format!("Unknown symbols found in or after stats: {name}");
            return Err(Flaw::message(expression.at.clone(), message));
        }
        Ok(Node::Slot(self.source_slot(name, expression)?))
    }

    fn call(&mut self, name: &str, arguments: &[Expression], expression: &Expression) -> Result<Node, Flaw> {
        let symbol =
            || Flaw::Symbol(expression.at.start..expression.at.start + name.len().min(expression.at.len()));
        let lower = name.to_ascii_lowercase();
        match (lower.as_str(), arguments) {
            ("bin", [period]) => {
                let time = Expression {
                    kind: ExpressionKind::Field("@timestamp".to_owned()),
                    at: expression.at.clone(),
                };
                return self.cut(&time, period, false);
            }
            ("datefloor", [time, period]) => return self.cut(time, period, false),
            ("dateceil", [time, period]) => return self.cut(time, period, true),
            _ => {}
        }
        if UNSUPPORTED.contains(&lower.as_str()) {
            return Err(Flaw::Unsupported(format!("The query function {name}")));
        }
        // An aggregate stands in `stats` only.
        let found = function::named(name).filter(|_| Aggregate::named(name).is_none());
        let (function, fewest, most) = found.ok_or_else(symbol)?;
        if !(fewest..=most).contains(&arguments.len()) {
            return Err(self.wrong_count(name, arguments.len(), expression));
        }
        let is_presence = function == Function::IsPresent;
        if is_presence && !matches!(arguments[0].kind, ExpressionKind::Field(_)) {
            return Err(Flaw::Symbol(arguments[0].at.clone()));
        }
        let arguments = arguments.iter().map(|argument| self.node(argument));
        Ok(Node::Call(function, arguments.collect::<Result<_, Flaw>>()?))
    }

    pub fn wrong_count(&self, name: &str, count: usize, expression: &Expression) -> Flaw {
        Flaw::message(expression.at.clone(), format!("the function {name} doesn't take {count} arguments"))
    }

    fn cut(&mut self, time: &Expression, period: &Expression, is_up: bool) -> Result<Node, Flaw> {
        let period = match &period.kind {
            ExpressionKind::Period(period) => *period,
            // A number without a unit is milliseconds.
            ExpressionKind::Number(ms) if ms.fract() == 0.0 && (1.0..=4e9).contains(ms) => {
                Period::Milliseconds(*ms as i64)
            }
            _ => return Err(Flaw::Symbol(period.at.clone())),
        };
        Ok(Node::Cut { value: Box::new(self.node(time)?), period, is_up })
    }
}

fn negated(node: Node, is_negated: bool) -> Node {
    if is_negated { Node::Not(Box::new(node)) } else { node }
}

/// Without whitespace.
pub(super) fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}
