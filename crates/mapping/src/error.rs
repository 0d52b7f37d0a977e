//! What may be wrong with a template, an expression or a rendering.

/// A template that isn't VTL. API Gateway takes any template and fails when it should be rendered; who keeps templates
/// decides whether to refuse such a one earlier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct SyntaxError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    pub problem: Problem,
}

impl SyntaxError {
    pub(crate) fn at(text: &str, position: usize, problem: Problem) -> Self {
        let before = text.get(..position).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            problem,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("the template has more than {0} bytes")]
    TooLong(usize),
    #[error("nested deeper than {0}")]
    TooDeep(usize),
    #[error("`{0}` without a beginning")]
    Stray(&'static str),
    #[error("`{0}` is never closed")]
    Unclosed(&'static str),
    #[error("expected {0}")]
    Expected(&'static str),
    #[error("`#{0}` isn't available in mapping templates")]
    Refused(&'static str),
    #[error("the number doesn't fit 64 bits")]
    NumberTooBig,
    #[error("a minus directly before a digit belongs to the number: write a space after it")]
    MinusWithoutSpace,
}

/// Why a template has no result. API Gateway answers with a configuration error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("more than {0} bytes of output")]
    OutputTooLong(usize),
    #[error("a text of more than {0} bytes")]
    TextTooLong(usize),
    #[error("more than {0} steps")]
    TooManySteps(u64),
    #[error("more than {0} values")]
    TooManyValues(usize),
    #[error("nested deeper than {0}")]
    TooDeep(usize),
    #[error("macros called deeper than {0}")]
    MacroTooDeep(usize),
    /// What the method says about its arguments: Java would throw.
    #[error("`{method}` failed: {reason}")]
    Method { method: Box<str>, reason: &'static str },
    #[error("the result of a calculation doesn't fit 64 bits")]
    NumberTooBig,
    #[error("the body isn't JSON")]
    BodyNotJson,
    #[error("`{0}` isn't a JSONPath")]
    NotAPath(Box<str>),
    #[error("`{0}` isn't a pattern that can be matched here")]
    Pattern(Box<str>),
}

/// Errors are boxed within the crate, since values go through many hands: the smaller they are, the quicker.
pub type Attempt<T> = Result<T, Box<RenderError>>;

/// Apart from those who find nothing wrong, which is nearly all.
#[cold]
#[inline(never)]
pub fn refused(error: RenderError) -> Box<RenderError> {
    Box::new(error)
}

impl From<Box<RenderError>> for RenderError {
    fn from(boxed: Box<RenderError>) -> RenderError {
        *boxed
    }
}
