//! Members of a document's objects, by name and kind.

use serde_json::Value;

use crate::document::{Form, Schema, Texts};
use crate::schema::{document_part, model_part, prefix, relink};

/// References that lead on to references. More is a circle.
const HOPS_MAX: usize = 16;
/// How much references may repeat, in bytes of text and some for each value: a bomb ends here.
pub const REPEATED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Warnings, and errors, that are told. A document is mended by less.
const COMPLAINTS_MAX: usize = 200;

/// A document's tree, and what was found wrong with it.
pub struct Source<'t> {
    pub tree: &'t Value,
    pub form: Form,
    /// Are parameters, bodies and responses of operations of use?
    pub describes_methods: bool,
    pub warnings: Vec<String>,
    pub errors: Vec<String>,
    /// What is left of [`REPEATED_BYTES_MAX`].
    budget: usize,
}

impl<'t> Source<'t> {
    pub fn new(tree: &'t Value, form: Form, describes_methods: bool) -> Source<'t> {
        let (warnings, errors) = (Vec::new(), Vec::new());
        Source { tree, form, describes_methods, warnings, errors, budget: REPEATED_BYTES_MAX }
    }

    pub fn warn(&mut self, text: impl Into<String>) {
        if self.warnings.len() < COMPLAINTS_MAX {
            self.warnings.push(text.into());
        }
    }

    pub fn fail(&mut self, text: impl Into<String>) {
        if self.errors.len() < COMPLAINTS_MAX {
            self.errors.push(text.into());
        }
    }

    pub fn parse_issue(&mut self, what: &str) {
        self.warn(format!("Parse issue: attribute {what}"));
    }

    /// Counts a value that is used once more than it is written.
    pub fn repeat(&mut self, value: &Value) {
        measure(value, &mut self.budget);
    }

    /// Was more repeated than may be?
    pub fn is_spent(&self) -> bool {
        self.budget == 0
    }

    /// An object's member that should be an object.
    pub fn object(&mut self, at: &'t Value, place: &str, name: &str) -> Option<&'t Value> {
        let found = at.get(name)?;
        if found.is_object() {
            return Some(found);
        }
        let dot = if place.is_empty() { "" } else { "." };
        self.parse_issue(&format!("{place}{dot}{name} is not of type `object`"));
        None
    }

    /// The value itself, or the one in the document that it refers to; `None` when it leads nowhere.
    pub fn resolve(&mut self, value: &'t Value, kind: &str) -> Option<&'t Value> {
        let mut found = value;
        for hop in 0..HOPS_MAX {
            let Some(reference) = found.get("$ref").and_then(Value::as_str) else {
                if hop > 0 {
                    self.repeat(found);
                }
                return Some(found).filter(|_| !self.is_spent());
            };
            let Some(next) = reference.strip_prefix('#').and_then(|pointer| self.tree.pointer(pointer))
            else {
                break;
            };
            found = next;
        }
        let name = value.get("$ref").and_then(Value::as_str).unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        self.warn(format!("Reference to {kind} '{name}' not found. Ignoring."));
        None
    }

    /// A schema: the name of one of the document's own, or what it says itself.
    pub fn schema(&mut self, schema: &'t Value) -> Option<Schema> {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return schema.is_object().then(|| Schema::Inline(self.sound(schema)));
        };
        match document_part(reference, self.form).filter(|_| self.is_schema(reference)) {
            Some((name, "")) => Some(Schema::Named(name.to_owned())),
            Some(_) => Some(Schema::Inline(serde_json::json!({"$ref": reference}))),
            None => {
                self.miss_model(reference);
                None
            }
        }
    }

    /// A schema without the references that lead to no other one.
    pub fn sound(&mut self, schema: &Value) -> Value {
        relink(schema, &mut |reference| {
            let is_sound = model_part(reference).is_some() || self.is_schema(reference);
            if !is_sound {
                self.miss_model(reference);
            }
            is_sound.then(|| reference.to_owned())
        })
    }

    /// Does a reference lead to a schema of the document's own, or to a part of one?
    fn is_schema(&self, reference: &str) -> bool {
        let Some((name, _)) = document_part(reference, self.form) else { return false };
        let is_object =
            |pointer: &str| self.tree.pointer(&percent_decoded(pointer)).is_some_and(Value::is_object);
        !name.starts_with("x-")
            && is_object(&format!("{}{name}", &prefix(self.form)[1..]))
            && is_object(&reference[1..])
    }

    fn miss_model(&mut self, reference: &str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        self.warn(format!("Reference to model '{name}' not found. Ignoring."));
    }
}

fn percent_decoded(pointer: &str) -> String {
    pointer.replace("%7B", "{").replace("%7D", "}").replace("%25", "%")
}

/// Takes a value's bytes from a budget, and ends with it.
fn measure(value: &Value, budget: &mut usize) {
    *budget = budget.saturating_sub(32);
    match value {
        Value::String(text) => *budget = budget.saturating_sub(text.len()),
        Value::Array(items) => {
            for item in items {
                if *budget == 0 {
                    return;
                }
                measure(item, budget);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                if *budget == 0 {
                    return;
                }
                *budget = budget.saturating_sub(name.len());
                measure(value, budget);
            }
        }
        _ => {}
    }
}

/// A text, or a number or truth value as one.
pub fn text(at: &Value, name: &str) -> Option<String> {
    scalar(at.get(name)?)
}

pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

pub fn upper(at: &Value, name: &str) -> Option<String> {
    text(at, name).map(|text| text.to_ascii_uppercase())
}

/// A truth value, or the word of one.
pub fn switch(at: &Value, name: &str) -> Option<bool> {
    match at.get(name)? {
        Value::Bool(it) => Some(*it),
        Value::String(word) => Some(word.eq_ignore_ascii_case("true")),
        _ => None,
    }
}

/// A whole number, or one in a text.
pub fn whole(at: &Value, name: &str) -> Option<i64> {
    match at.get(name)? {
        Value::String(text) => text.parse().ok(),
        number => number.as_i64(),
    }
}

/// The texts of a list, or the one.
pub fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(scalar).collect(),
        one => scalar(one).into_iter().collect(),
    }
}

/// An object's texts. `null` is an empty one, as a template is that has nothing to say.
pub fn texts(at: &Value, name: &str) -> Texts {
    let members = at.get(name).and_then(Value::as_object).into_iter().flatten();
    let text = |value: &Value| if value.is_null() { Some(String::new()) } else { scalar(value) };
    members.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}
