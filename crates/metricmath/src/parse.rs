use crate::Error;
use crate::function::Function;
use crate::operator::{Operator, RANKS};
use crate::search::Search;
use crate::syntax::{Argument, Expression, Node};
use crate::token::{Token, tokens};

/// Characters of an expression. Source: MetricDataQuery.
pub const EXPRESSION_CHARS_MAX: usize = 2048;
/// Levels of brackets, calls, signs and powers in each other.
pub const NESTING_MAX: usize = 50;

impl Expression {
    /// Reads an expression. Functions that CloudWatch has and that aren't evaluated here are refused by name.
    pub fn parse(text: &str) -> Result<Expression, Error> {
        if text.chars().count() > EXPRESSION_CHARS_MAX {
            return Err(Error::TooLong { limit: EXPRESSION_CHARS_MAX });
        }
        let mut parser = Parser { tokens: tokens(text)?, place: 0, depth: 0 };
        let root = parser.chain(0)?;
        if parser.place < parser.tokens.len() {
            return Err(Error::Syntax);
        }
        Ok(Expression { root })
    }
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
    depth: usize,
}

impl Parser {
    /// Operations of one rank and of those that bind stronger.
    fn chain(&mut self, rank: usize) -> Result<Node, Error> {
        let Some(operators) = RANKS.get(rank) else { return self.unary() };
        let first = self.chain(rank + 1)?;
        let mut rest = Vec::new();
        while let Some(operator) = self.operator(operators) {
            rest.push((operator, self.chain(rank + 1)?));
        }
        Ok(if rest.is_empty() { first } else { Node::Chain(Box::new(first), rest) })
    }

    /// A sign binds weaker than a power: -2^2 is -4.
    fn unary(&mut self) -> Result<Node, Error> {
        if self.operator(&[Operator::Subtract]).is_some() {
            return self.nested(|parser| Ok(Node::Negate(Box::new(parser.unary()?))));
        }
        let base = self.primary()?;
        if self.operator(&[Operator::Power]).is_none() {
            return Ok(base);
        }
        let exponent = self.nested(Parser::unary)?;
        Ok(Node::Chain(Box::new(base), vec![(Operator::Power, exponent)]))
    }

    fn primary(&mut self) -> Result<Node, Error> {
        match self.next()? {
            Token::Number(number) => Ok(Node::Number(number)),
            Token::Open => self.nested(|parser| {
                let inner = parser.chain(0)?;
                parser.expect(&Token::Close)?;
                Ok(inner)
            }),
            Token::OpenArray => self.nested(Parser::array),
            Token::Name(name) if self.peek() == Some(&Token::Open) => {
                self.place += 1;
                self.nested(|parser| parser.call(&name))
            }
            Token::Name(name) if is_id(&name) => Ok(Node::Id(name)),
            _ => Err(Error::Syntax),
        }
    }

    fn array(&mut self) -> Result<Node, Error> {
        let mut items = vec![self.chain(0)?];
        while self.peek() == Some(&Token::Comma) {
            self.place += 1;
            items.push(self.chain(0)?);
        }
        self.expect(&Token::CloseArray)?;
        Ok(Node::Array(items))
    }

    fn call(&mut self, name: &str) -> Result<Node, Error> {
        let mut arguments = Vec::new();
        if self.peek() != Some(&Token::Close) {
            arguments.push(self.argument()?);
            while self.peek() == Some(&Token::Comma) {
                self.place += 1;
                arguments.push(self.argument()?);
            }
        }
        self.expect(&Token::Close)?;
        if name == "SEARCH" {
            return Ok(Node::Search(Box::new(Search::of(&arguments)?)));
        }
        let function = Function::parse(name)?;
        function.check(&arguments)?;
        Ok(Node::Call(function, arguments))
    }

    fn argument(&mut self) -> Result<Argument, Error> {
        let is_last = matches!(self.tokens.get(self.place + 1), Some(Token::Comma | Token::Close));
        match self.peek() {
            Some(Token::Text(text)) => {
                let text = text.clone();
                self.place += 1;
                Ok(Argument::Text(text))
            }
            Some(Token::Name(name)) if is_last && !is_id(name) => {
                let word = name.clone();
                self.place += 1;
                Ok(Argument::Word(word))
            }
            _ => Ok(Argument::Node(self.chain(0)?)),
        }
    }

    /// Goes a level down.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Parser) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == NESTING_MAX {
            return Err(Error::TooDeep { limit: NESTING_MAX });
        }
        self.depth += 1;
        let found = inner(self);
        self.depth -= 1;
        found
    }

    fn operator(&mut self, wanted: &[Operator]) -> Option<Operator> {
        let Some(Token::Operator(operator)) = self.peek() else { return None };
        let operator = *operator;
        wanted.contains(&operator).then(|| {
            self.place += 1;
            operator
        })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place)
    }

    fn next(&mut self) -> Result<Token, Error> {
        let token = self.peek().cloned().ok_or(Error::Syntax)?;
        self.place += 1;
        Ok(token)
    }

    fn expect(&mut self, token: &Token) -> Result<(), Error> {
        if self.next()? == *token { Ok(()) } else { Err(Error::Syntax) }
    }
}

/// Ids of queries begin with a lower-case letter.
fn is_id(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
}
