//! A template after parsing: what there is to render, with every literal at hand.

use std::collections::BTreeMap;

/// What stands between two ends: text, references and directives in their order.
pub type Block = Vec<Node>;

#[derive(Debug)]
pub enum Node {
    Text(String),
    Reference(Reference),
    Set { target: Reference, value: Expression },
    If { branches: Vec<(Expression, Block)>, otherwise: Block },
    Foreach { variable: Box<str>, list: Expression, body: Block },
    Define { name: Box<str>, body: Block },
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
    pub parameters: Vec<Box<str>>,
    pub body: Block,
}

pub type Macros = BTreeMap<Box<str>, Macro>;

/// A name that means something before a template sets any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    Input,
    Util,
    Context,
    StageVariables,
}

impl Given {
    pub fn parse(name: &str) -> Option<Given> {
        Some(match name {
            "input" => Given::Input,
            "util" => Given::Util,
            "context" => Given::Context,
            "stageVariables" => Given::StageVariables,
            _ => return None,
        })
    }
}

/// `$name.step.step`, in all its forms.
#[derive(Debug)]
pub struct Reference {
    pub name: Box<str>,
    /// What the name stands for, unless the template gives it to something else.
    pub given: Option<Given>,
    pub steps: Vec<Step>,
    /// The reference as it was written, without backslashes before it.
    pub literal: Box<str>,
    /// `$!name`: nothing is rendered when there is no value.
    pub is_quiet: bool,
    /// Backslashes directly before the dollar.
    pub backslashes: usize,
}

impl Reference {
    /// The name that `#set`, `#define` and `#macro` give: Velocity takes all that stands after the dollar, so that `#set(${a} = 1)`
    /// sets nothing that could be named.
    pub fn written_name(&self) -> &str {
        self.literal.strip_prefix('$').unwrap_or(&self.literal)
    }

    /// Indexes aside.
    pub fn ends_in_property(&self) -> bool {
        let last = self.steps.iter().rev().find(|step| !matches!(step, Step::Index(_)));
        matches!(last, Some(Step::Property(_)))
    }
}

#[derive(Debug)]
pub enum Step {
    Property(Box<str>),
    Method(Box<str>, Vec<Expression>),
    Index(Expression),
}

#[derive(Debug)]
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
