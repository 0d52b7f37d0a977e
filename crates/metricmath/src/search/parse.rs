use super::token::Tokens;
use super::{SEARCH_CHARS_MAX, Schema, Term, Text};
use crate::Error;
use crate::parse::NESTING_MAX;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Equals,
    Exact(String),
    Word(String),
}

pub(super) fn query(text: &str) -> Result<(Option<Schema>, Option<Term>), Error> {
    if text.chars().count() > SEARCH_CHARS_MAX {
        return Err(Error::TooLong { limit: SEARCH_CHARS_MAX });
    }
    let text = text.trim();
    let (schema, rest) = match text.strip_prefix('{') {
        Some(inner) => {
            let (schema, rest) = schema(inner)?;
            // A comma may stand between the two.
            (Some(schema), rest.trim_start().strip_prefix(',').unwrap_or(rest))
        }
        None => (None, text),
    };
    let mut parser = Parser { tokens: tokens(rest)?, place: 0, depth: 0 };
    let term = if parser.tokens.is_empty() { None } else { Some(parser.any()?) };
    if parser.place < parser.tokens.len() || schema.is_none() && term.is_none() {
        return Err(Error::Syntax);
    }
    Ok((schema, term))
}

/// The schema's names up to its end, and what comes after.
fn schema(text: &str) -> Result<(Schema, &str), Error> {
    let (mut names, mut rest) = (Vec::new(), text);
    loop {
        rest = rest.trim_start();
        let name = if rest.starts_with('"') {
            let (name, length) = exact(rest)?;
            rest = &rest[length..];
            name
        } else {
            let length = rest.find([',', '}']).ok_or(Error::Syntax)?;
            let name = rest[..length].trim();
            rest = &rest[length..];
            if name.contains(['{', '"']) {
                return Err(Error::Syntax);
            }
            name.to_owned()
        };
        if name.is_empty() {
            return Err(Error::Syntax);
        }
        names.push(name);
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            let dimensions = names.split_off(1);
            return Ok((Schema { namespace: names.swap_remove(0), dimensions }, after));
        }
        rest = rest.strip_prefix(',').ok_or(Error::Syntax)?;
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '=' => (Token::Equals, 1),
            '"' => {
                let (text, length) = exact(rest)?;
                (Token::Exact(text), length)
            }
            _ => {
                let is_end = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '=' | '"');
                let length = rest.find(is_end).unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// A text in double quotes without its escapes, and how long it is with them.
fn exact(rest: &str) -> Result<(String, usize), Error> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((place, next)) = chars.next() {
        match next {
            '"' => return Ok((text, place + 1)),
            '\\' => text.push(chars.next().ok_or(Error::Syntax)?.1),
            _ => text.push(next),
        }
    }
    Err(Error::Syntax)
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
    depth: usize,
}

impl Parser {
    fn any(&mut self) -> Result<Term, Error> {
        let mut terms = vec![self.all()?];
        while self.word("OR") {
            terms.push(self.all()?);
        }
        Ok(one_or(terms, Term::Or))
    }

    /// Terms beside each other are all meant.
    fn all(&mut self) -> Result<Term, Error> {
        let mut terms = vec![self.negation()?];
        while self.word("AND") || !self.is_over() {
            terms.push(self.negation()?);
        }
        Ok(one_or(terms, Term::And))
    }

    /// Whether no further term follows here.
    fn is_over(&self) -> bool {
        match self.peek() {
            None | Some(Token::Close) => true,
            Some(Token::Word(word)) => word == "OR",
            _ => false,
        }
    }

    fn negation(&mut self) -> Result<Term, Error> {
        if self.word("NOT") {
            return Ok(Term::Not(Box::new(self.nested(Parser::negation)?)));
        }
        match self.next()? {
            Token::Open => {
                let inner = self.nested(Parser::any)?;
                if self.next()? == Token::Close { Ok(inner) } else { Err(Error::Syntax) }
            }
            Token::Word(word) | Token::Exact(word) if self.peek() == Some(&Token::Equals) => {
                self.place += 1;
                if word.starts_with(":aws.") {
                    return Err(Error::Unsupported(format!("SEARCH's property {word}")));
                }
                self.property(&word)
            }
            Token::Word(word) => partial(None, &word),
            Token::Exact(text) => Ok(Term::Match { property: None, text: Text::Exact(text) }),
            Token::Close | Token::Equals => Err(Error::Syntax),
        }
    }

    /// A property's value, or several in parentheses.
    fn property(&mut self, name: &str) -> Result<Term, Error> {
        let property = Some(name.to_owned());
        match self.next()? {
            Token::Word(word) => partial(property, &word),
            Token::Exact(text) => Ok(Term::Match { property, text: Text::Exact(text) }),
            Token::Open => {
                let mut values = vec![self.nested(|parser| parser.property(name))?];
                while self.word("OR") {
                    values.push(self.nested(|parser| parser.property(name))?);
                }
                if self.next()? == Token::Close { Ok(one_or(values, Term::Or)) } else { Err(Error::Syntax) }
            }
            Token::Close | Token::Equals => Err(Error::Syntax),
        }
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Parser) -> Result<Term, Error>) -> Result<Term, Error> {
        if self.depth == NESTING_MAX {
            return Err(Error::TooDeep { limit: NESTING_MAX });
        }
        self.depth += 1;
        let term = inner(self);
        self.depth -= 1;
        term
    }

    /// Takes the word if it comes next.
    fn word(&mut self, wanted: &str) -> bool {
        let comes = matches!(self.peek(), Some(Token::Word(word)) if word == wanted);
        self.place += usize::from(comes);
        comes
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place)
    }

    fn next(&mut self) -> Result<Token, Error> {
        let token = self.peek().cloned().ok_or(Error::Syntax)?;
        self.place += 1;
        Ok(token)
    }
}

fn partial(property: Option<String>, word: &str) -> Result<Term, Error> {
    if matches!(word, "AND" | "OR" | "NOT") {
        return Err(Error::Syntax);
    }
    Ok(Term::Match { property, text: Text::Partial(Tokens::of(word)) })
}

fn one_or(mut terms: Vec<Term>, many: fn(Vec<Term>) -> Term) -> Term {
    if terms.len() == 1 { terms.swap_remove(0) } else { many(terms) }
}
