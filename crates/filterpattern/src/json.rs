//! Patterns over JSON messages.

mod lookup;
mod selector;
mod value;

use std::collections::BTreeSet;

use lookup::Lookup;
pub use selector::Selector;
pub use value::Value;

use crate::comparison::Comparison;
use crate::cursor::Cursor;
use crate::error::PatternError;
use crate::expression::Expression;
use crate::needles::Needles;

/// One selector, ready to be looked up.
#[derive(Debug, Clone)]
pub struct Path(Lookup);

impl Path {
    pub fn new(selector: Selector) -> Path {
        Path(Lookup::new(&[selector]))
    }

    /// The values as they are written in a message; `None` unless it is a JSON object.
    pub fn find<'a>(&self, message: &'a str) -> Option<Vec<&'a str>> {
        self.0.find(message)?.pop()
    }
}

/// Wildcard selectors in a whole pattern. Source: the user guide's quotas.
const WILDCARDS_MAX: usize = 3;

/// Messages that are a JSON object for which the conditions hold.
#[derive(Debug, Clone)]
pub struct Json {
    expression: Expression<Condition>,
    /// Each selector once, in the order of the pattern.
    selectors: Vec<Selector>,
    lookup: Lookup,
}

#[derive(Debug, Clone)]
struct Condition {
    /// Which of the selectors.
    selector: usize,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Compare(Comparison),
    IsNull,
    Is(bool),
    NotExists,
}

impl Json {
    /// Reads `{ … }` to the end of the text.
    pub fn parse(cursor: &mut Cursor<'_>) -> Result<Json, PatternError> {
        let mut selectors: Vec<Selector> = Vec::new();
        cursor.expect("{")?;
        let expression = Expression::parse(cursor, &mut |cursor| {
            let found = Selector::parse(cursor)?;
            let selector = selectors.iter().position(|known| *known == found).unwrap_or(selectors.len());
            if selector == selectors.len() {
                selectors.push(found);
            }
            Ok(Condition { selector, test: Test::parse(cursor)? })
        })?;
        cursor.expect("}")?;
        if !cursor.rest().trim().is_empty() {
            return Err(PatternError::Invalid);
        }
        if selectors.iter().filter(|selector| selector.has_wildcard()).count() > WILDCARDS_MAX {
            return Err(PatternError::TooManyWildcards { limit: WILDCARDS_MAX });
        }
        let lookup = Lookup::new(&selectors);
        Ok(Json { expression, selectors, lookup })
    }

    pub fn takes(&self, message: &str) -> bool {
        let Some(found) = self.lookup.find(message) else { return false };
        self.expression.holds(&mut |condition| condition.test.holds(&found[condition.selector]))
    }

    /// The values that are texts or numbers, by their selectors.
    pub fn extract(&self, message: &str) -> Vec<(String, String)> {
        let Some(found) = self.lookup.find(message) else { return Vec::new() };
        let values = self.selectors.iter().zip(&found);
        values
            .filter_map(|(selector, found)| {
                let written = found.iter().find_map(|written| Value::read(written)?.into_text())?;
                Some((selector.to_string(), written))
            })
            .collect()
    }

    /// Keys, and texts that values are equal to, of conditions that must hold.
    pub fn needles(&self) -> Needles {
        let mut texts = BTreeSet::new();
        for condition in self.expression.certain() {
            let compared = match &condition.test {
                Test::NotExists => continue,
                Test::Compare(comparison) => comparison.needle(),
                Test::IsNull => Some("null"),
                Test::Is(true) => Some("true"),
                Test::Is(false) => Some("false"),
            };
            texts.extend(self.selectors[condition.selector].names().chain(compared));
        }
        // Other signs are written with a backslash before them, or may be.
        let is_plain = |text: &&str| !text.contains(|sign: char| sign.is_control() || "\"\\/".contains(sign));
        Needles::json(texts.into_iter().filter(is_plain))
    }
}

impl Test {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Test, PatternError> {
        if cursor.eat_word("IS") {
            for (word, test) in [("NULL", Test::IsNull), ("TRUE", Test::Is(true)), ("FALSE", Test::Is(false))]
            {
                if cursor.eat_word(word) {
                    return Ok(test);
                }
            }
            return Err(PatternError::Invalid);
        }
        if cursor.eat_word("NOT") {
            return if cursor.eat_word("EXISTS") { Ok(Test::NotExists) } else { Err(PatternError::Invalid) };
        }
        Comparison::parse(cursor).map(Test::Compare)
    }

    /// Does it hold for one of the values that were found? Only texts and numbers are compared: for objects, arrays,
    /// booleans and what isn't there neither `=` nor `!=` holds (source: the user guide, "value nodes").
    fn holds(&self, found: &[&str]) -> bool {
        if let Test::NotExists = self {
            return found.is_empty();
        }
        found.iter().filter_map(|written| Value::read(written)).any(|value| match (self, value) {
            (Test::Compare(comparison), Value::Text(text)) => comparison.takes_text(&text),
            (Test::Compare(comparison), Value::Number(written)) => comparison.takes_number(written),
            (Test::IsNull, Value::Null) => true,
            (Test::Is(wanted), Value::Boolean(found)) => *wanted == found,
            _ => false,
        })
    }
}
