//! What AWS gives a template: `$input`, `$util`, `$context`, `$stageVariables`.

use super::Renderer;
use super::methods::failed;
use crate::ast::Method;
use crate::encoding;
use crate::error::{Attempt, RenderError};
use crate::json::{self, Style};
use crate::jsonpath::{self, JsonPath};
use crate::members::Members;
use crate::template::{RequestOverrides, ResponseOverrides};
use crate::value::{Group, Map, MapId, Object, Value};
use crate::words::{Meaning, Word};

/// What an empty payload counts as.
const EMPTY_BODY: &str = "{}";

/// What `$input.params()` has, in the order in which `$input.params(name)` looks.
const PARAMETERS: [(&str, Group); 3] =
    [("path", Group::Path), ("querystring", Group::Querystring), ("header", Group::Header)];

impl<'a> Renderer<'a> {
    pub(super) fn body(&self) -> &'a str {
        if self.exchange.body.is_empty() { EMPTY_BODY } else { self.exchange.body }
    }

    /// `$input`'s methods of one argument.
    pub(super) fn input(&mut self, method: &Method, argument: &Value<'a>) -> Attempt<Value<'a>> {
        match method.name.meaning {
            Meaning::Params => {
                let name = self.text(argument)?;
                self.param(&name)
            }
            Meaning::Path => Ok(self.find(method, argument)?.unwrap_or(Value::Null)),
            Meaning::Json => {
                let found = self.find(method, argument)?.unwrap_or(Value::Text(""));
                let mut text = String::new();
                json::write(&found, &self.heap, &mut text, Style::Json, super::TEXT_BYTES_MAX)?;
                self.new_text(text)
            }
            _ => Ok(Value::Null),
        }
    }

    fn find(&mut self, method: &Method, argument: &Value<'a>) -> Attempt<Option<Value<'a>>> {
        if let Some(path) = &method.path {
            let root = self.document()?;
            return jsonpath::read(path, &root, &mut self.heap);
        }
        let path = self.text(argument)?;
        let parsed =
            JsonPath::parse(&path).map_err(|_| RenderError::NotAPath(path.chars().take(100).collect()))?;
        let root = self.document()?;
        jsonpath::read(&parsed, &root, &mut self.heap)
    }

    /// The parsed body, the same one each time. AWS's parser takes a text that isn't JSON at all as a string.
    fn document(&mut self) -> Attempt<Value<'a>> {
        if let Some(document) = self.made.body {
            return Ok(document);
        }
        let body = self.body();
        self.spend_bytes(body.len())?;
        if body == EMPTY_BODY {
            let document = Value::Map(self.heap.new_map(Map::default())?);
            self.made.body = Some(document);
            return Ok(document);
        }
        let document = match json::parse(body, &mut self.heap)? {
            Some(document) => document,
            None if body.trim_start().starts_with(['{', '[']) => return Err(RenderError::BodyNotJson.into()),
            None => Value::Text(body),
        };
        self.made.body = Some(document);
        Ok(document)
    }

    /// `path`, then `querystring`, then `header`, by the name as it is written. Empty when nowhere.
    fn param(&mut self, name: &str) -> Attempt<Value<'a>> {
        let found = PARAMETERS.into_iter().find_map(|(_, group)| self.given_group(group).get(name));
        found.map_or(Ok(Value::Text("")), |member| self.heap.given(member))
    }

    /// `$input.params()` as a map.
    pub(super) fn parameters(&mut self) -> Attempt<MapId> {
        if let Some(made) = self.made.parameters {
            return Ok(made);
        }
        let mut parameters = Map::default();
        for (name, group) in PARAMETERS {
            parameters.insert(name, Value::Map(self.group(group)?));
        }
        let made = self.heap.new_map(parameters)?;
        self.made.parameters = Some(made);
        Ok(made)
    }

    pub(super) fn parameter_group(&mut self, name: &str) -> Attempt<Value<'a>> {
        if let Some(made) = self.made.parameters {
            return Ok(self.heap.map(made).get(name).copied().unwrap_or(Value::Null));
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

    pub(super) fn group_member(&mut self, group: Group, name: &str) -> Attempt<Value<'a>> {
        match self.made.groups[group as usize] {
            Some(made) => Ok(self.heap.map(made).get(name).copied().unwrap_or(Value::Null)),
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
            _ => self.member_of(self.exchange.context, name),
        }
    }

    fn overrides(&mut self, made: Option<MapId>, groups: &[&'static str]) -> Attempt<MapId> {
        if let Some(made) = made {
            return Ok(made);
        }
        let mut map = Map::default();
        for group in groups {
            map.insert(*group, Value::Map(self.heap.new_map(Map::default())?));
        }
        self.heap.new_map(map)
    }

    pub(super) fn member_of(&mut self, members: &'a dyn Members, name: &str) -> Attempt<Value<'a>> {
        members.get(name).map_or(Ok(Value::Null), |member| self.heap.given(member))
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
        let Some(Value::Map(group)) = self.heap.map(id).get(group).copied() else { return Ok(Vec::new()) };
        let mut overrides = Vec::new();
        for index in 0..self.heap.map(group).len() {
            let Some((name, value)) = self.heap.map(group).get_index(index) else { break };
            let (name, value) = ((*name).to_owned(), *value);
            let values = match value {
                Value::List(id) => self.heap.list(id).clone(),
                single => vec![single],
            };
            let mut texts = Vec::with_capacity(values.len());
            for value in &values {
                texts.push(self.text(value)?.into_owned());
            }
            overrides.push((name, texts));
        }
        Ok(overrides)
    }

    /// `$util`. Null in, null out, as the libraries below do it.
    pub(super) fn function(&mut self, name: &Word, argument: &Value<'a>) -> Attempt<Value<'a>> {
        if argument.is_null() {
            return Ok(Value::Null);
        }
        let text = self.kept_text(argument)?;
        self.spend_bytes(text.len())?;
        let made = match name.meaning {
            Meaning::EscapeJavaScript if encoding::plain_javascript(text) == text.len() => {
                return Ok(Value::Text(text));
            }
            Meaning::EscapeJavaScript => {
                let mut escaped = String::with_capacity(text.len() + 8);
                encoding::escape_javascript(text, &mut escaped);
                escaped
            }
            Meaning::UrlEncode => encoding::url_encode(text),
            Meaning::UrlDecode => encoding::url_decode(text),
            Meaning::Base64Encode => encoding::base64_encode(text),
            Meaning::Base64Decode => encoding::base64_decode(text)
                .ok_or_else(|| failed(&name.text, "its argument isn't base64"))?,
            Meaning::ParseJson => {
                let parsed = json::parse(text, &mut self.heap)?;
                return parsed.ok_or_else(|| failed(&name.text, "its argument isn't JSON").into());
            }
            _ => return Ok(Value::Null),
        };
        self.new_text(made)
    }

    /// `$foreach`.
    pub(super) fn loop_member(&self, number: usize, member: Meaning) -> Value<'a> {
        let here = self.loops[number];
        match member {
            Meaning::Index => Value::Integer(here.index as i64),
            Meaning::Count => Value::Integer(here.index as i64 + 1),
            Meaning::HasNext => Value::Boolean(here.index + 1 < here.length),
            Meaning::First => Value::Boolean(here.index == 0),
            Meaning::Last => Value::Boolean(here.index + 1 == here.length),
            Meaning::Parent => here.outer.map_or(Value::Null, |outer| Value::Object(Object::Loop(outer))),
            Meaning::Topmost => {
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
