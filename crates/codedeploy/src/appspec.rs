//! An AppSpec of the Lambda platform: which alias leads from which version to which, and who validates.
//!
//! Source: CodeDeploy user guide, "AppSpec file structure" for AWS Lambda. Keys are taken in any case, as the guide itself
//! writes them. What an AppSpec has beside what is read here is refused by name.

use pitbird_names::{FunctionRef, Scope, VersionId};
use pitbird_records::function_deployment::{AliasShift, Hooks};
use serde_json::{Map, Value};

use crate::{Error, limits};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSpec {
    pub shift: AliasShift,
    pub hooks: Hooks,
}

/// Reads an AppSpec, YAML or JSON.
///
/// # Errors
/// When it is too long, is no text of either kind, or says something else than an AppSpec may.
pub fn parse(scope: &Scope, content: &[u8]) -> Result<AppSpec, Error> {
    if content.len() > limits::APPSPEC_BYTES {
        return Err(Error::revision(format!("The AppSpec is longer than {} bytes.", limits::APPSPEC_BYTES)));
    }
    let tree = pitbird_openapi::text::parse(content)
        .map_err(|error| Error::revision(format!("The AppSpec can't be read as YAML or JSON: {error}.")))?;
    let mut members = members("AppSpec", tree)?;
    version(members.take("version"))?;
    let resources = members.take("resources");
    let hooks = members.take("hooks");
    members.end()?;
    Ok(AppSpec { shift: resource(scope, resources)?, hooks: read_hooks(hooks)? })
}

/// `0.0`, as a number or a text.
fn version(version: Option<Value>) -> Result<(), Error> {
    let is_known = match &version {
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        Some(Value::String(text)) => text == "0.0",
        _ => false,
    };
    if is_known { Ok(()) } else { Err(Error::revision("The AppSpec's version must be 0.0.")) }
}

/// The one function.
fn resource(scope: &Scope, resources: Option<Value>) -> Result<AliasShift, Error> {
    let one = || Error::revision("The AppSpec's Resources must be a list with exactly one function.");
    let Some(Value::Array(list)) = resources else { return Err(one()) };
    let [Value::Object(named)] = &list[..] else { return Err(one()) };
    let mut named = named.clone().into_iter();
    let (Some((name, resource)), None) = (named.next(), named.next()) else { return Err(one()) };
    let mut resource = members(&format!("Resource {name}"), resource)?;
    let kind = resource.text("type")?;
    if kind != "AWS::Lambda::Function" {
        return Err(Error::Unsupported(format!("An AppSpec's resource of type {kind}")));
    }
    let properties = resource.take("properties").unwrap_or_default();
    resource.end()?;
    let mut properties = members(&format!("Properties of {name}"), properties)?;
    let function = properties.text("name")?;
    let alias = properties.text("alias")?;
    let current = properties.version("currentversion")?;
    let target = properties.version("targetversion")?;
    properties.end()?;
    let parsed = FunctionRef::parse(&function).ok().filter(|it| it.qualifier.is_none());
    let parsed = parsed.filter(|it| it.scope(scope) == *scope);
    let function = parsed.ok_or_else(|| Error::revision(format!("{function} names no function here.")))?.name;
    Ok(AliasShift { function, alias, current, target })
}

fn read_hooks(hooks: Option<Value>) -> Result<Hooks, Error> {
    let list = match hooks {
        None | Some(Value::Null) => return Ok(Hooks::default()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(Error::revision("The AppSpec's Hooks must be a list.")),
    };
    let mut hooks = Hooks::default();
    for hook in list {
        let Value::Object(hook) = hook else {
            return Err(Error::revision("Each of the AppSpec's Hooks must be one event with one function."));
        };
        for (event, function) in hook {
            let place = match &*event.to_ascii_lowercase() {
                "beforeallowtraffic" => &mut hooks.before,
                "afterallowtraffic" => &mut hooks.after,
                _ => return Err(Error::revision(format!("Lambda deployments have no hook {event}."))),
            };
            let function = function.as_str().filter(|name| FunctionRef::parse(name).is_ok());
            let function = function
                .ok_or_else(|| Error::revision(format!("Hook {event} names no function.")))?
                .to_owned();
            if place.replace(function).is_some() {
                return Err(Error::revision(format!("Hook {event} is there twice.")));
            }
        }
    }
    Ok(hooks)
}

/// A mapping's members by their names in lower case.
struct Members {
    what: String,
    by_name: Map<String, Value>,
}

fn members(what: &str, tree: Value) -> Result<Members, Error> {
    let Value::Object(map) = tree else {
        return Err(Error::revision(format!("{what} must be a mapping.")));
    };
    let mut by_name = Map::new();
    for (name, value) in map {
        if by_name.insert(name.to_ascii_lowercase(), value).is_some() {
            return Err(Error::revision(format!("{what} has {name} twice.")));
        }
    }
    Ok(Members { what: what.to_owned(), by_name })
}

impl Members {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.by_name.remove(name)
    }

    fn text(&mut self, name: &str) -> Result<String, Error> {
        match self.take(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(Error::revision(format!("{} must have a {name}.", self.what))),
        }
    }

    /// A published version's number.
    fn version(&mut self, name: &str) -> Result<VersionId, Error> {
        let text = self.text(name)?;
        match VersionId::parse(&text) {
            Some(version @ VersionId::Number(1..)) => Ok(version),
            _ => Err(Error::revision(format!(
                "{name} must be the number of a published version; {text} is none."
            ))),
        }
    }

    /// Nothing is left over.
    fn end(self) -> Result<(), Error> {
        match self.by_name.keys().next() {
            Some(name) => Err(Error::Unsupported(format!("{name} of {}", self.what))),
            None => Ok(()),
        }
    }
}

/// What puts an alias back, as an AppSpec in JSON.
pub fn write(shift: &AliasShift) -> String {
    let properties = serde_json::json!({
        "Name": shift.function,
        "Alias": shift.alias,
        "CurrentVersion": shift.current.to_string(),
        "TargetVersion": shift.target.to_string(),
    });
    let function = serde_json::json!({"Type": "AWS::Lambda::Function", "Properties": properties});
    let mut named = Map::new();
    named.insert(shift.function.clone(), function);
    serde_json::json!({"version": 0.0, "Resources": [named]}).to_string()
}

#[cfg(test)]
mod tests;
