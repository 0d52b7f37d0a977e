//! Values and what is calculated from them. Only `#set`, `#if` and parentheses take operators; arguments, indexes and the elements
//! of lists and maps are single values, as in Velocity.

use super::{Ending, Parser, Read};
use crate::ast::{Block, Expression, Node, Operator};
use crate::error::Problem;

/// From what binds least to what binds most.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("||", Operator::Or), ("or", Operator::Or)],
    &[("&&", Operator::And), ("and", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("eq", Operator::Equal),
        ("ne", Operator::NotEqual),
    ],
    &[
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("le", Operator::LessOrEqual),
        ("ge", Operator::GreaterOrEqual),
        ("lt", Operator::Less),
        ("gt", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

impl Parser<'_, '_> {
    pub(super) fn expression(&mut self) -> Read<Expression> {
        self.deeper(|parser| parser.level(0))
    }

    fn level(&mut self, level: usize) -> Read<Expression> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        let mut chain = 0;
        while let Some(operator) = self.operator(operators)? {
            // A chain nests to the left: it counts as depth so that what renders it needn't count.
            chain += 1;
            if self.depth + chain > super::NESTING_MAX * 4 {
                return Err(Problem::TooDeep(super::NESTING_MAX * 4));
            }
            let right = self.level(level + 1)?;
            left = Expression::Binary(operator, Box::new((left, right)));
        }
        Ok(left)
    }

    fn operator(&mut self, operators: &[(&str, Operator)]) -> Read<Option<Operator>> {
        self.cursor.skip_whitespace();
        for (sign, operator) in operators {
            let is_word = sign.starts_with(|letter: char| letter.is_ascii_alphabetic());
            let is_next = if is_word { self.word(sign) } else { self.cursor.eat(sign) };
            if !is_next {
                continue;
            }
            if *operator == Operator::Subtract && self.cursor.peek() != Some(b'-') && self.is_number_at(0) {
                return Err(Problem::MinusWithoutSpace);
            }
            return Ok(Some(*operator));
        }
        Ok(None)
    }

    fn unary(&mut self) -> Read<Expression> {
        self.cursor.skip_whitespace();
        if self.cursor.eat("!") || self.word("not") {
            return self.deeper(|parser| Ok(Expression::Not(Box::new(parser.unary()?))));
        }
        if self.cursor.eat("(") {
            let inner = self.expression()?;
            self.cursor.skip_whitespace();
            return if self.cursor.eat(")") { Ok(inner) } else { Err(Problem::Expected("`)`")) };
        }
        self.literal_or_reference()
    }

    /// Values between commas, up to and over `end`.
    pub(super) fn parameters(&mut self, end: &str) -> Read<Vec<Expression>> {
        let mut parameters = Vec::new();
        self.cursor.skip_whitespace();
        if self.cursor.eat(end) {
            return Ok(parameters);
        }
        loop {
            parameters.push(self.parameter()?);
            if self.cursor.eat(end) {
                return Ok(parameters);
            }
            if !self.cursor.eat(",") {
                return Err(Problem::Expected("`,` or the closing bracket"));
            }
        }
    }

    /// One value and the whitespace around it.
    pub(super) fn parameter(&mut self) -> Read<Expression> {
        self.cursor.skip_whitespace();
        let value = self.literal_or_reference()?;
        self.cursor.skip_whitespace();
        Ok(value)
    }

    pub(super) fn literal_or_reference(&mut self) -> Read<Expression> {
        match self.cursor.peek() {
            Some(b'$') => match self.reference(0)? {
                Some(reference) => Ok(Expression::Reference(reference)),
                None => Err(Problem::Expected("a reference's name")),
            },
            Some(b'"') => self.double_quoted(),
            Some(b'\'') => self.quoted("'").map(|text| Expression::Text(text.into())),
            Some(b'[') => self.deeper(Self::list_or_range),
            Some(b'{') => self.deeper(Self::map),
            _ if self.is_number_at(0) => self.number(),
            _ if self.word("true") => Ok(Expression::Boolean(true)),
            _ if self.word("false") => Ok(Expression::Boolean(false)),
            _ => Err(Problem::Expected("a value")),
        }
    }

    /// The text up to the closing quote. Two quotes are one that belongs to the text; a backslash means nothing.
    fn quoted(&mut self, quote: &'static str) -> Read<String> {
        self.cursor.take(1);
        let mut text = String::new();
        loop {
            text.push_str(self.cursor.take_over(quote).ok_or(Problem::Unclosed(quote))?);
            if !self.cursor.eat(quote) {
                return Ok(text);
            }
            text.push_str(quote);
        }
    }

    fn double_quoted(&mut self) -> Read<Expression> {
        let text = unicode_escapes(&self.quoted("\"")?)?;
        if !text.contains(['$', '#']) {
            return Ok(Expression::Text(text.into()));
        }
        self.interpolated(&text)
    }

    fn interpolated(&mut self, text: &str) -> Read<Expression> {
        let mut inner = Parser {
            cursor: crate::cursor::Cursor::new(text),
            depth: self.depth,
            is_whole: false,
            found: &mut *self.found,
            names: &mut *self.names,
        };
        let (block, end) = inner.block()?;
        if end != Ending::Text {
            return Err(Problem::Stray("#end"));
        }
        Ok(plain(block))
    }

    fn list_or_range(&mut self) -> Read<Expression> {
        self.cursor.take(1);
        self.cursor.skip_whitespace();
        if self.cursor.eat("]") {
            return Ok(Expression::List(Vec::new()));
        }
        let first = self.parameter()?;
        if self.cursor.eat("..") {
            let last = self.parameter()?;
            let are_ends = [&first, &last]
                .iter()
                .all(|end| matches!(end, Expression::Integer(_) | Expression::Reference(_)));
            return if are_ends && self.cursor.eat("]") {
                Ok(Expression::Range(Box::new((first, last))))
            } else {
                Err(Problem::Expected("a range of whole numbers or references"))
            };
        }
        let mut elements = vec![first];
        if self.cursor.eat(",") {
            elements.extend(self.parameters("]")?);
            return Ok(Expression::List(elements));
        }
        if self.cursor.eat("]") { Ok(Expression::List(elements)) } else { Err(Problem::Unclosed("[")) }
    }

    fn map(&mut self) -> Read<Expression> {
        self.cursor.take(1);
        let mut entries = Vec::new();
        self.cursor.skip_whitespace();
        if self.cursor.eat("}") {
            return Ok(Expression::Map(entries));
        }
        loop {
            let key = self.parameter()?;
            if !self.cursor.eat(":") {
                return Err(Problem::Expected("`:`"));
            }
            entries.push((key, self.parameter()?));
            if self.cursor.eat("}") {
                return Ok(Expression::Map(entries));
            }
            if !self.cursor.eat(",") {
                return Err(Problem::Unclosed("{"));
            }
        }
    }

    /// Whether a number begins here: an optional minus, then digits, or a point and digits.
    fn is_number_at(&self, distance: usize) -> bool {
        match self.cursor.peek_at(distance) {
            Some(b'-') => distance == 0 && self.is_number_at(1),
            Some(b'.') => self.cursor.peek_at(distance + 1).is_some_and(|byte| byte.is_ascii_digit()),
            Some(byte) => byte.is_ascii_digit(),
            None => false,
        }
    }

    fn number(&mut self) -> Read<Expression> {
        let start = self.cursor.position();
        self.cursor.eat("-");
        self.cursor.take_while(|byte| byte.is_ascii_digit());
        let mut is_whole = true;
        if self.cursor.peek() == Some(b'.') && self.cursor.peek_at(1) != Some(b'.') {
            is_whole = false;
            self.cursor.take(1);
            self.cursor.take_while(|byte| byte.is_ascii_digit());
        }
        is_whole &= !self.exponent();
        let text = self.cursor.since(start);
        if is_whole {
            return text.parse().map(Expression::Integer).map_err(|_| Problem::NumberTooBig);
        }
        text.parse().map(Expression::Double).map_err(|_| Problem::Expected("a number"))
    }

    fn exponent(&mut self) -> bool {
        let start = self.cursor.position();
        if self.cursor.eat("e") || self.cursor.eat("E") {
            let _ = self.cursor.eat("+") || self.cursor.eat("-");
            if !self.cursor.take_while(|byte| byte.is_ascii_digit()).is_empty() {
                return true;
            }
        }
        self.cursor.return_to(start);
        false
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        let Some(after) = self.cursor.rest().strip_prefix(word) else { return false };
        !after.starts_with(|letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '@'))
    }

    /// Reads over a word that ends where it ends.
    pub(super) fn word(&mut self, word: &str) -> bool {
        self.is_word(word) && self.cursor.eat(word)
    }
}

/// A block that turns out to be text is a string like any other.
fn plain(mut block: Block) -> Expression {
    match block.as_mut_slice() {
        [] => Expression::Text(Box::default()),
        [Node::Text(text)] => Expression::Text(std::mem::take(text).into()),
        _ => Expression::Interpolated(block),
    }
}

/// `\u00e9` is é; no other escape means anything, and one without four digits is an error, as in Velocity 1.7.
fn unicode_escapes(text: &str) -> Read<String> {
    let mut units = Vec::new();
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\u") {
        if at > 0 {
            flush(&mut units, &mut read);
        }
        let digits =
            rest.get(at + 2..at + 6).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        read.push_str(&rest[..at]);
        units.push(unit.ok_or(Problem::Expected("four hexadecimal digits after `\\u`"))?);
        rest = &rest[at + 6..];
    }
    flush(&mut units, &mut read);
    read.push_str(rest);
    Ok(read)
}

/// Two halves of a surrogate pair are one character.
fn flush(units: &mut Vec<u16>, read: &mut String) {
    read.extend(char::decode_utf16(units.drain(..)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
}
