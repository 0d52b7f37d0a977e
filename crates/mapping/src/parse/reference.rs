//! What begins with a dollar.

use super::{Parser, Read};
use crate::ast::{Expression, Method, Reference, Step};
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
        let name_start = self.cursor.position();
        if is_formal {
            // `${$name}` is a reference to what no name can be.
            self.cursor.eat("$");
        }
        if self.cursor.identifier().is_none() {
            self.cursor.return_to(start);
            return Ok(None);
        }
        let name = self.cursor.since(name_start);
        let name = self.names.number(name);
        let steps = self.deeper(Self::steps)?;
        if is_formal && !self.cursor.eat("}") {
            return Err(Problem::Unclosed("${"));
        }
        let literal = self.cursor.since(start);
        let gives = if steps.is_empty() { self.names.number(&literal[1..]) } else { name };
        let is_plain = steps.is_empty() && backslashes == 0;
        let literal = literal.into();
        Ok(Some(Reference { name, gives, steps, literal, is_quiet, backslashes, is_plain }))
    }

    /// What comes after the name of a reference that is text.
    pub(super) fn discarded_steps(&mut self, is_formal: bool) -> Read<()> {
        self.deeper(Self::steps)?;
        if is_formal && !self.cursor.eat("}") {
            return Err(Problem::Unclosed("${"));
        }
        Ok(())
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
                steps.push(Step::Method(Method::new(name, self.parameters(")")?)));
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
