//! API Gateway's mapping templates: VTL, JSONPath and parameter expressions.
//!
//! A [`Template`] is parsed once and rendered for each [`Exchange`] to a [`Rendered`] text with the overrides that it set. What it names is
//! asked for by name ([`Members`]), so that nobody makes what it doesn't. The language is
//! Apache Velocity 1.7's, with the objects that AWS gives it: `$input`, `$util`, `$context`, `$stageVariables`. A [`jsonpath::JsonPath`]
//! is Jayway's. [`parameter`] has the one-line expressions of parameter mappings (`method.request.header.X`).
//!
//! Nothing here knows HTTP, AWS's integrations or a clock. Templates and bodies are hostile: text, nesting, steps, values and output are
//! bounded, and each bound has a name.

mod ast;
mod cursor;
mod encoding;
mod error;
mod json;
pub mod jsonpath;
mod members;
mod names;
mod number;
pub mod parameter;
mod parse;
mod pattern;
mod render;
mod template;
mod texts;
mod value;
mod words;

pub use error::{Problem, RenderError, SyntaxError};
pub use members::{Letters, Member, Members};
pub use parse::NESTING_MAX;
pub use pattern::PATTERN_BYTES_MAX;
pub use render::{DEPTH_MAX, FOREACH_MAX, MACRO_DEPTH_MAX, OUTPUT_BYTES_MAX, STEPS_MAX, TEXT_BYTES_MAX};
pub use template::{Exchange, Rendered, RequestOverrides, ResponseOverrides, TEMPLATE_BYTES_MAX, Template};
pub use value::VALUES_MAX;
