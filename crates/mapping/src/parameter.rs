//! The one-line expressions of parameter mappings: where a value comes from ([`Source`]) and where it goes ([`Target`]).
//!
//! AWS's developer guide, "Parameter mapping source reference": a request takes `'static'` texts, `method.request.…`, `context.…` and
//! `stageVariables.…`; a response `'static'` texts, `integration.response.…`, `context.…` and `stageVariables.…`.

use std::borrow::Cow;

use crate::error::RenderError;
use crate::jsonpath::JsonPath;
use crate::members::{Letters, Member, Members};

/// Longer expressions are refused. AWS names no bound; a header may take 10,240 bytes in all.
pub const EXPRESSION_BYTES_MAX: usize = 10_240;

/// Which way a mapping goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Request,
    Response,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// `'text'`.
    Static(Box<str>),
    /// `method.request.path.X`.
    Path(Box<str>),
    /// `method.request.querystring.X`: the last value.
    Querystring(Box<str>),
    /// `method.request.multivaluequerystring.X`: all of them.
    MultiValueQuerystring(Box<str>),
    /// `method.request.header.X`: the last value. The name is looked up as it is written, as AWS does.
    Header(Box<str>),
    /// `method.request.multivalueheader.X`: all of them.
    MultiValueHeader(Box<str>),
    /// `integration.response.header.X`: the last value, in any letters.
    ResponseHeader(Box<str>),
    /// `integration.response.multivalueheader.X`: all of them, in any letters.
    MultiValueResponseHeader(Box<str>),
    /// `method.request.body` or `integration.response.body`, with a JSONPath or whole.
    Body(Option<JsonPath>),
    /// `stageVariables.X`.
    StageVariable(Box<str>),
    /// `context.X.Y`.
    Context(Vec<Box<str>>),
}

/// Where a value goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// `integration.request.path.X`.
    Path(Box<str>),
    /// `integration.request.querystring.X`.
    Querystring(Box<str>),
    /// `integration.request.header.X`, or `method.response.header.X` of a response.
    Header(Box<str>),
}

/// What sources are read from: the method's request, or the integration's response.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    pub path: &'a dyn Members,
    pub querystring: &'a dyn Members,
    pub header: &'a dyn Members,
    /// Empty is `{}`.
    pub body: &'a str,
    pub context: &'a dyn Members,
    pub stage_variables: &'a dyn Members,
}

/// The text isn't an expression that may stand there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid mapping expression specified: {expression}")]
pub struct InvalidExpression {
    pub expression: Box<str>,
}

impl Source {
    /// # Errors
    /// [`InvalidExpression`], also for a source of the other direction.
    pub fn parse(text: &str, direction: Direction) -> Result<Self, InvalidExpression> {
        source(text, direction).ok_or_else(|| invalid(text))
    }

    /// The values, of which there are none when the message doesn't have what the source names, and several only for the
    /// sources that say so.
    ///
    /// # Errors
    /// [`RenderError::BodyNotJson`] for a body that begins as JSON and isn't, of which a request's caller hears `400 Invalid JSON in
    /// request body`; others when its JSON goes beyond the bounds of a rendering.
    pub fn values(&self, message: &Message<'_>) -> Result<Vec<String>, RenderError> {
        let one = |members: &dyn Members, name: &str| {
            members.get(name).map(|member| member.to_text()).into_iter().collect()
        };
        let all = |members: &dyn Members, name: &str, letters| {
            members.values(name, letters).into_iter().map(Cow::into_owned).collect()
        };
        Ok(match self {
            Source::Static(text) => vec![text.to_string()],
            Source::Path(name) => one(message.path, name),
            Source::Querystring(name) => one(message.querystring, name),
            Source::MultiValueQuerystring(name) => all(message.querystring, name, Letters::Exact),
            Source::Header(name) => one(message.header, name),
            Source::MultiValueHeader(name) => all(message.header, name, Letters::Exact),
            Source::ResponseHeader(name) => {
                let last = message.header.values(name, Letters::Any).pop();
                last.map(Cow::into_owned).into_iter().collect()
            }
            Source::MultiValueResponseHeader(name) => all(message.header, name, Letters::Any),
            Source::Body(path) => body(message.body, path.as_ref())?.into_iter().collect(),
            Source::StageVariable(name) => one(message.stage_variables, name),
            Source::Context(path) => context(message.context, path).into_iter().collect(),
        })
    }
}

impl Target {
    /// # Errors
    /// [`InvalidExpression`], also for a target of the other direction.
    pub fn parse(text: &str, direction: Direction) -> Result<Self, InvalidExpression> {
        target(text, direction).ok_or_else(|| invalid(text))
    }
}

fn source(text: &str, direction: Direction) -> Option<Source> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return None;
    }
    if let Some(quoted) = text.strip_prefix('\'') {
        return Some(Source::Static(quoted.strip_suffix('\'')?.into()));
    }
    if let Some(variable) = text.strip_prefix("stageVariables.") {
        return Some(Source::StageVariable(name(variable)?));
    }
    if let Some(path) = text.strip_prefix("context.") {
        return path.split('.').map(name).collect::<Option<_>>().map(Source::Context);
    }
    let rest = text.strip_prefix(match direction {
        Direction::Request => "method.request.",
        Direction::Response => "integration.response.",
    })?;
    if rest == "body" {
        return Some(Source::Body(None));
    }
    let (kind, named) = rest.split_once('.')?;
    Some(match (kind, direction) {
        ("header", Direction::Request) => Source::Header(name(named)?),
        ("header", Direction::Response) => Source::ResponseHeader(name(named)?),
        ("multivalueheader", Direction::Request) => Source::MultiValueHeader(name(named)?),
        ("multivalueheader", Direction::Response) => Source::MultiValueResponseHeader(name(named)?),
        ("body", _) => Source::Body(Some(JsonPath::parse(named).ok()?)),
        ("path", Direction::Request) => Source::Path(name(named)?),
        ("querystring", Direction::Request) => Source::Querystring(name(named)?),
        ("multivaluequerystring", Direction::Request) => Source::MultiValueQuerystring(name(named)?),
        _ => return None,
    })
}

fn target(text: &str, direction: Direction) -> Option<Target> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return None;
    }
    match direction {
        Direction::Request => {
            let (kind, named) = text.strip_prefix("integration.request.")?.split_once('.')?;
            match kind {
                "header" => name(named).map(Target::Header),
                "querystring" => name(named).map(Target::Querystring),
                "path" => name(named).map(Target::Path),
                _ => None,
            }
        }
        Direction::Response => {
            text.strip_prefix("method.response.header.").and_then(name).map(Target::Header)
        }
    }
}

/// AWS takes names of `[a-zA-Z0-9._$-]+`; query strings are known to have brackets and colons too.
fn name(text: &str) -> Option<Box<str>> {
    let is_name = !text.is_empty()
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b'-' | b':' | b'[' | b']')
        });
    is_name.then(|| text.into())
}

fn invalid(text: &str) -> InvalidExpression {
    InvalidExpression { expression: text.chars().take(200).collect() }
}

/// What tests recorded from AWS: whitespace around it goes, and who begins as JSON has to be JSON, also where the whole body is asked for.
fn body(body: &str, path: Option<&JsonPath>) -> Result<Option<String>, RenderError> {
    let body = match body.trim() {
        "" => "{}",
        body => body,
    };
    let begins_as_json = body.starts_with(['{', '[', '"', '\'']);
    if begins_as_json && serde_json::from_str::<serde::de::IgnoredAny>(body).is_err() {
        return Err(RenderError::BodyNotJson);
    }
    match path {
        None => Ok(Some(body.to_owned())),
        Some(_) if !begins_as_json => Ok(None),
        Some(path) => path.read_text(body),
    }
}

fn context(context: &dyn Members, path: &[Box<str>]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let mut here = context.get(first)?;
    for name in rest {
        let Member::Members(members) = here else { return None };
        here = members.get(name)?;
    }
    Some(here.to_text())
}

#[cfg(test)]
mod tests;
