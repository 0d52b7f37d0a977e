use std::ops::Range;

use thiserror::Error;

/// Why a query isn't run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CompileError {
    /// Not in the language. `at` is where, in characters of the query.
    #[error("{message}")]
    Malformed { message: String, at: Range<usize> },
    /// In AWS's language, but not in ours; named as callers know it.
    #[error("{0}")]
    Unsupported(String),
}

/// Why a query that runs fails.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunError {
    #[error(
        "The query holds more than {limit} bytes of rows, groups or patterns; a narrower filter, fewer fields or a limit helps."
    )]
    TooLarge { limit: usize },
}

/// A fault at a place of the text, in bytes; becomes a [`CompileError`] when the whole text is at hand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Flaw {
    /// A symbol that can't stand where it stands.
    Symbol(Range<usize>),
    Message(Range<usize>, String),
    Unsupported(String),
}

impl Flaw {
    pub fn message(at: Range<usize>, message: impl Into<String>) -> Flaw {
        Flaw::Message(at, message.into())
    }

    pub fn into_error(self, text: &str) -> CompileError {
        let in_chars = |at: &Range<usize>| {
            let start = text[..at.start].chars().count();
            start..start + text[at.start..at.end].chars().count()
        };
        match self {
            Flaw::Unsupported(what) => CompileError::Unsupported(what),
            Flaw::Message(at, message) => CompileError::Malformed { message, at: in_chars(&at) },
            Flaw::Symbol(at) => {
                let symbol = if at.is_empty() { "<EOF>" } else { &text[at.clone()] };
                let before = &text[..at.start];
                let line = before.matches('\n').count() + 1;
                let position = before.chars().rev().take_while(|c| *c != '\n').count();
                let message =
                    format!("unexpected symbol found {symbol} at line {line} and position {position}");
                CompileError::Malformed { message, at: in_chars(&at) }
            }
        }
    }
}
