//! A mapping template and what it is rendered with.

use crate::error::{Problem, RenderError, SyntaxError};
use crate::members::Members;
use crate::parse::{self, Parsed};
use crate::render::Renderer;
use crate::texts::Texts;

/// API Gateway's quota for a mapping template: 300 KB.
pub const TEMPLATE_BYTES_MAX: usize = 300 * 1024;

/// A parsed template, to be rendered by any number of threads.
#[derive(Debug)]
pub struct Template {
    parsed: Parsed,
}

/// What a template may see. Names and values are decoded, and of several values of one name the last one is seen, as in API
/// Gateway's `$input.params()`.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The request's payload, or the integration's answer. Empty is `{}`.
    pub body: &'a str,
    pub path: &'a dyn Members,
    pub querystring: &'a dyn Members,
    pub header: &'a dyn Members,
    /// Members that don't apply to the exchange should be there as empty texts: so AWS shows them.
    pub context: &'a dyn Members,
    pub stage_variables: &'a dyn Members,
}

/// A rendered template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    pub text: String,
    pub request: RequestOverrides,
    pub response: ResponseOverrides,
}

/// `$context.requestOverride`, in the order of setting. Several values come from a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestOverrides {
    pub header: Vec<(String, Vec<String>)>,
    pub path: Vec<(String, String)>,
    pub querystring: Vec<(String, Vec<String>)>,
}

/// `$context.responseOverride`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseOverrides {
    pub header: Vec<(String, Vec<String>)>,
    /// A whole number of 100 to 599; anything else that was set is left out, also a text.
    pub status: Option<u16>,
}

impl Template {
    /// # Errors
    /// [`SyntaxError`], also for more than [`TEMPLATE_BYTES_MAX`] bytes, deeper nesting than [`crate::NESTING_MAX`], and the
    /// directives that read other templates (`#include`, `#parse`, `#evaluate`).
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(SyntaxError { line: 1, column: 1, problem: Problem::TooLong(TEMPLATE_BYTES_MAX) });
        }
        parse::parse(text).map(|parsed| Self { parsed })
    }

    /// # Errors
    /// [`RenderError`]; AWS answers `500 Internal server error` and logs that the request couldn't be transformed.
    pub fn render(&self, exchange: &Exchange<'_>) -> Result<Rendered, RenderError> {
        let texts = Texts::default();
        Renderer::new(&self.parsed, exchange, &texts).run().map_err(|error| *error)
    }
}

#[cfg(test)]
mod tests;
