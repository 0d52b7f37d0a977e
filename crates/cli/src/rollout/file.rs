//! A rollout file: StartRollout's input as people write it.
//!
//! TOML, YAML or JSON; the first line tells which. Keys are the model's members in lower case with underscores, or as the model has them. Under the name of
//! a time in milliseconds without its `_ms` stands a duration as text, a share may be written `0.5pp`, a quantile `p99`, one
//! of the model's words in lower case, and a structure that needs a percentage alone may be that number. What the model doesn't have is refused with its place.

use std::fmt::{self, Display};

use pitbird_rollout::plan;
use pitbird_wire::{Kind, Member, Model, Reference, Structure};
use serde_json::{Map, Value as Json, json};
use thiserror::Error;

use crate::operation::{nearest, snake};
use crate::quantity;

/// Longest rollout file, bytes.
pub const BYTES_MAX: u64 = 1 << 20;

/// Why a file can't be a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    #[error("neither TOML, YAML nor JSON: {0}")]
    Notation(String),
    #[error("a rollout file is a table of names and values")]
    NoTable,
    #[error(
        "unknown key {path}{}{}",
        Error::shown(" (", .at, ")"),
        Error::shown("; did you mean ", .meant, "?")
    )]
    Unknown { path: String, at: Option<Place>, meant: Option<String> },
    #[error("{path} is there twice, under two names")]
    Twice { path: String },
    #[error("{path}: {cause}")]
    Quantity { path: String, cause: quantity::Error },
}

/// Where something stands in a file, both from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    line: usize,
    column: usize,
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl Error {
    fn shown(before: &str, value: &Option<impl Display>, after: &str) -> String {
        value.as_ref().map(|value| format!("{before}{value}{after}")).unwrap_or_default()
    }

    /// With the place of a key that is unknown, where the text has it only once.
    fn placed(self, text: &str) -> Error {
        match self {
            Error::Unknown { path, meant, .. } => {
                let key = path.rsplit('.').next().unwrap_or(&path);
                Error::Unknown { at: only_place(text, key), path, meant }
            }
            other => other,
        }
    }
}

/// Where a word stands that is there once, comments left out.
fn only_place(text: &str, word: &str) -> Option<Place> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
    let mut places = lines.flat_map(|(number, line)| {
        let whole = line.match_indices(word).filter(move |(at, _)| {
            let (before, after) = (&line[..*at], &line[at + word.len()..]);
            !before.ends_with(is_part) && !after.starts_with(is_part)
        });
        whole.map(move |(at, _)| Place { line: number + 1, column: line[..at].chars().count() + 1 })
    });
    places.next().filter(|_| places.next().is_none())
}

/// Reads a file's text into the operation's input.
pub fn parse(text: &str, model: &Model, input: &Reference) -> Result<Json, Error> {
    let mut file = notation(text)?;
    let wait = standing_wait(&mut file)?;
    let mut translated = translate(model, input, &file, "").map_err(|error| error.placed(text))?;
    let Some(wait) = wait else { return Ok(translated) };
    if translated["Steps"].is_null() {
        translated["Steps"] = usual_steps(&translated);
    }
    if let Some(Json::Array(steps)) = translated.get_mut("Steps") {
        for step in steps.iter_mut().filter_map(Json::as_object_mut) {
            step.entry("WaitMs").or_insert_with(|| wait.clone());
        }
    }
    Ok(translated)
}

/// The percentages of a rollout that names none.
pub fn usual_steps(input: &Json) -> Json {
    let steps = if input["Ramp"].is_object() { plan::adaptive_steps() } else { plan::standard_steps() };
    steps.iter().map(|step| json!({"Percent": step.percent.get()})).collect()
}

fn notation(text: &str) -> Result<Json, Error> {
    let read = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| Error::Notation(error.to_string()))
    } else if is_yaml(text) {
        pitbird_openapi::text::parse(text.as_bytes()).map_err(|error| Error::Notation(error.to_string()))
    } else {
        toml::from_str(text).map_err(|error| Error::Notation(error.to_string().trim_end().to_owned()))
    };
    read.and_then(|read: Json| if read.is_object() { Ok(read) } else { Err(Error::NoTable) })
}

/// YAML puts a colon behind its first key, TOML an equals sign, unless it begins with a table.
fn is_yaml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(first) = lines.next() else { return false };
    first == "---" || first.find([':', '=', '[']).is_some_and(|at| first[at..].starts_with(':'))
}

/// Takes the wait that stands at the top for all steps without one of their own.
fn standing_wait(file: &mut Json) -> Result<Option<Json>, Error> {
    let Some(top) = file.as_object_mut() else { return Ok(None) };
    match (top.remove("wait"), top.remove("wait_ms")) {
        (Some(_), Some(_)) => Err(Error::Twice { path: "wait".to_owned() }),
        (Some(text), None) => duration(&text, "wait").map(Some),
        (None, number) => Ok(number),
    }
}

fn translate(model: &Model, reference: &Reference, json: &Json, path: &str) -> Result<Json, Error> {
    let shape = model.shape(reference.shape);
    Ok(match (&shape.kind, json) {
        (Kind::Structure(structure), Json::Object(members)) => {
            let mut translated = Map::new();
            for (key, value) in members {
                let path = below(path, key);
                let (member, value) = member(model, structure, key, value, &path)?;
                if translated.insert(member.to_owned(), value).is_some() {
                    return Err(Error::Twice { path });
                }
            }
            Json::Object(translated)
        }
        (Kind::Structure(structure), Json::Number(_) | Json::String(_)) => match percentage(structure) {
            Some(member) => {
                let value = translate(model, &member.reference, json, path)?;
                Json::Object(Map::from_iter([(member.name.to_owned(), value)]))
            }
            None => json.clone(),
        },
        (Kind::List { member, .. }, Json::Array(items)) => {
            let items = items.iter().enumerate();
            let items: Result<_, _> = items
                .map(|(at, item)| translate(model, member, item, &below(path, &at.to_string())))
                .collect();
            Json::Array(items?)
        }
        (Kind::Double, Json::String(text)) => {
            let read = match shape.name {
                "Percent" => quantity::percent(text),
                "Quantile" => quantity::quantile(text),
                _ => quantity::share(text),
            };
            Json::from(read.map_err(|cause| Error::Quantity { path: path.to_owned(), cause })?)
        }
        (Kind::String, Json::String(text)) => {
            let choices = &shape.constraints.choices;
            Json::from(*choices.iter().find(|choice| snake(choice) == *text).unwrap_or(&text.as_str()))
        }
        // What has the wrong type is refused by name when the input is sent.
        _ => json.clone(),
    })
}

/// The member that a key means, and its value in the model's unit.
fn member<'m>(
    model: &'m Model,
    structure: &'m Structure,
    key: &str,
    value: &Json,
    path: &str,
) -> Result<(&'m str, Json), Error> {
    let same = |member: &&Member| member.name == key || snake(member.name) == key;
    if let Some(member) = structure.members.iter().find(same) {
        return Ok((member.name, translate(model, &member.reference, value, path)?));
    }
    let in_ms = format!("{key}_ms");
    if let Some(member) = structure.members.iter().find(|member| snake(member.name) == in_ms) {
        return Ok((member.name, duration(value, path)?));
    }
    let keys: Vec<String> = structure.members.iter().map(|member| snake(member.name)).collect();
    let keys = keys.iter().map(|key| key.strip_suffix("_ms").unwrap_or(key));
    Err(Error::Unknown { path: path.to_owned(), at: None, meant: nearest(key, keys).map(str::to_owned) })
}

/// The one member that is needed, if that is a percentage.
pub fn percentage(structure: &Structure) -> Option<&Member> {
    let mut required = structure.members.iter().filter(|member| member.required);
    required.next().filter(|member| member.name == "Percent" && required.next().is_none())
}

fn duration(value: &Json, path: &str) -> Result<Json, Error> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let read = quantity::duration(&text).map_err(|cause| Error::Quantity { path: path.to_owned(), cause })?;
    Ok(Json::from(u64::try_from(read.as_millis()).expect("a duration that can be written fits")))
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
