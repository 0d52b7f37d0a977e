use crate::comparison::number;
use crate::cursor::Cursor;
use crate::json::{Path, Selector, Value};
use crate::{Form, Pattern};

/// A value of a message: a property's (`$.latency`) or a field's (`$bytes`).
#[derive(Debug, Clone)]
pub struct Reference(Target);

#[derive(Debug, Clone)]
enum Target {
    Property(Path),
    Field(String),
}

impl Reference {
    /// Reads a reference that fits the pattern: properties for JSON, the pattern's own fields for space-delimited
    /// messages. `None` for anything else.
    pub fn parse(text: &str, pattern: &Pattern) -> Option<Reference> {
        match &pattern.form {
            Form::Terms(_) => None,
            Form::Json(_) => {
                let mut cursor = Cursor::new(text);
                let selector = Selector::parse(&mut cursor).ok()?;
                let is_whole = cursor.rest().is_empty();
                is_whole.then(|| Reference(Target::Property(Path::new(selector))))
            }
            Form::Delimited(fields) => {
                let name = text.strip_prefix('$').filter(|name| fields.has(name))?;
                Some(Reference(Target::Field(name.to_owned())))
            }
        }
    }

    /// The value as text; `None` if the message has none, or one that is neither text nor a number.
    pub fn text(&self, pattern: &Pattern, message: &str) -> Option<String> {
        match (&self.0, &pattern.form) {
            (Target::Property(path), _) => {
                path.find(message)?.iter().find_map(|written| Value::read(written)?.into_text())
            }
            (Target::Field(name), Form::Delimited(fields)) => fields.value(name, message).map(str::to_owned),
            (Target::Field(_), _) => None,
        }
    }

    /// The value as a number; `None` if it is none.
    pub fn number(&self, pattern: &Pattern, message: &str) -> Option<f64> {
        number(&self.text(pattern, message)?)
    }
}
