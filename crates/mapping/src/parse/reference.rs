//! What begins with a dollar.

use super::{Parser, Read};
use crate::ast::{Expression, Reference, Step};
use crate::error::Problem;

impl Parser<'_, '_> {
    /// The reference that begins here; nothing is read over when none does.
    pub(super) fn reference(&mut self, backslashes: usize) -> Read<Option<Reference>> {
        let start = self.cursor.position();
        if !self.cursor.eat("$") {
            return Ok(None);
        }
        let is_quiet = self.cursor.eat("!");
        let is_formal = self.cursor.eat("{");
        let Some(name) = self.cursor.identifier() else {
            self.cursor.return_to(start);
            return Ok(None);
        };
        self.found.names_context |= name == "context";
        let steps = self.deeper(Self::steps)?;
        if is_formal && !self.cursor.eat("}") {
            return Err(Problem::Unclosed("${"));
        }
        let literal = self.cursor.since(start).into();
        Ok(Some(Reference { name: name.into(), steps, literal, is_quiet, backslashes }))
    }

    fn steps(&mut self) -> Read<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            if self.cursor.eat("[") {
                steps.push(Step::Index(self.index()?));
                continue;
            }
            let is_step = self.cursor.peek() == Some(b'.')
                && self.cursor.peek_at(1).is_some_and(|byte| byte.is_ascii_alphabetic());
            if !is_step {
                return Ok(steps);
            }
            self.cursor.take(1);
            let Some(name) = self.cursor.identifier() else { return Ok(steps) };
            if self.cursor.eat("(") {
                steps.push(Step::Method(name.into(), self.parameters(")")?));
            } else {
                steps.push(Step::Property(name.into()));
            }
        }
    }

    fn index(&mut self) -> Read<Expression> {
        self.cursor.skip_whitespace();
        let index = self.literal_or_reference()?;
        let may_index = matches!(
            index,
            Expression::Text(_)
                | Expression::Interpolated(_)
                | Expression::Integer(_)
                | Expression::Boolean(_)
                | Expression::Reference(_)
        );
        if !may_index {
            return Err(Problem::Expected("a whole number, a string or a reference as the index"));
        }
        self.cursor.skip_whitespace();
        if self.cursor.eat("]") { Ok(index) } else { Err(Problem::Expected("`]`")) }
    }
}
