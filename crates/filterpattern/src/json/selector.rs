use std::fmt;

use crate::cursor::Cursor;
use crate::error::PatternError;

/// Wildcards in one selector. Source: the user guide's quotas.
const WILDCARDS_MAX: usize = 1;

/// A way into a JSON object: `$.a.b`, `$.a[0].b`, `$.['k.x']`, `$.a[*]`, `$.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    pub(super) steps: Vec<Step>,
    written: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    AnyName,
    Place(usize),
    AnyPlace,
}

impl Selector {
    /// Reads a selector: names of letters, digits, `-` and `_`, others in brackets and quotes.
    pub fn parse(cursor: &mut Cursor<'_>) -> Result<Selector, PatternError> {
        let start = cursor.rest();
        if !cursor.eat("$") {
            return Err(PatternError::Invalid);
        }
        let mut steps = Vec::new();
        loop {
            let has_dot = cursor.eat(".");
            if cursor.eat("[") {
                steps.push(bracket(cursor)?);
            } else if has_dot {
                steps.push(name(cursor)?);
            } else {
                break;
            }
        }
        let wildcards = steps.iter().filter(|step| matches!(step, Step::AnyName | Step::AnyPlace)).count();
        if wildcards > WILDCARDS_MAX {
            return Err(PatternError::TooManyWildcards { limit: WILDCARDS_MAX });
        }
        let starts_with_name = matches!(steps.first(), Some(Step::Name(_) | Step::AnyName));
        if !starts_with_name {
            return Err(PatternError::Invalid);
        }
        let written = start[..start.len() - cursor.rest().len()].to_owned();
        Ok(Selector { steps, written })
    }

    pub fn has_wildcard(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::AnyName | Step::AnyPlace))
    }

    /// The keys that it names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

fn name(cursor: &mut Cursor<'_>) -> Result<Step, PatternError> {
    if cursor.eat("*") {
        return Ok(Step::AnyName);
    }
    let name = cursor.take_while(|letter| letter.is_alphanumeric() || letter == '-' || letter == '_');
    if name.is_empty() { Err(PatternError::Invalid) } else { Ok(Step::Name(name.to_owned())) }
}

/// What stands between brackets, the opening one having been passed: a place, `*`, or a key in quotes.
fn bracket(cursor: &mut Cursor<'_>) -> Result<Step, PatternError> {
    let step = if cursor.eat("*") {
        Step::AnyPlace
    } else if cursor.eat("'") {
        Step::Name(cursor.quoted('\'')?)
    } else if cursor.eat("\"") {
        Step::Name(cursor.quoted('"')?)
    } else {
        let digits = cursor.take_while(|letter| letter.is_ascii_digit());
        Step::Place(digits.parse().map_err(|_| PatternError::Invalid)?)
    };
    if cursor.eat("]") { Ok(step) } else { Err(PatternError::Invalid) }
}
