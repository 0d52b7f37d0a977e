//! What AWS gives a template: `$input`, `$util`, `$context`, `$stageVariables`.

use super::Renderer;
use super::methods::failed;
use crate::encoding;
use crate::error::{Attempt, RenderError};
use crate::json::{self, Style};
use crate::jsonpath::{self, JsonPath};
use crate::members::Members;
use crate::template::{RequestOverrides, ResponseOverrides};
use crate::value::{Group, Map, MapId, Object, Text, Value};

/// What an empty payload counts as.
const EMPTY_BODY: &str = "{}";

/// What `$input.params()` has, in the order in which `$input.params(name)` looks.
const PARAMETERS: [(&str, Group); 3] =
    [("path", Group::Path), ("querystring", Group::Querystring), ("header", Group::Header)];

impl<'a> Renderer<'a> {
    pub(super) fn body(&self) -> &'a str {
        if self.exchange.body.is_empty() { EMPTY_BODY } else { self.exchange.body }
    }

    pub(super) fn input(&mut self, method: &str, arguments: &[Value<'a>]) -> Attempt<Value<'a>> {
        match (method, arguments) {
            ("params", []) => Ok(Value::Object(Object::Parameters)),
            ("params", [name]) => {
                let name = self.text(name)?;
                Ok(self.param(name.as_str()))
            }
            ("path", [path]) => Ok(self.find(path)?.unwrap_or(Value::Null)),
            ("json", [path]) => {
                let found = self.find(path)?.unwrap_or(Value::borrowed(""));
                let mut text = String::new();
                json::write(&found, &self.heap, &mut text, Style::Json, super::TEXT_BYTES_MAX)?;
                self.new_text(text)
            }
            _ => Ok(Value::Null),
        }
    }

    fn find(&mut self, path: &Value<'a>) -> Attempt<Option<Value<'a>>> {
        let path = self.text(path)?;
        if path.as_str() == "$" {
            return self.document().map(Some);
        }
        let parsed = JsonPath::parse(path.as_str())
            .map_err(|_| RenderError::NotAPath(path.as_str().chars().take(100).collect()))?;
        let root = self.document()?;
        jsonpath::read(&parsed, &root, &mut self.heap)
    }

    /// The parsed body, the same one each time. AWS's parser takes a text that isn't JSON at all as a string.
    fn document(&mut self) -> Attempt<Value<'a>> {
        if let Some(document) = &self.made.body {
            return Ok(document.clone());
        }
        let body = self.body();
        self.spend_bytes(body.len())?;
        if body == EMPTY_BODY {
            let document = Value::Map(self.heap.new_map(Map::default())?);
            self.made.body = Some(document.clone());
            return Ok(document);
        }
        let document = match json::parse(body, &mut self.heap)? {
            Some(document) => document,
            None if body.trim_start().starts_with(['{', '[']) => return Err(RenderError::BodyNotJson.into()),
            None => Value::borrowed(body),
        };
        self.made.body = Some(document.clone());
        Ok(document)
    }

    /// `path`, then `querystring`, then `header`, by the name as it is written. Empty when nowhere.
    fn param(&self, name: &str) -> Value<'a> {
        let found = PARAMETERS.into_iter().find_map(|(_, group)| self.given_group(group).get(name));
        found.map_or(Value::borrowed(""), Value::from)
    }

    /// `$input.params()` as a map.
    pub(super) fn parameters(&mut self) -> Attempt<MapId> {
        if let Some(made) = self.made.parameters {
            return Ok(made);
        }
        let mut parameters = Map::default();
        for (name, group) in PARAMETERS {
            parameters.insert(Text::Borrowed(name), Value::Map(self.group(group)?));
        }
        let made = self.heap.new_map(parameters)?;
        self.made.parameters = Some(made);
        Ok(made)
    }

    pub(super) fn parameter_group(&mut self, name: &str) -> Attempt<Value<'a>> {
        if let Some(made) = self.made.parameters {
            return Ok(self.heap.map(made).get(name).cloned().unwrap_or(Value::Null));
        }
        let group = PARAMETERS.into_iter().find(|(known, _)| *known == name);
        Ok(group.map_or(Value::Null, |(_, group)| Value::Object(Object::Group(group))))
    }

    /// All members of a group.
    pub(super) fn group(&mut self, group: Group) -> Attempt<MapId> {
        if let Some(made) = self.made.groups[group as usize] {
            return Ok(made);
        }
        let made = self.heap.adopt_all(self.given_group(group))?;
        self.made.groups[group as usize] = Some(made);
        Ok(made)
    }

    pub(super) fn group_member(&self, group: Group, name: &str) -> Value<'a> {
        match self.made.groups[group as usize] {
            Some(made) => self.heap.map(made).get(name).cloned().unwrap_or(Value::Null),
            None => self.member_of(self.given_group(group), name),
        }
    }

    fn given_group(&self, group: Group) -> &'a dyn Members {
        match group {
            Group::Path => self.exchange.path,
            Group::Querystring => self.exchange.querystring,
            Group::Header => self.exchange.header,
            Group::StageVariables => self.exchange.stage_variables,
        }
    }

    /// A member of `$context`; the overrides can be set, all else is the caller's.
    pub(super) fn context(&mut self, name: &str) -> Attempt<Value<'a>> {
        match name {
            "requestOverride" => {
                let made = self.made.request_override;
                let id = self.overrides(made, &["header", "path", "querystring"])?;
                self.made.request_override = Some(id);
                Ok(Value::Map(id))
            }
            "responseOverride" => {
                let made = self.made.response_override;
                let id = self.overrides(made, &["header"])?;
                self.made.response_override = Some(id);
                Ok(Value::Map(id))
            }
            _ => Ok(self.member_of(self.exchange.context, name)),
        }
    }

    fn overrides(&mut self, made: Option<MapId>, groups: &[&'static str]) -> Attempt<MapId> {
        if let Some(made) = made {
            return Ok(made);
        }
        let mut map = Map::default();
        for group in groups {
            map.insert(Text::Borrowed(group), Value::Map(self.heap.new_map(Map::default())?));
        }
        self.heap.new_map(map)
    }

    pub(super) fn member_of(&self, members: &'a dyn Members, name: &str) -> Value<'a> {
        members.get(name).map_or(Value::Null, Value::from)
    }

    pub(super) fn request_overrides(&mut self) -> Attempt<RequestOverrides> {
        let Some(id) = self.made.request_override else { return Ok(RequestOverrides::default()) };
        let path = self.override_group(id, "path")?;
        Ok(RequestOverrides {
            header: self.override_group(id, "header")?,
            path: path.into_iter().map(|(name, values)| (name, values.join(","))).collect(),
            querystring: self.override_group(id, "querystring")?,
        })
    }

    pub(super) fn response_overrides(&mut self) -> Attempt<ResponseOverrides> {
        let Some(id) = self.made.response_override else { return Ok(ResponseOverrides::default()) };
        // A whole number, no text of one.
        let status = match self.heap.map(id).get("status") {
            Some(Value::Integer(status)) => u16::try_from(*status).ok(),
            _ => None,
        };
        Ok(ResponseOverrides {
            header: self.override_group(id, "header")?,
            status: status.filter(|status| (100..=599).contains(status)),
        })
    }

    fn override_group(&mut self, id: MapId, group: &str) -> Attempt<Vec<(String, Vec<String>)>> {
        let Some(Value::Map(group)) = self.heap.map(id).get(group).cloned() else { return Ok(Vec::new()) };
        let mut overrides = Vec::new();
        for index in 0..self.heap.map(group).len() {
            let Some((name, value)) = self.heap.map(group).get_index(index) else { break };
            let (name, value) = (name.as_str().to_owned(), value.clone());
            let values = match value {
                Value::List(id) => self.heap.list(id).clone(),
                single => vec![single],
            };
            let mut texts = Vec::with_capacity(values.len());
            for value in &values {
                texts.push(self.text(value)?.as_str().to_owned());
            }
            overrides.push((name, texts));
        }
        Ok(overrides)
    }

    /// `$util`. Null in, null out, as the libraries below do it.
    pub(super) fn function(&mut self, name: &str, arguments: &[Value<'a>]) -> Attempt<Value<'a>> {
        let [argument] = arguments else { return Ok(Value::Null) };
        if argument.is_null() {
            return Ok(Value::Null);
        }
        let text = self.text(argument)?;
        self.spend_bytes(text.as_str().len())?;
        if name == "escapeJavaScript" && encoding::is_plain_javascript(text.as_str()) {
            return Ok(Value::Text(text));
        }
        let text = text.as_str();
        let made = match name {
            "escapeJavaScript" => encoding::escape_javascript(text),
            "urlEncode" => encoding::url_encode(text),
            "urlDecode" => encoding::url_decode(text),
            "base64Encode" => encoding::base64_encode(text),
            "base64Decode" => {
                encoding::base64_decode(text).ok_or_else(|| failed(name, "its argument isn't base64"))?
            }
            "parseJson" => {
                let parsed = json::parse_short_lived(text, &mut self.heap)?;
                return parsed.ok_or_else(|| failed(name, "its argument isn't JSON").into());
            }
            _ => return Ok(Value::Null),
        };
        self.new_text(made)
    }

    /// `$foreach`.
    pub(super) fn loop_member(&self, number: usize, name: &str) -> Value<'a> {
        let here = self.loops[number];
        match name {
            "index" => Value::Integer(here.index as i64),
            "count" => Value::Integer(here.index as i64 + 1),
            "hasNext" => Value::Boolean(here.index + 1 < here.length),
            "first" => Value::Boolean(here.index == 0),
            "last" => Value::Boolean(here.index + 1 == here.length),
            "parent" => here.outer.map_or(Value::Null, |outer| Value::Object(Object::Loop(outer))),
            "topmost" => {
                let mut top = number;
                while let Some(outer) = self.loops[top].outer {
                    top = outer;
                }
                Value::Object(Object::Loop(top))
            }
            _ => Value::Null,
        }
    }
}
