//! A query as it is written.

use std::ops::Range;

use crate::baseline::Baseline;
use crate::time::Period;

/// A command and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Command {
    pub kind: CommandKind,
    pub at: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CommandKind {
    Fields(Vec<Column>),
    Display(Vec<Column>),
    Filter(Expression),
    Parse {
        from: Expression,
        how: ParseHow,
        names: Vec<String>,
    },
    Stats {
        columns: Vec<Column>,
        by: Vec<Column>,
    },
    Sort(Vec<(Expression, Order)>),
    Limit {
        count: usize,
        is_any: bool,
    },
    Dedup(Vec<Expression>),
    Pattern(Expression),
    Diff(Baseline),
    /// Shows what is masked; nothing ever is. Its columns are shown.
    Unmask(Vec<Column>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ParseHow {
    Glob(String),
    Regex(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// An expression, and the name that it is given or else its own text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub expression: Expression,
    pub name: String,
    pub has_alias: bool,
}

/// An expression and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expression {
    pub kind: ExpressionKind,
    pub at: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExpressionKind {
    Field(String),
    Text(String),
    Number(f64),
    Bool(bool),
    Period(Period),
    /// The star in `count(*)`.
    Star,
    Call(String, Vec<Expression>),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    Like {
        value: Box<Expression>,
        how: LikeHow,
        is_negated: bool,
    },
    In {
        value: Box<Expression>,
        list: Vec<Expression>,
        is_negated: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LikeHow {
    Text(Box<Expression>),
    Regex(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    And,
    Or,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}
