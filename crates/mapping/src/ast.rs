//! A template after parsing: what there is to render, with every literal at hand. What is told apart most has its kind in a byte of
//! its own, which is quicker to read than one that hides in the rest.

use std::collections::BTreeMap;

use crate::jsonpath::JsonPath;
use crate::names::Name;
use crate::words::{Meaning, Word};

/// What stands between two ends: text, references and directives in their order.
pub type Block = Vec<Node>;

#[derive(Debug)]
#[repr(u8)]
pub enum Node {
    Text(String),
    Reference(Reference),
    Set { target: Reference, value: Expression },
    If { branches: Vec<(Expression, Block)>, otherwise: Block },
    Foreach { variable: Name, list: Expression, body: Block },
    Define { name: Name, body: Block },
    Call(Call),
    Break,
    Stop,
}

/// `#name(arguments)`, or `#@name(arguments) body #end`.
#[derive(Debug)]
pub struct Call {
    pub name: Box<str>,
    pub arguments: Vec<Expression>,
    pub body: Option<Block>,
    /// What is rendered when there is no macro of this name.
    pub literal: Box<str>,
}

#[derive(Debug)]
pub struct Macro {
    pub parameters: Vec<Name>,
    pub body: Block,
}

pub type Macros = BTreeMap<Box<str>, Macro>;

/// `$name.step.step`, in all its forms.
#[derive(Debug)]
pub struct Reference {
    pub name: Name,
    /// The name that `#set`, `#define` and `#macro` give, if there are no steps: Velocity takes all that stands after the dollar, so
    /// that `#set(${a} = 1)` sets nothing that could be named.
    pub gives: Name,
    pub steps: Vec<Step>,
    /// The reference as it was written, without backslashes before it.
    pub literal: Box<str>,
    /// `$!name`: nothing is rendered when there is no value.
    pub is_quiet: bool,
    /// Backslashes directly before the dollar.
    pub backslashes: usize,
    /// Neither steps nor backslashes.
    pub is_plain: bool,
}

impl Reference {
    /// `$name` and nothing else.
    pub fn is_bare(&self) -> bool {
        self.steps.is_empty() && self.gives == self.name
    }

    /// Indexes aside.
    pub fn ends_in_property(&self) -> bool {
        let last = self.steps.iter().rev().find(|step| !matches!(step, Step::Index(_)));
        matches!(last, Some(Step::Property(_)))
    }
}

#[derive(Debug)]
#[repr(u8)]
pub enum Step {
    Property(Word),
    Method(Method),
    Index(Expression),
}

/// `.name(arguments)`.
#[derive(Debug)]
pub struct Method {
    pub name: Word,
    pub arguments: Vec<Expression>,
    /// The only argument, read as what `$input` takes: where it stands there as a text and is one.
    pub path: Option<JsonPath>,
}

impl Method {
    pub fn new(name: &str, arguments: Vec<Expression>) -> Method {
        let name = Word::from(name);
        let path = match (name.meaning, arguments.as_slice()) {
            (Meaning::Json | Meaning::Path, [Expression::Text(path)]) => JsonPath::parse(path).ok(),
            _ => None,
        };
        Method { name, arguments, path }
    }
}

#[derive(Debug)]
#[repr(u8)]
pub enum Expression {
    Text(Box<str>),
    /// A string in double quotes that has references or directives in it.
    Interpolated(Block),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    Reference(Reference),
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
    Range(Box<(Expression, Expression)>),
    Not(Box<Expression>),
    Binary(Operator, Box<(Expression, Expression)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub fn compares(self) -> bool {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        matches!(self, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual)
    }
}
