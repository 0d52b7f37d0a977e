//! A service's model: operations, shapes, constraints, errors; parsed once, never changed.

mod build;
mod patch;
mod raw;
mod shape;

pub use build::ModelError;
pub(crate) use build::metadata;
pub use shape::{
    Constraints, ErrorTrait, Kind, Location, Member, Reference, Shape, ShapeId, Structure, TimestampFormat,
    XmlNamespace,
};

use crate::Protocol;
use http::{HeaderMap, Method};
use pitbird_paths::{Router, Segment, Template};
use std::collections::HashMap;

/// One service as its model describes it. Names are borrowed from the model's text, which lives as long as the
/// process.
#[derive(Debug)]
pub struct Model {
    /// Botocore's name of the service (`apigatewayv2`, `logs`), ours for our own.
    pub key: &'static str,
    pub metadata: Metadata,
    /// Sorted by name.
    operations: Vec<Operation>,
    /// Sorted by name; a [`ShapeId`] is an index.
    shapes: Vec<Shape>,
    /// Where rest protocols meet: several operations share a template and differ by method or query.
    routes: HashMap<Method, Router<Vec<usize>>>,
}

/// What a service says of itself, with the peculiarities that a patch adds.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    pub service_id: &'static str,
    pub api_version: &'static str,
    /// The service's name in a credential scope.
    pub signing_name: &'static str,
    /// Most preferred first.
    pub protocols: Vec<Protocol>,
    pub target_prefix: Option<&'static str>,
    pub xml_namespace: Option<&'static str>,
    /// Whether errors also carry the codes that the service had under the query protocol.
    pub query_compatible: bool,
    pub peculiar: Peculiar,
}

/// Where a service's words differ from the other services'. All from patches.
#[derive(Debug, Clone, Default)]
pub struct Peculiar {
    /// Validation messages name members under the operation's name with this word after it.
    pub member_path_root: Option<&'static str>,
    /// Validation messages on elements of lists and maps also say that these must not be null.
    pub elements_not_null: bool,
    /// Namespace of `__type` in errors that the model has.
    pub error_namespace: Option<&'static str>,
    /// Namespace of `__type` in validation errors.
    pub validation_namespace: Option<&'static str>,
    /// Code of validation errors.
    pub validation_code: Option<&'static str>,
    /// Content type of bodies that are a blob and name none.
    pub blob_content_type: Option<&'static str>,
    /// Code and beginning of the message when a body is malformed.
    pub malformed_body: Option<(&'static str, &'static str)>,
    /// The path's first label may stand in the host name instead, before this word: `{label}.{word}.…`, or alone before
    /// `localhost`.
    pub host_word: Option<&'static str>,
    /// Whether errors in XML have no wrapper (Smithy's `noErrorWrapping`).
    pub bare_errors: bool,
    /// Bytes at most of a body that streams, if it may be longer than other bodies.
    pub body_bytes_max: Option<usize>,
}

/// One operation and how HTTP carries it.
#[derive(Debug)]
pub struct Operation {
    pub name: &'static str,
    pub method: Method,
    /// The path's template, without query.
    pub path: Template,
    /// Pairs that the query string must have for this operation to be meant.
    pub fixed_query: Vec<(&'static str, &'static str)>,
    /// Status of success, if no member carries another.
    pub response_code: u16,
    pub input: Option<ShapeId>,
    pub output: Option<ShapeId>,
    pub errors: Vec<ShapeId>,
    /// The element around the output under the query protocol.
    pub result_wrapper: Option<&'static str>,
    /// Whether clients may send the body compressed with gzip.
    pub request_compression: bool,
    /// What clients put before the host name.
    pub host_prefix: Option<&'static str>,
    /// Whether callers need not sign.
    pub unsigned: bool,
    /// Bytes at most of a request's body, or of its query string if it has all; of a compressed body when it is inflated.
    pub request_bytes_max: Option<usize>,
}

impl Model {
    /// Reads a model in botocore's language, and a patch in ours. Text is `'static` because models live as long as
    /// the process.
    pub fn parse(
        key: &'static str,
        model: &'static str,
        patch: Option<&'static str>,
    ) -> Result<Model, ModelError> {
        build::model(key, model, patch)
    }

    /// Sorted by name.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    pub fn operation(&self, name: &str) -> Option<&Operation> {
        let at = self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        Some(&self.operations[at])
    }

    pub fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0 as usize]
    }

    /// Sorted by name.
    pub fn shapes(&self) -> impl ExactSizeIterator<Item = (ShapeId, &Shape)> {
        self.shapes.iter().enumerate().map(|(at, shape)| (ShapeId(at as u32), shape))
    }

    pub fn shape_named(&self, name: &str) -> Option<ShapeId> {
        let at = self.shapes.binary_search_by(|shape| shape.name.cmp(name)).ok()?;
        Some(ShapeId(at as u32))
    }

    /// The members of a structure; empty for anything else.
    pub fn members(&self, id: ShapeId) -> &[Member] {
        self.structure(id).map_or(&[], |structure| &structure.members)
    }

    pub(crate) fn structure(&self, id: ShapeId) -> Option<&Structure> {
        match &self.shape(id).kind {
            Kind::Structure(structure) => Some(structure),
            _ => None,
        }
    }

    /// The error with this shape name, or else with this code.
    pub fn error(&self, code: &str) -> Option<&Shape> {
        let named = self.shape_named(code).map(|id| self.shape(id)).filter(|shape| shape.error.is_some());
        let coded =
            || self.shapes.iter().find(|shape| shape.error.as_ref().and_then(|e| e.code) == Some(code));
        named.or_else(coded)
    }

    /// The rest operation that a request means, with the raw text of the path's labels in the template's order. Of several
    /// that share method and template it is the one whose fixed query fits best, then the one that has all that it requires
    /// and requires most: that is what sets a part's upload apart from an object's.
    pub(crate) fn route<'p>(&self, request: &Addressed<'_>, path: &'p str) -> Option<Routed<'_, 'p>> {
        let Addressed { method, query, headers } = *request;
        let meant = |&at: &usize| crate::query::has_all(query, &self.operations[at].fixed_query);
        let router = self.routes.get(method)?;
        let found = router.find_where(path, |candidates| candidates.iter().any(meant))?;
        let rank = |&at: &usize| {
            let operation = &self.operations[at];
            let required = self.required(operation, query, headers);
            (operation.fixed_query.len(), required.is_some(), required)
        };
        let at = found.value.iter().copied().filter(|at| meant(at)).max_by_key(rank)?;
        let operation = &self.operations[at];
        let mut labels: Vec<&str> = found.captures().map(|(_, text)| text).collect();
        // A greedy label has all that is left, a trailing slash too.
        if let (Some(Segment::Greedy(_)), Some(last)) = (operation.path.segments().last(), labels.last_mut())
        {
            let tail = usize::from(path.ends_with('/') && !path.ends_with(*last));
            *last = &path[path.len() - last.len() - tail..];
        }
        let is_complete = self.required(operation, query, headers).is_some();
        Some(Routed { operation, labels, is_complete })
    }

    /// How many members in query and headers an operation requires; `None` if one isn't there.
    fn required(&self, operation: &Operation, query: &str, headers: &HeaderMap) -> Option<usize> {
        let members = operation.input.map_or(&[][..], |shape| self.members(shape));
        let mut required = 0;
        for member in members.iter().filter(|member| member.required) {
            let is_there = match member.location {
                Location::Query => crate::query::get(query, member.wire_name()).is_some(),
                Location::Header => headers.contains_key(member.wire_name()),
                _ => continue,
            };
            required += 1;
            if !is_there {
                return None;
            }
        }
        Some(required)
    }
}

/// What a request's head says beside its path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addressed<'r> {
    pub method: &'r Method,
    pub query: &'r str,
    pub headers: &'r HeaderMap,
}

/// A rest operation that a request means.
#[derive(Debug)]
pub(crate) struct Routed<'m, 'p> {
    pub operation: &'m Operation,
    pub labels: Vec<&'p str>,
    /// Whether all that the operation requires of query and headers is there.
    pub is_complete: bool,
}
