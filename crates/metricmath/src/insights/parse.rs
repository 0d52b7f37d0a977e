use super::token::{Token, tokens};
use super::{Aggregation, Filter, Insights, Order, RESULTS_MAX};
use crate::Error;
use crate::parse::EXPRESSION_CHARS_MAX;

/// Words of the language, which names that aren't quoted may not be. Source: Metrics Insights reserved keywords, those that the syntax has.
const KEYWORDS: [&str; 13] =
    ["AND", "ASC", "BY", "DESC", "FROM", "GROUP", "LIMIT", "OR", "ORDER", "SCHEMA", "SELECT", "WHERE", "NOT"];

pub(super) fn query(text: &str) -> Result<Insights, Error> {
    if text.chars().count() > EXPRESSION_CHARS_MAX {
        return Err(Error::TooLong { limit: EXPRESSION_CHARS_MAX });
    }
    let mut parser = Parser { tokens: tokens(text)?, place: 0 };
    parser.keyword("SELECT")?;
    let function = parser.function()?;
    parser.expect(&Token::Open)?;
    let metric = parser.name()?;
    parser.expect(&Token::Close)?;
    parser.keyword("FROM")?;
    let (namespace, dimensions) = parser.source()?;
    let filters = if parser.takes("WHERE") { parser.filters()? } else { Vec::new() };
    let group_by = if parser.takes("GROUP") { parser.groups()? } else { Vec::new() };
    let order = if parser.takes("ORDER") { Some(parser.order()?) } else { None };
    let limit = if parser.takes("LIMIT") { parser.limit()? } else { RESULTS_MAX };
    if parser.place < parser.tokens.len() {
        return Err(Error::Syntax);
    }
    Ok(Insights { function, metric, namespace, dimensions, filters, group_by, order, limit })
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
}

impl Parser {
    fn source(&mut self) -> Result<(String, Option<Vec<String>>), Error> {
        if !self.takes("SCHEMA") {
            return Ok((self.name()?, None));
        }
        self.expect(&Token::Open)?;
        let namespace = self.name()?;
        let mut labels = Vec::new();
        while self.comes(&Token::Comma) {
            labels.push(self.label()?);
        }
        self.expect(&Token::Close)?;
        Ok((namespace, Some(labels)))
    }

    fn filters(&mut self) -> Result<Vec<Filter>, Error> {
        let mut filters = Vec::new();
        loop {
            let label = self.label()?;
            let is_equal = match self.next()? {
                Token::Equal => true,
                Token::NotEqual => false,
                _ => return Err(Error::Syntax),
            };
            let Token::Value(value) = self.next()? else { return Err(Error::Syntax) };
            filters.push(Filter { label, is_equal, value });
            if !self.takes("AND") {
                return Ok(filters);
            }
        }
    }

    fn groups(&mut self) -> Result<Vec<String>, Error> {
        self.keyword("BY")?;
        let mut labels = vec![self.label()?];
        while self.comes(&Token::Comma) {
            labels.push(self.label()?);
        }
        Ok(labels)
    }

    fn order(&mut self) -> Result<Order, Error> {
        self.keyword("BY")?;
        let by = self.function()?;
        self.expect(&Token::Open)?;
        self.expect(&Token::Close)?;
        let is_falling = self.takes("DESC");
        if !is_falling {
            self.takes("ASC");
        }
        Ok(Order { by, is_falling })
    }

    fn limit(&mut self) -> Result<usize, Error> {
        let Token::Bare(number) = self.next()? else { return Err(Error::Syntax) };
        let limit = number.parse().ok().filter(|limit| (1..=RESULTS_MAX).contains(limit));
        limit.ok_or(Error::Syntax)
    }

    fn function(&mut self) -> Result<Aggregation, Error> {
        let Token::Bare(word) = self.next()? else { return Err(Error::Syntax) };
        Aggregation::parse(&word).ok_or(Error::NoFunction(word))
    }

    /// A dimension's name. `tag.…` is a resource's tag, of which metrics here have none.
    fn label(&mut self) -> Result<String, Error> {
        let name = self.name()?;
        if name == "tag" && self.tokens.get(self.place) == Some(&Token::Dot) || name.starts_with("tag.") {
            return Err(Error::Unsupported("A Metrics Insights query by tags".to_owned()));
        }
        Ok(name)
    }

    fn name(&mut self) -> Result<String, Error> {
        match self.next()? {
            Token::Name(name) => Ok(name),
            Token::Bare(name) if !KEYWORDS.iter().any(|word| word.eq_ignore_ascii_case(&name)) => Ok(name),
            _ => Err(Error::Syntax),
        }
    }

    fn keyword(&mut self, word: &str) -> Result<(), Error> {
        if self.takes(word) { Ok(()) } else { Err(Error::Syntax) }
    }

    /// Takes the word if it comes next, in whatever case.
    fn takes(&mut self, word: &str) -> bool {
        let next = self.tokens.get(self.place);
        let comes = matches!(next, Some(Token::Bare(next)) if next.eq_ignore_ascii_case(word));
        self.place += usize::from(comes);
        comes
    }

    fn comes(&mut self, token: &Token) -> bool {
        let comes = self.tokens.get(self.place) == Some(token);
        self.place += usize::from(comes);
        comes
    }

    fn expect(&mut self, token: &Token) -> Result<(), Error> {
        if self.comes(token) { Ok(()) } else { Err(Error::Syntax) }
    }

    fn next(&mut self) -> Result<Token, Error> {
        let token = self.tokens.get(self.place).cloned().ok_or(Error::Syntax)?;
        self.place += 1;
        Ok(token)
    }
}
