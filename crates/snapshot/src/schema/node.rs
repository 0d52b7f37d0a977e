use regex_lite::Regex;
use serde_json::{Map, Value as Json};

use super::{BadSchema, Compiler, Place};

/// One schema with its keywords read; others are named by index.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// A schema that refers is nothing beside.
    pub reference: Option<usize>,
    pub types: Vec<Kind>,
    pub values: Option<Vec<Json>>,
    pub multiple_of: Option<serde_json::Number>,
    pub minimum: Option<(serde_json::Number, bool)>,
    pub maximum: Option<(serde_json::Number, bool)>,
    pub lengths: Range,
    pub pattern: Option<(String, Regex)>,
    pub format: Option<Format>,
    pub items: Items,
    pub additional_items: Additional,
    pub counts: Range,
    pub are_unique: bool,
    pub required: Vec<String>,
    pub properties: Vec<(String, usize)>,
    pub patterns: Vec<(Regex, usize)>,
    pub additional: Additional,
    pub members: Range,
    pub dependencies: Vec<(String, Dependency)>,
    pub all_of: Vec<usize>,
    pub any_of: Vec<usize>,
    pub one_of: Vec<usize>,
    pub not: Option<usize>,
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Range {
    pub min: Option<u64>,
    pub max: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) enum Items {
    #[default]
    Any,
    All(usize),
    Each(Vec<usize>),
}

/// What is said of members and items that no other keyword speaks of.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Additional {
    #[default]
    Any,
    None,
    Like(usize),
}

#[derive(Debug)]
pub(super) enum Dependency {
    Members(Vec<String>),
    Schema(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Array,
    Boolean,
    Integer,
    Null,
    Number,
    Object,
    String,
}

impl Kind {
    const ALL: [Kind; 7] =
        [Kind::Array, Kind::Boolean, Kind::Integer, Kind::Null, Kind::Number, Kind::Object, Kind::String];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Array => "array",
            Kind::Boolean => "boolean",
            Kind::Integer => "integer",
            Kind::Null => "null",
            Kind::Number => "number",
            Kind::Object => "object",
            Kind::String => "string",
        }
    }

    pub fn of(value: &Json) -> Kind {
        match value {
            Json::Null => Kind::Null,
            Json::Bool(_) => Kind::Boolean,
            Json::Number(number) if number.is_f64() => Kind::Number,
            Json::Number(_) => Kind::Integer,
            Json::String(_) => Kind::String,
            Json::Array(_) => Kind::Array,
            Json::Object(_) => Kind::Object,
        }
    }
}

/// Formats that are checked. Others are words, as draft 4 allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Email,
    Ipv4,
    Ipv6,
}

impl Node {
    pub fn compile(json: &Json, place: &Place, compiler: &mut Compiler<'_>) -> Result<Node, BadSchema> {
        let Json::Object(members) = json else { return Err(BadSchema::Keyword("schema")) };
        if let Some(reference) = members.get("$ref") {
            let reference = reference.as_str().ok_or(BadSchema::Keyword("$ref"))?;
            return Ok(Node { reference: Some(compiler.referred(place, reference)?), ..Node::default() });
        }
        let mut node = Node::default();
        node.read_simple(members)?;
        node.read_items(members, place, compiler)?;
        node.read_members(members, place, compiler)?;
        let mut listed = |name: &'static str| -> Result<Vec<usize>, BadSchema> {
            let Some(list) = members.get(name) else { return Ok(Vec::new()) };
            let length =
                list.as_array().filter(|list| !list.is_empty()).ok_or(BadSchema::Keyword(name))?.len();
            (0..length).map(|at| nested(compiler, place, name, &at.to_string())).collect()
        };
        node.all_of = listed("allOf")?;
        node.any_of = listed("anyOf")?;
        node.one_of = listed("oneOf")?;
        node.not = members.get("not").map(|_| compiler.below(place, "not")).transpose()?;
        Ok(node)
    }

    fn read_simple(&mut self, members: &Map<String, Json>) -> Result<(), BadSchema> {
        self.types = types(members.get("type"))?;
        self.values = match members.get("enum") {
            None => None,
            Some(list) => Some(list.as_array().ok_or(BadSchema::Keyword("enum"))?.clone()),
        };
        let number = |name: &'static str| match members.get(name) {
            None => Ok(None),
            Some(Json::Number(number)) => Ok(Some(number.clone())),
            Some(_) => Err(BadSchema::Keyword(name)),
        };
        let flag = |name| members.get(name).and_then(Json::as_bool).unwrap_or(false);
        self.multiple_of = number("multipleOf")?;
        self.minimum = number("minimum")?.map(|limit| (limit, flag("exclusiveMinimum")));
        self.maximum = number("maximum")?.map(|limit| (limit, flag("exclusiveMaximum")));
        self.are_unique = flag("uniqueItems");
        self.lengths = range(members, "minLength", "maxLength")?;
        self.counts = range(members, "minItems", "maxItems")?;
        self.members = range(members, "minProperties", "maxProperties")?;
        self.required = match members.get("required") {
            // Draft 3 had a flag here, and API Gateway takes no offence.
            None | Some(Json::Bool(_)) => Vec::new(),
            Some(list) => strings(list).ok_or(BadSchema::Keyword("required"))?,
        };
        self.pattern = match members.get("pattern") {
            None => None,
            Some(text) => {
                let text = text.as_str().ok_or(BadSchema::Keyword("pattern"))?;
                Some((text.to_owned(), regex(text)?))
            }
        };
        self.format = match members.get("format").and_then(Json::as_str) {
            Some("date-time") => Some(Format::DateTime),
            Some("email") => Some(Format::Email),
            Some("ipv4") => Some(Format::Ipv4),
            Some("ipv6") => Some(Format::Ipv6),
            _ => None,
        };
        Ok(())
    }

    fn read_items(
        &mut self,
        members: &Map<String, Json>,
        place: &Place,
        compiler: &mut Compiler<'_>,
    ) -> Result<(), BadSchema> {
        self.items = match members.get("items") {
            None => Items::Any,
            Some(Json::Array(list)) => {
                let each = (0..list.len()).map(|at| nested(compiler, place, "items", &at.to_string()));
                Items::Each(each.collect::<Result<_, _>>()?)
            }
            Some(_) => Items::All(compiler.below(place, "items")?),
        };
        self.additional_items = additional(members, "additionalItems", place, compiler)?;
        Ok(())
    }

    fn read_members(
        &mut self,
        members: &Map<String, Json>,
        place: &Place,
        compiler: &mut Compiler<'_>,
    ) -> Result<(), BadSchema> {
        let object = |name: &'static str| match members.get(name) {
            None => Ok(None),
            Some(Json::Object(object)) => Ok(Some(object)),
            Some(_) => Err(BadSchema::Keyword(name)),
        };
        for name in object("properties")?.into_iter().flat_map(Map::keys) {
            self.properties.push((name.clone(), nested(compiler, place, "properties", name)?));
        }
        for pattern in object("patternProperties")?.into_iter().flat_map(Map::keys) {
            let node = nested(compiler, place, "patternProperties", pattern)?;
            self.patterns.push((regex(pattern)?, node));
        }
        for (name, needed) in object("dependencies")?.into_iter().flatten() {
            let dependency = match needed {
                Json::Array(_) => {
                    Dependency::Members(strings(needed).ok_or(BadSchema::Keyword("dependencies"))?)
                }
                _ => Dependency::Schema(nested(compiler, place, "dependencies", name)?),
            };
            self.dependencies.push((name.clone(), dependency));
        }
        self.additional = additional(members, "additionalProperties", place, compiler)?;
        Ok(())
    }
}

fn nested(compiler: &mut Compiler<'_>, place: &Place, keyword: &str, step: &str) -> Result<usize, BadSchema> {
    let holder = (place.0.clone(), format!("{}/{keyword}", place.1));
    compiler.below(&holder, step)
}

fn additional(
    members: &Map<String, Json>,
    name: &'static str,
    place: &Place,
    compiler: &mut Compiler<'_>,
) -> Result<Additional, BadSchema> {
    Ok(match members.get(name) {
        None | Some(Json::Bool(true)) => Additional::Any,
        Some(Json::Bool(false)) => Additional::None,
        Some(_) => Additional::Like(compiler.below(place, name)?),
    })
}

fn types(json: Option<&Json>) -> Result<Vec<Kind>, BadSchema> {
    let parse = |json: &Json| {
        let kind = Kind::ALL.into_iter().find(|kind| json.as_str() == Some(kind.as_str()));
        kind.ok_or(BadSchema::Keyword("type"))
    };
    match json {
        None => Ok(Vec::new()),
        Some(Json::Array(list)) => list.iter().map(parse).collect(),
        Some(one) => Ok(vec![parse(one)?]),
    }
}

fn range(members: &Map<String, Json>, min: &'static str, max: &'static str) -> Result<Range, BadSchema> {
    let bound = |name: &'static str| match members.get(name) {
        None => Ok(None),
        Some(limit) => limit.as_u64().map(Some).ok_or(BadSchema::Keyword(name)),
    };
    Ok(Range { min: bound(min)?, max: bound(max)? })
}

fn strings(json: &Json) -> Option<Vec<String>> {
    json.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn regex(text: &str) -> Result<Regex, BadSchema> {
    // Its faults have words, but no kinds.
    Regex::new(text).map_err(|fault| match fault.to_string().as_str() {
        "look-around is not supported" | "backreferences are not supported" => {
            BadSchema::LookAround(text.to_owned())
        }
        fault if fault.ends_with(" not supported") || fault.starts_with("unrecognized ") => {
            BadSchema::Dialect(text.to_owned())
        }
        _ => BadSchema::Pattern(text.to_owned()),
    })
}
