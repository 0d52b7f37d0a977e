//! Expressions, by rising strength: `or`, `and`, `not`, comparison, sum, product, power, sign.

use super::{DEPTH_MAX, Parser};
use crate::error::Flaw;
use crate::syntax::{Binary, Expression, ExpressionKind, LikeHow};
use crate::time::Period;
use crate::token::{self, TokenKind};

const COMPARISONS: &[(&str, Binary)] = &[
    ("=", Binary::Equal),
    ("!=", Binary::Unequal),
    ("<", Binary::Less),
    ("<=", Binary::LessOrEqual),
    (">", Binary::Greater),
    (">=", Binary::GreaterOrEqual),
];
const SUMS: &[(&str, Binary)] = &[("+", Binary::Add), ("-", Binary::Subtract)];
const PRODUCTS: &[(&str, Binary)] =
    &[("*", Binary::Multiply), ("/", Binary::Divide), ("%", Binary::Remainder)];

/// Sums and products in a row: each makes the tree a step deeper.
const CHAIN_MAX: usize = 100;

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expression, Flaw> {
        self.deeper(Parser::any)
    }

    /// Guards the stack: an expression in an expression in an expression …
    fn deeper(&mut self, read: fn(&mut Self) -> Result<Expression, Flaw>) -> Result<Expression, Flaw> {
        if self.depth == DEPTH_MAX {
            let message = format!("an expression is deeper than {DEPTH_MAX}");
            return Err(Flaw::message(self.token.at.clone(), message));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn any(&mut self) -> Result<Expression, Flaw> {
        let mut parts = vec![self.all()?];
        while self.eat_word("or")? {
            parts.push(self.all()?);
        }
        Ok(balanced(Binary::Or, parts))
    }

    fn all(&mut self) -> Result<Expression, Flaw> {
        let mut parts = vec![self.negation()?];
        while self.eat_word("and")? {
            parts.push(self.negation()?);
        }
        Ok(balanced(Binary::And, parts))
    }

    fn negation(&mut self) -> Result<Expression, Flaw> {
        let start = self.token.at.start;
        if self.eat_word("not")? || self.eat("!")? {
            let inner = self.deeper(Parser::negation)?;
            let at = start..inner.at.end;
            return Ok(Expression { kind: ExpressionKind::Not(Box::new(inner)), at });
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expression, Flaw> {
        let left = self.sum()?;
        for (symbol, operator) in COMPARISONS {
            if self.eat(symbol)? {
                let right = self.sum()?;
                return Ok(binary(*operator, left, right));
            }
        }
        if matches!(self.token.kind, TokenKind::Symbol("=~")) {
            return self.like(left, false);
        }
        if self.is_word("like") {
            return self.like(left, false);
        }
        if self.eat_word("in")? {
            return self.one_of(left, false);
        }
        if self.eat_word("not")? {
            if self.is_word("like") {
                return self.like(left, true);
            }
            if self.eat_word("in")? {
                return self.one_of(left, true);
            }
            return Err(self.unexpected());
        }
        Ok(left)
    }

    /// With the word `like` still before it: a slash after it begins a regex.
    fn like(&mut self, value: Expression, is_negated: bool) -> Result<Expression, Flaw> {
        let from = self.token.at.end;
        let how = match token::regex(self.text, from)? {
            Some((pattern, at)) => {
                self.end = at.end;
                self.token = token::next(self.text, at.end)?;
                LikeHow::Regex(pattern)
            }
            None => {
                self.advance()?;
                LikeHow::Text(Box::new(self.sum()?))
            }
        };
        let at = value.at.start..self.end;
        Ok(Expression { kind: ExpressionKind::Like { value: Box::new(value), how, is_negated }, at })
    }

    fn one_of(&mut self, value: Expression, is_negated: bool) -> Result<Expression, Flaw> {
        self.expect("[")?;
        let list = self.list()?;
        self.expect("]")?;
        let at = value.at.start..self.end;
        Ok(Expression { kind: ExpressionKind::In { value: Box::new(value), list, is_negated }, at })
    }

    fn sum(&mut self) -> Result<Expression, Flaw> {
        self.chain(SUMS, Parser::product)
    }

    fn product(&mut self) -> Result<Expression, Flaw> {
        self.chain(PRODUCTS, Parser::power)
    }

    fn chain(
        &mut self,
        operators: &[(&str, Binary)],
        next: fn(&mut Self) -> Result<Expression, Flaw>,
    ) -> Result<Expression, Flaw> {
        let mut left = next(self)?;
        let mut count = 0;
        'more: loop {
            for (symbol, operator) in operators {
                let at = self.token.at.clone();
                if self.eat(symbol)? {
                    count += 1;
                    if count > CHAIN_MAX {
                        let message = format!("more than {CHAIN_MAX} operators in a row");
                        return Err(Flaw::message(at, message));
                    }
                    let right = next(self)?;
                    left = binary(*operator, left, right);
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn power(&mut self) -> Result<Expression, Flaw> {
        let base = self.sign()?;
        if self.eat("^")? {
            let exponent = self.deeper(Parser::power)?;
            return Ok(binary(Binary::Power, base, exponent));
        }
        Ok(base)
    }

    fn sign(&mut self) -> Result<Expression, Flaw> {
        let start = self.token.at.start;
        if self.eat("-")? {
            let inner = self.deeper(Parser::sign)?;
            let at = start..inner.at.end;
            return Ok(Expression { kind: ExpressionKind::Negate(Box::new(inner)), at });
        }
        self.primary()
    }

    /// A primary whose next word isn't read yet: it may be a regex.
    pub(super) fn primary_before_regex(&mut self) -> Result<Expression, Flaw> {
        // A name alone is taken without a look at what follows, because a slash there is no word of its own.
        if let TokenKind::Name { text, .. } = &self.token.kind {
            let (text, at) = (text.clone(), self.token.at.clone());
            let follows_regex = token::regex(self.text, at.end).is_ok_and(|found| found.is_some());
            if follows_regex {
                self.end = at.end;
                return Ok(Expression { kind: ExpressionKind::Field(text), at });
            }
        }
        self.primary()
    }

    pub(super) fn primary(&mut self) -> Result<Expression, Flaw> {
        let at = self.token.at.clone();
        let kind = match &self.token.kind {
            TokenKind::Text(text) => ExpressionKind::Text(text.clone()),
            TokenKind::Number(number) => ExpressionKind::Number(*number),
            TokenKind::Period(count, unit) => {
                ExpressionKind::Period(Period::parse(*count, unit).ok_or_else(|| Flaw::Symbol(at.clone()))?)
            }
            TokenKind::Symbol("(") => return self.parenthesis(),
            TokenKind::Name { text, is_plain } => {
                let (name, is_plain) = (text.clone(), *is_plain);
                return self.named(name, is_plain);
            }
            _ => return Err(self.unexpected()),
        };
        self.advance()?;
        Ok(Expression { kind, at })
    }

    fn parenthesis(&mut self) -> Result<Expression, Flaw> {
        let start = self.token.at.start;
        self.advance()?;
        let inner = self.expression()?;
        self.expect(")")?;
        Ok(Expression { kind: inner.kind, at: start..self.end })
    }

    /// A field, a call, or `true` and `false`.
    fn named(&mut self, name: String, is_plain: bool) -> Result<Expression, Flaw> {
        let at = self.token.at.clone();
        self.advance()?;
        if !self.eat("(")? {
            let kind = match name.to_ascii_lowercase().as_str() {
                "true" | "false" if is_plain => ExpressionKind::Bool(name.eq_ignore_ascii_case("true")),
                "and" | "or" | "as" | "by" | "like" | "in" if is_plain => return Err(Flaw::Symbol(at)),
                _ if name.is_empty() => return Err(Flaw::Symbol(at)),
                _ => ExpressionKind::Field(name),
            };
            return Ok(Expression { kind, at });
        }
        let mut arguments = Vec::new();
        if !self.eat(")")? {
            loop {
                arguments.push(self.argument()?);
                if !self.eat(",")? {
                    break;
                }
            }
            self.expect(")")?;
        }
        Ok(Expression { kind: ExpressionKind::Call(name, arguments), at: at.start..self.end })
    }

    fn argument(&mut self) -> Result<Expression, Flaw> {
        let at = self.token.at.clone();
        if self.eat("*")? {
            return Ok(Expression { kind: ExpressionKind::Star, at });
        }
        self.expression()
    }
}

/// Joins conditions so that a thousand of them are some ten steps deep, in the order that they are written.
fn balanced(operator: Binary, mut parts: Vec<Expression>) -> Expression {
    while parts.len() > 1 {
        let mut joined = Vec::with_capacity(parts.len().div_ceil(2));
        let mut rest = parts.into_iter();
        while let Some(left) = rest.next() {
            joined.push(match rest.next() {
                Some(right) => binary(operator, left, right),
                None => left,
            });
        }
        parts = joined;
    }
    // There is one part at least, and one is left.
    parts.swap_remove(0)
}

fn binary(operator: Binary, left: Expression, right: Expression) -> Expression {
    let at = left.at.start..right.at.end;
    Expression { kind: ExpressionKind::Binary(operator, Box::new(left), Box::new(right)), at }
}
