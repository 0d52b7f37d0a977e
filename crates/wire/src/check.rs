//! Holds an input against the model's constraints, in AWS's words.

mod pattern;

pub use pattern::Pattern;

use crate::model::{Kind, Model, Operation, Reference, Shape};
use crate::value::Value;
use std::fmt::{self, Write as _};

/// Violations that are reported; AWS, too, stops counting at some point.
const VIOLATIONS_MAX: usize = 10;
/// Characters of an offending value that are shown.
const SHOWN_CHARS_MAX: usize = 2048;

/// One member that breaks one constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where, as AWS writes it: `updateStageInput.patchOperations.1.member.op`.
    pub path: String,
    /// The value as AWS writes it; `None` if it is sensitive.
    pub shown: Option<String>,
    pub constraint: String,
    /// All that is said, instead of this and any other violation.
    pub alone: Option<&'static str>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value ")?;
        if let Some(shown) = &self.shown {
            write!(f, "{shown} ")?;
        }
        write!(f, "at '{}' failed to satisfy constraint: {}", self.path, self.constraint)
    }
}

/// AWS's message for at least one violation.
pub fn summary(violations: &[Violation]) -> String {
    if let Some(alone) = violations.iter().find_map(|violation| violation.alone) {
        return alone.to_owned();
    }
    let noun = if violations.len() == 1 { "error" } else { "errors" };
    let mut message = format!("{} validation {noun} detected: ", violations.len());
    for (at, violation) in violations.iter().enumerate() {
        let _ = write!(message, "{}{violation}", if at == 0 { "" } else { "; " });
    }
    message
}

/// Everything in an operation's input that breaks a constraint, at most ten of them, in the model's order.
pub fn check(model: &Model, operation: &Operation, input: &Value) -> Vec<Violation> {
    let Some(shape) = operation.input else { return Vec::new() };
    let path = match model.metadata.peculiar.member_path_root {
        Some(word) => lower_first(operation.name) + word,
        None => String::new(),
    };
    let mut checking = Checking { model, path, violations: Vec::new() };
    checking.parts(model.shape(shape), input);
    checking.violations
}

struct Checking<'m> {
    model: &'m Model,
    /// Where the check stands.
    path: String,
    violations: Vec<Violation>,
}

impl Checking<'_> {
    /// Checks what a value consists of.
    fn parts(&mut self, shape: &Shape, value: &Value) {
        match (&shape.kind, value) {
            (Kind::Structure(structure), Value::Map(_)) => {
                for member in &structure.members {
                    let length = self.path.len();
                    if length > 0 {
                        self.path.push('.');
                    }
                    push_lower_first(member.name, &mut self.path);
                    match value.get(member.name) {
                        None if member.required => self.report(Some("null".into()), NOT_NULL.into(), None),
                        None => {}
                        Some(it) => self.whole(&member.reference, it),
                    }
                    self.path.truncate(length);
                }
            }
            (Kind::List { member, .. }, Value::List(items)) => {
                self.elements(shape, value, member, items.iter(), "Member must satisfy constraint: ");
                for (at, item) in items.iter().enumerate().filter(|(_, item)| has_parts(item)) {
                    self.below(&(at + 1), member, item);
                }
            }
            (Kind::Map { key, value: member, .. }, Value::Map(entries)) => {
                let keys: Vec<Value> =
                    entries.iter().map(|(key, _)| Value::String(key.to_string())).collect();
                self.elements(shape, value, key, keys.iter(), "Map keys must satisfy constraint: ");
                let values = entries.iter().map(|(_, entry)| entry);
                self.elements(shape, value, member, values, "Map value must satisfy constraint: ");
                for (key, entry) in entries.iter().filter(|(_, entry)| has_parts(entry)) {
                    self.below(key, member, entry);
                }
            }
            _ => {}
        }
    }

    /// Checks the parts of a list's or map's element that has some.
    fn below(&mut self, step: &dyn fmt::Display, reference: &Reference, value: &Value) {
        if self.violations.len() >= VIOLATIONS_MAX {
            return;
        }
        let length = self.path.len();
        let _ = write!(self.path, ".{step}.member");
        self.parts(self.model.shape(reference.shape), value);
        self.path.truncate(length);
    }

    /// Checks a member's value and its parts.
    fn whole(&mut self, reference: &Reference, value: &Value) {
        let shape = self.model.shape(reference.shape);
        if broken(shape, value).next().is_some() {
            let shown = (!shape.sensitive).then(|| shown(value));
            for rule in broken(shape, value) {
                let alone = shape.constraints.too_long.filter(|_| matches!(rule, Rule::Max(_)));
                self.report(shown.clone(), rule.words(shape), alone);
            }
        }
        self.parts(shape, value);
    }

    /// Checks the elements of a list or the keys or values of a map; one bad element makes one violation of the whole.
    fn elements<'v>(
        &mut self,
        whole: &Shape,
        value: &Value,
        reference: &Reference,
        mut items: impl Iterator<Item = &'v Value>,
        prefix: &str,
    ) {
        let shape = self.model.shape(reference.shape);
        let not_null = self.model.metadata.peculiar.elements_not_null;
        let is_bad =
            |item: &Value| (not_null && *item == Value::Null) || broken(shape, item).next().is_some();
        if !items.any(is_bad) {
            return;
        }
        let mut words: Vec<String> = rules(shape).map(|rule| rule.words(shape)).collect();
        if not_null {
            words.push(NOT_NULL.into());
        }
        let shown = (!shape.sensitive && !whole.sensitive).then(|| shown(value));
        self.report(shown, format!("{prefix}[{}]", words.join(", ")), None);
    }

    fn report(&mut self, shown: Option<String>, constraint: String, alone: Option<&'static str>) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation { path: self.path.clone(), shown, constraint, alone });
        }
    }
}

const NOT_NULL: &str = "Member must not be null";

fn has_parts(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

#[derive(Clone, Copy)]
enum Rule {
    Max(f64),
    Min(f64),
    Pattern(&'static str),
    Choice,
}

impl Rule {
    fn words(self, shape: &Shape) -> String {
        match (self, &shape.kind) {
            (Rule::Max(max), Kind::Float | Kind::Double) => {
                format!("Member must have value less than or equal to {max:?}")
            }
            (Rule::Min(min), Kind::Float | Kind::Double) => {
                format!("Member must have value greater than or equal to {min:?}")
            }
            (Rule::Max(max), Kind::Integer | Kind::Long) => {
                format!("Member must have value less than or equal to {max}")
            }
            (Rule::Min(min), Kind::Integer | Kind::Long) => {
                format!("Member must have value greater than or equal to {min}")
            }
            (Rule::Max(max), _) => format!("Member must have length less than or equal to {max}"),
            (Rule::Min(min), _) => format!("Member must have length greater than or equal to {min}"),
            (Rule::Pattern(pattern), _) => {
                format!("Member must satisfy regular expression pattern: {pattern}")
            }
            (Rule::Choice, _) => {
                format!("Member must satisfy enum value set: [{}]", shape.constraints.choices.join(", "))
            }
        }
    }

    fn holds(self, shape: &Shape, value: &Value) -> bool {
        match (self, value) {
            (Rule::Max(max), value) => size(shape, value).is_none_or(|size| size <= max),
            (Rule::Min(min), value) => size(shape, value).is_none_or(|size| size >= min),
            (Rule::Choice, Value::String(text)) => shape.constraints.choices.contains(&text.as_str()),
            (Rule::Pattern(pattern), Value::String(text)) => {
                shape.constraints.compiled.get_or_init(|| Pattern::parse(pattern)).matches(text)
            }
            (Rule::Choice | Rule::Pattern(_), _) => true,
        }
    }
}

/// What `min` and `max` are about: a number's value, the length of everything else.
fn size(shape: &Shape, value: &Value) -> Option<f64> {
    match (&shape.kind, value) {
        (Kind::Integer | Kind::Long | Kind::Float | Kind::Double, Value::Integer(it)) => Some(*it as f64),
        (Kind::Integer | Kind::Long | Kind::Float | Kind::Double, Value::Float(it)) => Some(*it),
        (_, Value::String(text)) => Some(text.chars().count() as f64),
        (_, Value::Blob(bytes)) => Some(bytes.len() as f64),
        (_, Value::List(items)) => Some(items.len() as f64),
        (_, Value::Map(entries)) => Some(entries.len() as f64),
        _ => None,
    }
}

/// The shape's rules, in the order in which AWS lists them.
fn rules(shape: &Shape) -> impl Iterator<Item = Rule> {
    let constraints = &shape.constraints;
    [
        constraints.max.map(Rule::Max),
        constraints.min.map(Rule::Min),
        constraints.pattern.map(Rule::Pattern),
        (!constraints.choices.is_empty()).then_some(Rule::Choice),
    ]
    .into_iter()
    .flatten()
}

fn broken<'a>(shape: &'a Shape, value: &'a Value) -> impl Iterator<Item = Rule> + 'a {
    rules(shape).filter(move |rule| !rule.holds(shape, value))
}

fn shown(value: &Value) -> String {
    let mut words = String::from("'");
    show(value, &mut words);
    if let Some((at, _)) = words.char_indices().nth(SHOWN_CHARS_MAX) {
        words.truncate(at);
    }
    words.push('\'');
    words
}

fn show(value: &Value, words: &mut String) {
    if words.len() > SHOWN_CHARS_MAX * 4 {
        return;
    }
    match value {
        Value::Null => words.push_str("null"),
        Value::Bool(it) => words.push_str(if *it { "true" } else { "false" }),
        Value::Integer(it) => words.push_str(itoa::Buffer::new().format(*it)),
        Value::Float(it) | Value::Timestamp(it) => {
            let _ = write!(words, "{it:?}");
        }
        Value::String(it) => words.push_str(it),
        Value::Blob(it) => {
            let _ = write!(words, "java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", it.len());
        }
        Value::List(items) => {
            words.push('[');
            for (at, item) in items.iter().enumerate() {
                words.push_str(if at == 0 { "" } else { ", " });
                show(item, words);
            }
            words.push(']');
        }
        Value::Map(entries) => {
            words.push('{');
            for (at, (key, entry)) in entries.iter().enumerate() {
                let _ = write!(words, "{}{key}=", if at == 0 { "" } else { ", " });
                show(entry, words);
            }
            words.push('}');
        }
    }
}

fn lower_first(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    push_lower_first(name, &mut words);
    words
}

fn push_lower_first(name: &str, words: &mut String) {
    let mut characters = name.chars();
    words.extend(characters.next().map(|first| first.to_ascii_lowercase()));
    words.push_str(characters.as_str());
}
