//! How values are written in bodies, headers, queries and paths.

pub mod cbor;
pub mod form;
pub mod gzip;
pub mod json;
pub mod scalar;
pub mod timestamp;
pub mod xml;

pub use gzip::INFLATED_BYTES_MAX;

use crate::model::{Kind, Model, Reference, TimestampFormat};
use crate::value::Key;
use thiserror::Error;

/// Nested lists, maps and structures in one body.
pub const DEPTH_MAX: usize = 64;
/// Unknown members that are reported by name; the rest of a hostile body's are only dropped.
pub const UNKNOWN_MAX: usize = 32;

/// Why bytes aren't what the model expects.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Not in the protocol's notation at all.
    #[error("{0}")]
    Malformed(String),
    /// Something of another type than the member's. The words are AWS's where they are known.
    #[error("{0}")]
    Type(String),
    #[error("nested deeper than {DEPTH_MAX} levels")]
    Depth,
    #[error("the body inflates to more than {INFLATED_BYTES_MAX} bytes")]
    Inflated,
    /// More than the operation takes. In CloudWatch's words.
    #[error("Request size {size} exceeded {limit} bytes")]
    Size { size: usize, limit: usize },
}

/// Why an operation's output can't be written: it isn't what the model says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeError {
    #[error("the model has no member {name} in {shape}")]
    UnknownMember { shape: &'static str, name: String },
    #[error("{shape} can't be a {sort}")]
    Sort { shape: &'static str, sort: &'static str },
    #[error("path label {0} has no value")]
    Label(&'static str),
    #[error("header {0} can't carry its value")]
    Header(String),
    #[error("the protocol can't carry {0}")]
    Unsupported(&'static str),
}

/// A step of the way down into a value.
pub enum Step {
    Name(Key),
    Index(usize),
}

/// What a reader needs to know on its way down, and what it noticed.
pub struct Reading<'m> {
    pub model: &'m Model,
    /// Paths of members that the model doesn't have, at most [`UNKNOWN_MAX`].
    pub unknown: Vec<String>,
    /// Names on the way to where the reader stands; kept for `unknown` only.
    path: Vec<Step>,
    depth: usize,
}

impl<'m> Reading<'m> {
    pub fn new(model: &'m Model) -> Reading<'m> {
        Reading { model, unknown: Vec::new(), path: Vec::new(), depth: 0 }
    }

    /// Notes a member that the model doesn't have.
    pub fn note_unknown(&mut self, name: &str) {
        if self.unknown.len() < UNKNOWN_MAX {
            let mut words = String::new();
            for step in &self.path {
                match step {
                    Step::Name(name) => words.push_str(name),
                    Step::Index(at) => words.push_str(itoa::Buffer::new().format(*at)),
                }
                words.push('.');
            }
            words.push_str(name);
            self.unknown.push(words);
        }
    }

    /// Goes one level down; [`Reading::leave`] goes up again.
    pub fn enter(&mut self) -> Result<(), DecodeError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(DecodeError::Depth) } else { Ok(()) }
    }

    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Reads a member, list element or map entry whose own content may have unknown members.
    pub fn within<T>(
        &mut self,
        step: impl FnOnce() -> Step,
        nested: bool,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        if nested {
            self.path.push(step());
        }
        let it = read(self);
        if nested {
            self.path.pop();
        }
        it
    }

    /// Whether values of the shape have parts.
    pub fn is_nested(&self, reference: &Reference) -> bool {
        matches!(
            self.model.shape(reference.shape).kind,
            Kind::Structure(_) | Kind::List { .. } | Kind::Map { .. }
        )
    }
}

/// The format of a timestamp: the use's, else the shape's, else the place's.
pub fn timestamp_format(model: &Model, reference: &Reference, place: TimestampFormat) -> TimestampFormat {
    let shape = match model.shape(reference.shape).kind {
        Kind::Timestamp(format) => format,
        _ => None,
    };
    reference.timestamp_format.or(shape).unwrap_or(place)
}

/// The name by which a flattened list goes if it isn't its member's: models that flatten the list itself, and not a use
/// of it, name the elements.
pub fn flattened_name(model: &Model, reference: &Reference) -> Option<&'static str> {
    match &model.shape(reference.shape).kind {
        Kind::List { member, flattened: true } => member.wire_name,
        _ => None,
    }
}
