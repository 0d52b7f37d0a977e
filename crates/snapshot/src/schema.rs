//! JSON schema, draft 4, as API Gateway's models have it.
//!
//! A schema is compiled to a flat list of nodes that name each other by index, so that references, also those in circles and those
//! to other models of the API, cost nothing when a body comes. Faults are told in the words of the validator that API Gateway
//! uses. The `jsonschema` crate would bring some forty crates with it, a backtracking regular-expression engine among them,
//! and other words.

mod check;
mod node;

use std::collections::{BTreeMap, HashMap, VecDeque};

use pitbird_records as records;
use serde_json::Value as Json;
use thiserror::Error;

use node::Node;

/// Schemas that one schema may consist of, references followed.
const NODES_MAX: usize = 10_000;

/// A schema that bodies are held against.
#[derive(Debug)]
pub struct Schema {
    nodes: Vec<Node>,
}

/// Why a text is no schema.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadSchema {
    #[error("the schema is no JSON")]
    Json,
    #[error("there is no schema at {0}")]
    Reference(String),
    #[error("{0} has a value that it can't have")]
    Keyword(&'static str),
    #[error("the regular expression {0} can't be used")]
    Pattern(String),
    /// No engine reads it in linear time.
    #[error("the regular expression {0} looks around or back")]
    LookAround(String),
    /// It may be one elsewhere.
    #[error("the regular expression {0} is not of the dialect that is read here")]
    Dialect(String),
    #[error("the schema has more than {NODES_MAX} parts")]
    TooLarge,
}

/// The models of an API by name, for the references between them.
#[derive(Debug, Default)]
pub struct Models {
    /// The API that references have to name; `None`: they are old, and whichever they name it is this one.
    api_id: Option<String>,
    by_name: BTreeMap<String, Json>,
}

impl Models {
    /// Texts that are no JSON are left out: who refers to them refers to nothing.
    pub fn new(models: &[records::Model]) -> Models {
        let parsed = models.iter().filter_map(|model| {
            Some((model.name.clone(), serde_json::from_str(model.schema.as_deref()?).ok()?))
        });
        Models { api_id: None, by_name: parsed.collect() }
    }

    /// As [`new`](Models::new), but who refers to another API's models refers to nothing.
    pub fn of_api(api_id: &str, models: &[records::Model]) -> Models {
        Models { api_id: Some(api_id.to_owned()), ..Models::new(models) }
    }
}

/// The part of a document that a schema lies in: a model's name (empty: the schema itself), and the way down from its root.
type Place = (String, String);

struct Compiler<'m> {
    models: &'m Models,
    own: &'m Json,
    /// Do the parts of other models that are referred to belong to the schema?
    follows: bool,
    known: HashMap<Place, usize>,
    to_do: VecDeque<Place>,
}

impl Schema {
    /// Reads a schema; `models` are those that it may refer to as `https://apigateway.amazonaws.com/restapis/{id}/models/{name}`.
    pub fn compile(text: &str, models: &Models) -> Result<Schema, BadSchema> {
        let own: Json = serde_json::from_str(text).map_err(|_| BadSchema::Json)?;
        Ok(Schema { nodes: nodes(&own, models, true)? })
    }

    /// Reads a schema as [`compile`](Schema::compile) does, but of the models that it refers to only sees that they are there:
    /// so many that refer to each other are each read once.
    pub fn check(text: &str, models: &Models) -> Result<(), BadSchema> {
        let own: Json = serde_json::from_str(text).map_err(|_| BadSchema::Json)?;
        nodes(&own, models, false).map(|_| ())
    }
}

fn nodes(own: &Json, models: &Models, follows: bool) -> Result<Vec<Node>, BadSchema> {
    let mut compiler = Compiler { models, own, follows, known: HashMap::new(), to_do: VecDeque::new() };
    compiler.at((String::new(), String::new()))?;
    let mut nodes = Vec::new();
    while let Some(place) = compiler.to_do.pop_front() {
        let json = compiler.find(&place)?;
        nodes.push(Node::compile(json, &place, &mut compiler)?);
    }
    Ok(nodes)
}

impl<'m> Compiler<'m> {
    /// The index that the schema at a place has or will have.
    fn at(&mut self, place: Place) -> Result<usize, BadSchema> {
        let next = self.known.len();
        if let Some(known) = self.known.get(&place) {
            return Ok(*known);
        }
        if next == NODES_MAX {
            return Err(BadSchema::TooLarge);
        }
        self.find(&place)?;
        if !self.follows && !place.0.is_empty() {
            return Ok(0);
        }
        self.known.insert(place.clone(), next);
        self.to_do.push_back(place);
        Ok(next)
    }

    fn below(&mut self, place: &Place, step: &str) -> Result<usize, BadSchema> {
        self.at((place.0.clone(), format!("{}/{}", place.1, step.replace('~', "~0").replace('/', "~1"))))
    }

    fn referred(&mut self, place: &Place, reference: &str) -> Result<usize, BadSchema> {
        let (document, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let document = match document {
            "" => place.0.clone(),
            url => self.model_of(url).ok_or_else(|| BadSchema::Reference(reference.to_owned()))?.to_owned(),
        };
        let pointer = percent_decoded(pointer);
        self.at((document, pointer)).map_err(|fault| match fault {
            BadSchema::Reference(_) => BadSchema::Reference(reference.to_owned()),
            other => other,
        })
    }

    fn find(&self, (document, pointer): &Place) -> Result<&'m Json, BadSchema> {
        let root = if document.is_empty() { Some(self.own) } else { self.models.by_name.get(document) };
        let found = root.and_then(|root| root.pointer(pointer));
        found.ok_or_else(|| BadSchema::Reference(format!("{document}#{pointer}")))
    }

    /// The model that a URL names. Source: API Gateway developer guide, "Data models for REST APIs".
    fn model_of<'u>(&self, url: &'u str) -> Option<&'u str> {
        let rest = url.strip_prefix("https://apigateway.amazonaws.com/restapis/")?;
        let (api_id, name) = rest.split_once("/models/")?;
        let is_other = self.models.api_id.as_ref().is_some_and(|own| own != api_id);
        Some(name).filter(|_| !is_other)
    }
}

fn percent_decoded(pointer: &str) -> String {
    pointer.replace("%25", "%").replace("%7B", "{").replace("%7D", "}")
}

#[cfg(test)]
mod tests;
