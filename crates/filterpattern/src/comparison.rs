//! `= "text*"`, `!= 12.5`, `>= 1e-3`, `= %re%`: what a value is held against.

use crate::cursor::Cursor;
use crate::error::PatternError;
use crate::regex::Expression;

#[derive(Debug, Clone)]
pub struct Comparison {
    operator: Operator,
    operand: Operand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone)]
enum Operand {
    /// In quotes: always text, also when it looks like a number.
    Quoted(Glob),
    Word(Glob),
    /// Without quotes: a number for numbers, text for texts.
    Number(f64, Glob),
    Regex(Expression),
}

/// Text with an asterisk at its beginning, its end, or both; one in the middle is just that (source: the user guide of
/// 2021, `Ev*ent`).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Glob {
    text: String,
    open_start: bool,
    open_end: bool,
}

impl Comparison {
    /// Reads an operator and what follows it. Only numbers without quotes have an order.
    pub fn parse(cursor: &mut Cursor<'_>) -> Result<Comparison, PatternError> {
        let operator = Operator::parse(cursor)?;
        cursor.skip_blanks();
        let operand = Operand::parse(cursor)?;
        let is_equality = matches!(operator, Operator::Equal | Operator::Unequal);
        match operand {
            Operand::Number(..) => {}
            _ if is_equality => {}
            Operand::Quoted(glob) => return Err(PatternError::Character(format!("\"{}\"", glob.text))),
            Operand::Word(glob) => return Err(PatternError::Character(glob.text)),
            Operand::Regex(_) => return Err(PatternError::Invalid),
        }
        Ok(Comparison { operator, operand })
    }

    /// Does it hold for a text? A text has no order, also when it looks like a number.
    pub fn takes_text(&self, text: &str) -> bool {
        let is_equal = match &self.operand {
            Operand::Quoted(glob) | Operand::Word(glob) | Operand::Number(_, glob) => glob.fits(text),
            Operand::Regex(expression) => expression.is_match(text),
        };
        match self.operator {
            Operator::Equal => is_equal,
            Operator::Unequal => !is_equal,
            _ => false,
        }
    }

    /// Does it hold for a number, as JSON writes it?
    pub fn takes_number(&self, written: &str) -> bool {
        let Operand::Number(wanted, _) = &self.operand else { return self.takes_text(written) };
        number(written).is_some_and(|found| self.operator.holds(found, *wanted))
    }

    /// Does it hold for a field, of which nobody says whether it is text or a number?
    pub fn takes_field(&self, text: &str) -> bool {
        match &self.operand {
            Operand::Number(..) if number(text).is_some() => self.takes_number(text),
            _ => self.takes_text(text),
        }
    }

    /// Literal text that any value has for which it holds.
    pub fn needle(&self) -> Option<&str> {
        match (&self.operand, self.operator) {
            (Operand::Quoted(glob) | Operand::Word(glob), Operator::Equal) if !glob.text.is_empty() => {
                Some(&glob.text)
            }
            _ => None,
        }
    }
}

impl Operator {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Operator, PatternError> {
        let known = [
            ("!=", Operator::Unequal),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let found = known.into_iter().find(|(text, _)| cursor.eat_next(text));
        found.map(|(_, operator)| operator).ok_or(PatternError::Invalid)
    }

    fn holds(self, found: f64, wanted: f64) -> bool {
        match self {
            Operator::Equal => found == wanted,
            Operator::Unequal => found != wanted,
            Operator::Less => found < wanted,
            Operator::LessOrEqual => found <= wanted,
            Operator::Greater => found > wanted,
            Operator::GreaterOrEqual => found >= wanted,
        }
    }
}

impl Operand {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Operand, PatternError> {
        if cursor.eat("%") {
            return Ok(Operand::Regex(cursor.regex()?));
        }
        if cursor.eat("\"") {
            return Ok(Operand::Quoted(Glob::new(&cursor.quoted('"')?)));
        }
        let word = cursor.take_while(|letter| !letter.is_whitespace() && !",)]}&|".contains(letter));
        if word.is_empty() {
            return Err(PatternError::Invalid);
        }
        // The guide asks for quotes around all but letters, digits and underscores, but shows addresses and paths without.
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_.*-+:/".contains(letter);
        if !word.chars().all(is_plain) {
            return Err(PatternError::Character(word.to_owned()));
        }
        let glob = Glob::new(word);
        Ok(match number(word) {
            Some(number) => Operand::Number(number, glob),
            None => Operand::Word(glob),
        })
    }
}

impl Glob {
    fn new(text: &str) -> Glob {
        let (open_start, inner) = text.strip_prefix('*').map_or((false, text), |rest| (true, rest));
        let (open_end, inner) = inner.strip_suffix('*').map_or((false, inner), |rest| (true, rest));
        // A lone asterisk is open at both ends.
        let is_lone = open_start && text.len() == 1;
        Glob { text: inner.to_owned(), open_start, open_end: open_end || is_lone }
    }

    fn fits(&self, text: &str) -> bool {
        match (self.open_start, self.open_end) {
            (false, false) => text == self.text,
            (false, true) => text.starts_with(&self.text),
            (true, false) => text.ends_with(&self.text),
            (true, true) => text.contains(&self.text),
        }
    }
}

/// Reads an integer or a decimal, with a sign and an exponent if wanted; neither infinities nor what is too large.
pub fn number(text: &str) -> Option<f64> {
    let is_numeric = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let fits = !text.is_empty() && text.bytes().all(is_numeric);
    fits.then(|| text.parse::<f64>().ok()).flatten().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asterisk_stands_for_anything_at_the_ends_only() {
        for (glob, yes, no) in [
            ("abc", "abc", "abcd"),
            ("abc*", "abcd", "xabc"),
            ("*abc", "xabc", "abcd"),
            ("*abc*", "xabcx", "xabx"),
            ("Ev*ent", "Ev*ent", "Event"),
        ] {
            assert!(Glob::new(glob).fits(yes), "{glob} {yes}");
            assert!(!Glob::new(glob).fits(no), "{glob} {no}");
        }
        for all in ["*", "**"] {
            assert!(Glob::new(all).fits("") && Glob::new(all).fits("x"));
        }
    }

    #[test]
    fn numbers_are_written_in_a_few_ways() {
        for (text, found) in [
            ("12", Some(12.0)),
            ("+12.5", Some(12.5)),
            ("-1e-3", Some(-0.001)),
            ("1E3", Some(1000.0)),
            ("", None),
            ("-", None),
            ("e", None),
            ("1.2.3", None),
            ("inf", None),
            ("NaN", None),
            ("1e999", None),
        ] {
            assert_eq!(number(text), found, "{text}");
        }
    }
}
