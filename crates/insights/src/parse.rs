//! From text to commands.

mod expression;

use std::ops::Range;

use crate::baseline::Baseline;
use crate::error::Flaw;
use crate::syntax::{Column, Command, CommandKind, Expression, Order, ParseHow};
use crate::token::{self, Token, TokenKind};

/// Longest query, characters. Source: StartQuery.
pub const QUERY_CHARS_MAX: usize = 10_000;
/// How deep parentheses and calls may lie in each other.
const DEPTH_MAX: usize = 40;

/// AWS's commands that aren't run here.
const UNSUPPORTED: &[&str] = &[
    "addtotals",
    "anomaly",
    "expand",
    "filterindex",
    "join",
    "lookup",
    "relevantfields",
    "search",
    "source",
    "subqueries",
    "tail",
    "unnest",
];

/// Reads a whole query.
pub(crate) fn parse(text: &str) -> Result<Vec<Command>, Flaw> {
    if text.chars().count() > QUERY_CHARS_MAX {
        let message = format!("a query has at most {QUERY_CHARS_MAX} characters");
        return Err(Flaw::message(0..0, message));
    }
    let mut parser = Parser { text, token: token::next(text, 0)?, end: 0, depth: 0 };
    let mut commands = Vec::new();
    loop {
        commands.push(parser.command()?);
        if parser.token.kind == TokenKind::End {
            return Ok(commands);
        }
        parser.expect("|")?;
    }
}

struct Parser<'t> {
    text: &'t str,
    /// The word that is next.
    token: Token,
    /// Where the word before it ended.
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn command(&mut self) -> Result<Command, Flaw> {
        let start = self.token.at.start;
        let TokenKind::Name { text, is_plain: true } = &self.token.kind else {
            return Err(self.unexpected());
        };
        let name = text.to_ascii_lowercase();
        if UNSUPPORTED.contains(&name.as_str()) {
            return Err(Flaw::Unsupported(format!("The query command {name}")));
        }
        let at = self.token.at.clone();
        let kind = match name.as_str() {
            "fields" => self.after(|p| Ok(CommandKind::Fields(p.columns()?)))?,
            "display" => self.after(|p| Ok(CommandKind::Display(p.columns()?)))?,
            "unmask" => self.after(|p| Ok(CommandKind::Unmask(p.columns()?)))?,
            "filter" | "where" => self.after(|p| Ok(CommandKind::Filter(p.expression()?)))?,
            "parse" => self.parse_command()?,
            "stats" => self.after(Parser::stats)?,
            "sort" | "order" => self.after(Parser::sort)?,
            "limit" | "head" => self.after(Parser::limit)?,
            "dedup" => self.after(|p| Ok(CommandKind::Dedup(p.list()?)))?,
            "diff" => self.after(|p| Ok(CommandKind::Diff(p.baseline()?)))?,
            "pattern" => self.after(|p| Ok(CommandKind::Pattern(p.expression()?)))?,
            _ => return Err(Flaw::Symbol(at)),
        };
        Ok(Command { kind, at: start..self.end })
    }

    fn after<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Flaw>) -> Result<T, Flaw> {
        self.advance()?;
        read(self)
    }

    /// `parse field "user=*" as user` or `parse field /(?<user>\w+)/`; the field may be left out and is `@message` then.
    fn parse_command(&mut self) -> Result<CommandKind, Flaw> {
        let name = self.token.at.clone();
        let pattern = token::regex(self.text, name.end)?;
        let from = match pattern {
            Some(_) => {
                self.end = name.end;
                message_at(name)
            }
            None => {
                self.advance()?;
                match self.token.kind {
                    TokenKind::Text(_) => message_at(name),
                    // What follows a field may be a regex, which no operator may eat.
                    _ => self.primary_before_regex()?,
                }
            }
        };
        let how = match token::regex(self.text, self.end)? {
            Some((pattern, at)) => {
                self.end = at.end;
                self.token = token::next(self.text, at.end)?;
                ParseHow::Regex(pattern)
            }
            None => {
                self.token = token::next(self.text, self.end)?;
                ParseHow::Glob(self.parse_glob()?)
            }
        };
        let mut names = Vec::new();
        if self.eat_word("as")? {
            names.push(self.name()?);
            while self.eat(",")? {
                names.push(self.name()?);
            }
        }
        Ok(CommandKind::Parse { from, how, names })
    }

    fn parse_glob(&mut self) -> Result<String, Flaw> {
        match &self.token.kind {
            TokenKind::Text(glob) => {
                let glob = glob.clone();
                self.advance()?;
                Ok(glob)
            }
            TokenKind::Name { text, is_plain: true } => match text.to_ascii_lowercase().as_str() {
                mode @ ("logfmt" | "xml" | "csv" | "json") => {
                    Err(Flaw::Unsupported(format!("The query command parse {mode}")))
                }
                _ => Err(self.unexpected()),
            },
            _ => Err(self.unexpected()),
        }
    }

    fn baseline(&mut self) -> Result<Baseline, Flaw> {
        for (word, baseline) in [
            ("previousDay", Baseline::Day),
            ("previousWeek", Baseline::Week),
            ("previousMonth", Baseline::Month),
        ] {
            if self.eat_word(word)? {
                return Ok(baseline);
            }
        }
        Ok(Baseline::Just)
    }

    fn stats(&mut self) -> Result<CommandKind, Flaw> {
        let columns = self.columns()?;
        let by = if self.eat_word("by")? { self.columns()? } else { Vec::new() };
        Ok(CommandKind::Stats { columns, by })
    }

    fn sort(&mut self) -> Result<CommandKind, Flaw> {
        // `order by` is an older spelling.
        self.eat_word("by")?;
        let mut keys = Vec::new();
        loop {
            let key = self.expression()?;
            let order = if self.eat_word("desc")? {
                Order::Descending
            } else {
                self.eat_word("asc")?;
                Order::Ascending
            };
            keys.push((key, order));
            if !self.eat(",")? {
                return Ok(CommandKind::Sort(keys));
            }
        }
    }

    fn limit(&mut self) -> Result<CommandKind, Flaw> {
        let is_any = self.eat_word("any")?;
        match self.token.kind {
            TokenKind::Number(count) if count.fract() == 0.0 && (1.0..=1e9).contains(&count) => {
                self.advance()?;
                Ok(CommandKind::Limit { count: count as usize, is_any })
            }
            _ => Err(self.unexpected()),
        }
    }

    fn columns(&mut self) -> Result<Vec<Column>, Flaw> {
        let mut columns = vec![self.column()?];
        while self.eat(",")? {
            columns.push(self.column()?);
        }
        Ok(columns)
    }

    fn column(&mut self) -> Result<Column, Flaw> {
        let expression = self.expression()?;
        if self.eat_word("as")? {
            return Ok(Column { expression, name: self.name()?, has_alias: true });
        }
        let name = match &expression.kind {
            crate::syntax::ExpressionKind::Field(name) => name.clone(),
            _ => self.text[expression.at.clone()].to_owned(),
        };
        Ok(Column { expression, name, has_alias: false })
    }

    fn name(&mut self) -> Result<String, Flaw> {
        match &self.token.kind {
            TokenKind::Name { text, .. } if !text.is_empty() => {
                let text = text.clone();
                self.advance()?;
                Ok(text)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn list(&mut self) -> Result<Vec<Expression>, Flaw> {
        let mut list = vec![self.expression()?];
        while self.eat(",")? {
            list.push(self.expression()?);
        }
        Ok(list)
    }

    fn advance(&mut self) -> Result<(), Flaw> {
        self.end = self.token.at.end;
        self.token = token::next(self.text, self.end)?;
        Ok(())
    }

    fn eat(&mut self, symbol: &str) -> Result<bool, Flaw> {
        let is_next = matches!(self.token.kind, TokenKind::Symbol(next) if next == symbol);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Flaw> {
        if self.eat(symbol)? { Ok(()) } else { Err(self.unexpected()) }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.token.kind, TokenKind::Name { text, is_plain: true } if text.eq_ignore_ascii_case(word))
    }

    fn eat_word(&mut self, word: &str) -> Result<bool, Flaw> {
        let is_next = self.is_word(word);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    fn unexpected(&self) -> Flaw {
        Flaw::Symbol(self.token.at.clone())
    }
}

fn message_at(at: Range<usize>) -> Expression {
    Expression { kind: crate::syntax::ExpressionKind::Field("@message".to_owned()), at }
}
