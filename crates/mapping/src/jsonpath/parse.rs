//! Text to path.

use super::filter::{Comparison, Filter, Operand};
use super::{FILTER_DEPTH_MAX, Function, InvalidPath, JsonPath, PATH_BYTES_MAX, Step};
use crate::cursor::Cursor;

type Read<T> = Result<T, InvalidPath>;

pub fn path(text: &str) -> Read<JsonPath> {
    let text = text.trim();
    let invalid = |expected| InvalidPath { expected, position: 0 };
    if text.is_empty() {
        return Err(invalid("a path"));
    }
    if text.len() > PATH_BYTES_MAX {
        return Err(invalid("a shorter path"));
    }
    let rooted = if text.starts_with(['$', '@']) { text.to_owned() } else { format!("$.{text}") };
    let mut parser = Parser { cursor: Cursor::new(&rooted), depth: 0 };
    parser.cursor.take(1);
    let path = parser.steps()?;
    if parser.cursor.peek().is_some() { Err(parser.expected("the end")) } else { Ok(path) }
}

struct Parser<'t> {
    cursor: Cursor<'t>,
    /// How many filters this is in.
    depth: usize,
}

impl Parser<'_> {
    fn expected(&self, expected: &'static str) -> InvalidPath {
        InvalidPath { expected, position: self.cursor.position() }
    }

    fn steps(&mut self) -> Read<JsonPath> {
        let mut path = JsonPath { steps: Vec::new(), function: None };
        loop {
            if self.cursor.eat("..") {
                path.steps.push(Step::Deep);
                if self.cursor.peek() != Some(b'[') {
                    self.named(&mut path)?;
                }
            } else if self.cursor.eat(".") {
                if self.cursor.peek() != Some(b'[') {
                    self.named(&mut path)?;
                }
            } else if self.cursor.eat("[") {
                let step = self.bracket()?;
                path.steps.push(step);
            } else {
                return Ok(path);
            }
            if path.function.is_some() {
                return Ok(path);
            }
        }
    }

    /// `name`, `*` or `function()`.
    fn named(&mut self, path: &mut JsonPath) -> Read<()> {
        if self.cursor.eat("*") {
            path.steps.push(Step::All);
            return Ok(());
        }
        let is_in_filter = self.depth > 0;
        let name = self.cursor.take_until(|byte| {
            matches!(byte, b'.' | b'[' | b'(' | b' ')
                || is_in_filter
                    && matches!(byte, b')' | b'&' | b'|' | b'<' | b'>' | b'=' | b'!' | b'~' | b',' | b']')
        });
        if name.is_empty() {
            return Err(self.expected("a name"));
        }
        if !self.cursor.eat("(") {
            path.steps.push(Step::Member(name.into()));
            return Ok(());
        }
        self.cursor.skip_whitespace();
        if !self.cursor.eat(")") {
            return Err(self.expected("`)`"));
        }
        path.function = Some(function(name).ok_or(self.expected("a known function"))?);
        Ok(())
    }

    fn bracket(&mut self) -> Read<Step> {
        self.cursor.skip_whitespace();
        let step = match self.cursor.peek() {
            Some(b'*') => {
                self.cursor.take(1);
                Step::All
            }
            Some(b'\'' | b'"') => self.names()?,
            Some(b'?') => {
                self.cursor.take(1);
                self.cursor.skip_whitespace();
                if !self.cursor.eat("(") {
                    return Err(self.expected("`(`"));
                }
                let filter = self.filter()?;
                if !self.cursor.eat(")") {
                    return Err(self.expected("`)`"));
                }
                Step::Filter(filter)
            }
            _ => self.elements()?,
        };
        self.cursor.skip_whitespace();
        if self.cursor.eat("]") { Ok(step) } else { Err(self.expected("`]`")) }
    }

    fn names(&mut self) -> Read<Step> {
        let mut names = Vec::new();
        loop {
            self.cursor.skip_whitespace();
            names.push(self.quoted()?);
            self.cursor.skip_whitespace();
            if !self.cursor.eat(",") {
                break;
            }
        }
        Ok(match <[Box<str>; 1]>::try_from(names) {
            Ok([name]) => Step::Member(name),
            Err(names) => Step::Members(names),
        })
    }

    /// A string in either quotes; a backslash keeps what follows.
    fn quoted(&mut self) -> Read<Box<str>> {
        let quote = match self.cursor.peek() {
            Some(quote @ (b'\'' | b'"')) => quote,
            _ => return Err(self.expected("a quoted name")),
        };
        self.cursor.take(1);
        let mut text = String::new();
        loop {
            text.push_str(self.cursor.take_until(|byte| byte == quote || byte == b'\\'));
            match self.cursor.peek() {
                Some(b'\\') => {
                    self.cursor.take(1);
                    let Some(kept) = self.cursor.rest().chars().next() else {
                        return Err(self.expected("the closing quote"));
                    };
                    text.push_str(self.cursor.take(kept.len_utf8()));
                }
                Some(_) => {
                    self.cursor.take(1);
                    return Ok(text.into());
                }
                None => return Err(self.expected("the closing quote")),
            }
        }
    }

    /// `0`, `-1`, `0,2`, `1:3`, `:2`, `-2:`.
    fn elements(&mut self) -> Read<Step> {
        let first = self.whole()?;
        self.cursor.skip_whitespace();
        if self.cursor.eat(":") {
            let last = self.whole()?;
            return Ok(Step::Slice(first, last));
        }
        let Some(first) = first else { return Err(self.expected("an index")) };
        let mut indexes = vec![first];
        while self.cursor.eat(",") {
            indexes.push(self.whole()?.ok_or(self.expected("an index"))?);
            self.cursor.skip_whitespace();
        }
        Ok(if indexes.len() == 1 { Step::Element(first) } else { Step::Elements(indexes) })
    }

    fn whole(&mut self) -> Read<Option<i64>> {
        self.cursor.skip_whitespace();
        let start = self.cursor.position();
        self.cursor.eat("-");
        self.cursor.take_while(|byte| byte.is_ascii_digit());
        match self.cursor.since(start) {
            "" => Ok(None),
            digits => digits.parse().map(Some).map_err(|_| self.expected("a whole number")),
        }
    }

    fn filter(&mut self) -> Read<Filter> {
        if self.depth == FILTER_DEPTH_MAX {
            return Err(self.expected("less nesting"));
        }
        self.depth += 1;
        let filter = self.any();
        self.depth -= 1;
        filter
    }

    fn any(&mut self) -> Read<Filter> {
        let mut filters = vec![self.every()?];
        while self.cursor.eat("||") {
            filters.push(self.every()?);
        }
        Ok(Filter::Any(filters))
    }

    fn every(&mut self) -> Read<Filter> {
        let mut filters = vec![self.single()?];
        while self.cursor.eat("&&") {
            filters.push(self.single()?);
        }
        Ok(Filter::Every(filters))
    }

    fn single(&mut self) -> Read<Filter> {
        self.cursor.skip_whitespace();
        let is_negated = self.cursor.eat("!");
        self.cursor.skip_whitespace();
        let filter = if self.cursor.eat("(") {
            let inner = self.filter()?;
            if !self.cursor.eat(")") {
                return Err(self.expected("`)`"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.cursor.skip_whitespace();
        Ok(if is_negated { Filter::Not(Box::new(filter)) } else { filter })
    }

    fn comparison(&mut self) -> Read<Filter> {
        let left = self.operand()?;
        self.cursor.skip_whitespace();
        let Some((_, comparison)) = COMPARISONS.iter().find(|(sign, _)| self.cursor.eat(sign)) else {
            return Ok(Filter::Exists(left));
        };
        self.cursor.skip_whitespace();
        if *comparison == Comparison::Matches {
            return self.pattern(left);
        }
        let right = self.operand()?;
        Ok(Filter::Compare(left, *comparison, right))
    }

    /// `/pattern/` or `/pattern/i`.
    fn pattern(&mut self, left: Operand) -> Read<Filter> {
        if !self.cursor.eat("/") {
            return Err(self.expected("a pattern between slashes"));
        }
        let pattern = self.cursor.take_over("/").ok_or(self.expected("the closing slash"))?;
        let flags = self.cursor.take_while(|byte| byte.is_ascii_lowercase());
        let pattern = if flags.is_empty() { pattern.to_owned() } else { format!("(?{flags}){pattern}") };
        Ok(Filter::Compare(left, Comparison::Matches, Operand::Text(pattern.into())))
    }

    fn operand(&mut self) -> Read<Operand> {
        self.cursor.skip_whitespace();
        match self.cursor.peek() {
            Some(b'@') => {
                self.cursor.take(1);
                Ok(Operand::Here(self.steps()?))
            }
            Some(b'$') => {
                self.cursor.take(1);
                Ok(Operand::Root(self.steps()?))
            }
            Some(b'\'' | b'"') => Ok(Operand::Text(self.quoted()?)),
            Some(b'[') => self.list(),
            _ => self.word(),
        }
    }

    fn list(&mut self) -> Read<Operand> {
        if self.depth == FILTER_DEPTH_MAX {
            return Err(self.expected("less nesting"));
        }
        self.depth += 1;
        self.cursor.take(1);
        let mut elements = Vec::new();
        loop {
            self.cursor.skip_whitespace();
            if self.cursor.eat("]") {
                break;
            }
            elements.push(self.operand()?);
            self.cursor.skip_whitespace();
            if !self.cursor.eat(",") && self.cursor.peek() != Some(b']') {
                return Err(self.expected("`,` or `]`"));
            }
        }
        self.depth -= 1;
        Ok(Operand::List(elements))
    }

    fn word(&mut self) -> Read<Operand> {
        let word =
            self.cursor.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'));
        match word {
            "true" => Ok(Operand::Boolean(true)),
            "false" => Ok(Operand::Boolean(false)),
            "null" => Ok(Operand::Null),
            _ => match word.parse::<f64>() {
                Ok(number) if word.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                    Ok(Operand::Number(number))
                }
                _ => Err(self.expected("a path or a literal")),
            },
        }
    }
}

const COMPARISONS: [(&str, Comparison); 16] = [
    ("===", Comparison::Same),
    ("!==", Comparison::NotSame),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("=~", Comparison::Matches),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("in ", Comparison::In),
    ("nin ", Comparison::NotIn),
    ("contains ", Comparison::Contains),
    ("size ", Comparison::Size),
    ("empty ", Comparison::Empty),
    ("anyof ", Comparison::AnyOf),
    ("subsetof ", Comparison::SubsetOf),
];

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "length" | "size" => Function::Length,
        "min" => Function::Min,
        "max" => Function::Max,
        "sum" => Function::Sum,
        "avg" => Function::Average,
        "stddev" => Function::Deviation,
        "keys" => Function::Keys,
        "first" => Function::First,
        "last" => Function::Last,
        _ => return None,
    })
}
