//! JSONPath in the dialect of Jayway's library, which API Gateway uses.
//!
//! `$`, `.name`, `['name']`, `['a','b']`, `[0]`, `[-1]`, `[0,2]`, `[1:3]`, `[*]`, `.*`, `..name`, `[?(@.price < 10 && @.kind == 'x')]`, and functions
//! at the end: `length()`, `size()`, `min()`, `max()`, `sum()`, `avg()`, `stddev()`, `keys()`, `first()`, `last()`. A path that can
//! name one place only gives its value, or nothing when there is no such place; any other gives a list. A path without `$` is
//! one below the root.

mod evaluate;
mod filter;
mod parse;

pub(crate) use evaluate::read;

use filter::Filter;

use crate::error::RenderError;
use crate::json::{self, Style};
use crate::texts::Texts;
use crate::value::{Heap, Value};

/// Longer paths are refused.
pub const PATH_BYTES_MAX: usize = 8192;

/// How deep the parentheses and paths of filters may nest.
pub const FILTER_DEPTH_MAX: usize = 20;

/// A parsed path.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    steps: Vec<Step>,
    function: Option<Function>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Member(Box<str>),
    /// Several members of an object, as an object.
    Members(Vec<Box<str>>),
    Element(i64),
    Elements(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    All,
    /// The value itself and everything in it.
    Deep,
    Filter(Filter),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Length,
    Min,
    Max,
    Sum,
    Average,
    Deviation,
    Keys,
    First,
    Last,
}

/// The text isn't a JSONPath.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a JSONPath: expected {expected} at byte {position}")]
pub struct InvalidPath {
    pub expected: &'static str,
    pub position: usize,
}

impl JsonPath {
    /// # Errors
    /// [`InvalidPath`], also for a text longer than [`PATH_BYTES_MAX`] or a filter deeper than [`FILTER_DEPTH_MAX`].
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        parse::path(text)
    }

    /// Whether the path names one place.
    pub fn is_definite(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, Step::Member(_) | Step::Members(_) | Step::Element(_)))
    }

    /// What the path finds in a JSON text, as JSON text; `None` when it finds nothing or the text isn't JSON.
    ///
    /// # Errors
    /// When the body has too many values, or the path looks at too many.
    pub fn read_json(&self, body: &str) -> Result<Option<String>, RenderError> {
        let texts = Texts::default();
        let mut heap = Heap::new(&texts);
        let Some(root) = json::parse(body, &mut heap)? else { return Ok(None) };
        let Some(found) = read(self, &root, &mut heap)? else { return Ok(None) };
        let mut text = String::new();
        json::write(&found, &heap, &mut text, Style::Json, crate::render::TEXT_BYTES_MAX)?;
        Ok(Some(text))
    }

    /// As [`JsonPath::read_json`], but a string is its own text without quotes, and null is nothing.
    ///
    /// # Errors
    /// As for [`JsonPath::read_json`].
    pub fn read_text(&self, body: &str) -> Result<Option<String>, RenderError> {
        let texts = Texts::default();
        let mut heap = Heap::new(&texts);
        let Some(root) = json::parse(body, &mut heap)? else { return Ok(None) };
        match read(self, &root, &mut heap)? {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.to_owned())),
            Some(found) => {
                let mut text = String::new();
                json::write(&found, &heap, &mut text, Style::Json, crate::render::TEXT_BYTES_MAX)?;
                Ok(Some(text))
            }
        }
    }
}

#[cfg(test)]
mod tests;
