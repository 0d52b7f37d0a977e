//! What a JSON value must be like, as data.

use serde_json::{Map, Value as Json};

use super::Problem;

/// What is found wrong, and what will be passed over.
#[derive(Default)]
pub struct Findings {
    pub errors: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

/// Where a value stands, as a JSON pointer.
pub struct Place(String);

impl Place {
    pub fn root() -> Place {
        Place(String::new())
    }

    pub fn at(&self, part: impl std::fmt::Display) -> Place {
        Place(format!("{}/{part}", self.0))
    }
}

impl Findings {
    pub fn error(&mut self, place: &Place, message: impl Into<String>) {
        self.errors.push(Problem { path: place.0.clone(), message: message.into() });
    }

    pub fn warn(&mut self, place: &Place, message: impl Into<String>) {
        self.warnings.push(Problem { path: place.0.clone(), message: message.into() });
    }
}

/// What a value must be.
pub enum Shape {
    Any,
    Flag,
    Text,
    Number,
    /// A whole number, at least and at most.
    Whole(i64, i64),
    Word(&'static [&'static str]),
    /// How many items, and what each is.
    List(usize, &'static Shape),
    Object(&'static [Member]),
    /// `#` and six hexadecimal digits.
    Color,
    /// One of the two.
    Either(&'static Shape, &'static Shape),
    /// The rows of a metric widget.
    Metrics,
}

pub struct Member {
    pub name: &'static str,
    pub is_required: bool,
    pub shape: Shape,
}

pub const fn may(name: &'static str, shape: Shape) -> Member {
    Member { name, is_required: false, shape }
}

pub const fn must(name: &'static str, shape: Shape) -> Member {
    Member { name, is_required: true, shape }
}

impl Shape {
    pub fn check(&self, value: &Json, place: &Place, findings: &mut Findings) {
        match (self, value) {
            (Shape::Any, _) | (Shape::Flag, Json::Bool(_)) | (Shape::Text, Json::String(_)) => {}
            (Shape::Number, Json::Number(_)) => {}
            (Shape::Whole(least, most), Json::Number(number)) => {
                match number.as_f64().filter(|number| number.fract() == 0.0) {
                    None => findings.error(place, "Should be integer"),
                    Some(number) if number < *least as f64 => {
                        findings.error(place, format!("Should be >= {least}"));
                    }
                    Some(number) if number > *most as f64 => {
                        findings.error(place, format!("Should be <= {most}"));
                    }
                    Some(_) => {}
                }
            }
            (Shape::Word(words), Json::String(text)) => {
                if !words.contains(&text.as_str()) {
                    findings.error(place, "Should be equal to one of the allowed values");
                }
            }
            (Shape::Color, Json::String(text)) => {
                if !is_color(text) {
                    findings.error(place, "Should match pattern \"^#[0-9a-fA-F]{6}$\"");
                }
            }
            (Shape::List(most, shape), Json::Array(items)) => {
                if items.len() > *most {
                    findings.error(place, format!("Should NOT have more than {most} items"));
                }
                let items = items.iter().take(*most).enumerate();
                items.for_each(|(number, item)| shape.check(item, &place.at(number), findings));
            }
            (Shape::Object(members), Json::Object(object)) => check_members(members, object, place, findings),
            (Shape::Either(one, other), value) => {
                let mut tried = Findings::default();
                one.check(value, place, &mut tried);
                if tried.errors.is_empty() {
                    findings.warnings.append(&mut tried.warnings);
                } else {
                    other.check(value, place, findings);
                }
            }
            (Shape::Metrics, Json::Array(rows)) => super::metrics::check(rows, place, findings),
            (shape, _) => findings.error(place, format!("Should be {}", shape.sort())),
        }
    }

    /// JSON schema's word.
    fn sort(&self) -> &'static str {
        match self {
            Shape::Flag => "boolean",
            Shape::Number => "number",
            Shape::Whole(..) => "integer",
            Shape::List(..) | Shape::Metrics => "array",
            Shape::Object(_) => "object",
            Shape::Any | Shape::Text | Shape::Word(_) | Shape::Color | Shape::Either(..) => "string",
        }
    }
}

/// Checks an object's members. Those that aren't known are passed over, and the caller is told so.
pub fn check_members(members: &[Member], object: &Map<String, Json>, place: &Place, findings: &mut Findings) {
    for Member { name, is_required, shape } in members {
        match object.get(*name) {
            Some(value) => shape.check(value, &place.at(name), findings),
            None if *is_required => {
                findings.error(place, format!("Should have required property '{name}'"));
            }
            None => {}
        }
    }
    for name in object.keys().filter(|name| !members.iter().any(|member| member.name == *name)) {
        let words = format!(
            "The \"{name}\" property is not expected to be part of a widget definition, will be ignored"
        );
        findings.warn(place, words);
    }
}

pub fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}
