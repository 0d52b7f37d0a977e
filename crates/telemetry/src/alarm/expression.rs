//! The rule of a composite alarm: `ALARM(a) AND NOT (OK("b c") OR AT_LEAST(2, ALARM, (d, e, f)))`.
//!
//! Source: CloudWatch, PutCompositeAlarm (`AlarmRule`) and "Create a composite alarm".

use std::collections::BTreeSet;

use thiserror::Error;

use super::State;

/// Longest rule, characters.
const RULE_CHARS: usize = 10_240;
/// Functions and constants in a rule.
const ELEMENTS_MAX: usize = 500;
/// Different alarms in a rule.
const ALARMS_MAX: usize = 100;
/// Parentheses and negations within each other.
const DEPTH_MAX: usize = 100;

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExpressionError {
    #[error("AlarmRule must not be longer than {RULE_CHARS} characters")]
    TooLong,
    #[error("AlarmRule must not contain more than {ELEMENTS_MAX} elements")]
    TooManyElements,
    #[error("AlarmRule must not contain more than {ALARMS_MAX} alarms")]
    TooManyAlarms,
    #[error("AlarmRule is nested too deeply at position {0}")]
    TooDeep(usize),
    #[error("AlarmRule has {found} at position {at} where {expected} belongs")]
    Unexpected { at: usize, found: String, expected: &'static str },
}

/// A rule, ready to be asked. Alarms are named as in the text: by name or by ARN.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    Constant(bool),
    /// Is the alarm in this state?
    Is(State, String),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    /// Are so many of the alarms in this state, or (`is_not`) not in it?
    AtLeast {
        count: usize,
        is_not: bool,
        state: State,
        alarms: Vec<String>,
    },
}

impl Expression {
    /// Reads a rule of at most 10,240 characters, 500 elements and 100 alarms. `NOT` binds closer than `AND`, `AND` closer
    /// than `OR`; words may be in either case.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        if text.chars().count() > RULE_CHARS {
            return Err(ExpressionError::TooLong);
        }
        let mut reader = Reader { text, at: 0, elements: 0 };
        let expression = reader.either(0)?;
        reader.skip_blanks();
        if reader.at < text.len() {
            return Err(reader.unexpected("AND, OR or the end"));
        }
        if expression.alarms().len() > ALARMS_MAX {
            return Err(ExpressionError::TooManyAlarms);
        }
        Ok(expression)
    }

    /// The alarms that it names, each once.
    pub fn alarms(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.collect(&mut names);
        names
    }

    fn collect<'e>(&'e self, names: &mut BTreeSet<&'e str>) {
        match self {
            Expression::Constant(_) => {}
            Expression::Is(_, alarm) => {
                names.insert(alarm);
            }
            Expression::Not(inner) => inner.collect(names),
            Expression::And(parts) | Expression::Or(parts) => {
                parts.iter().for_each(|part| part.collect(names));
            }
            Expression::AtLeast { alarms, .. } => names.extend(alarms.iter().map(String::as_str)),
        }
    }

    /// Is it true, given the states of alarms? One that there isn't (`None`) is in no state.
    pub fn holds(&self, state_of: &impl Fn(&str) -> Option<State>) -> bool {
        match self {
            Expression::Constant(value) => *value,
            Expression::Is(state, alarm) => state_of(alarm) == Some(*state),
            Expression::Not(inner) => !inner.holds(state_of),
            Expression::And(parts) => parts.iter().all(|part| part.holds(state_of)),
            Expression::Or(parts) => parts.iter().any(|part| part.holds(state_of)),
            Expression::AtLeast { count, is_not, state, alarms } => {
                let are = alarms.iter().filter_map(|alarm| state_of(alarm));
                are.filter(|found| (found == state) != *is_not).count() >= *count
            }
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    elements: usize,
}

type Read<T> = Result<T, ExpressionError>;

impl<'t> Reader<'t> {
    fn either(&mut self, depth: usize) -> Read<Expression> {
        let mut parts = vec![self.all(depth)?];
        while self.word("OR") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
    }

    fn all(&mut self, depth: usize) -> Read<Expression> {
        let mut parts = vec![self.one(depth)?];
        while self.word("AND") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::And(parts) })
    }

    fn one(&mut self, depth: usize) -> Read<Expression> {
        if depth >= DEPTH_MAX {
            return Err(ExpressionError::TooDeep(self.at));
        }
        if self.word("NOT") {
            return Ok(Expression::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.sign('(') {
            let inner = self.either(depth + 1)?;
            self.expect(')', "a closing parenthesis")?;
            return Ok(inner);
        }
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(ExpressionError::TooManyElements);
        }
        for (word, value) in [("TRUE", true), ("FALSE", false)] {
            if self.word(word) {
                return Ok(Expression::Constant(value));
            }
        }
        if self.word("AT_LEAST") {
            return self.at_least();
        }
        let state =
            self.state("ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, TRUE, FALSE, NOT or a parenthesis")?;
        self.expect('(', "an opening parenthesis")?;
        let alarm = self.alarm(")")?;
        self.expect(')', "a closing parenthesis")?;
        Ok(Expression::Is(state, alarm))
    }

    /// `(2, ALARM, (a, b, c))`; the number may be a share of the alarms, `50%`.
    fn at_least(&mut self) -> Read<Expression> {
        self.expect('(', "an opening parenthesis")?;
        let (number, is_share) = self.number()?;
        self.expect(',', "a comma")?;
        let is_not = self.word("NOT");
        let state = self.state("ALARM, OK or INSUFFICIENT_DATA")?;
        self.expect(',', "a comma")?;
        self.expect('(', "an opening parenthesis")?;
        let mut alarms = vec![self.alarm(",)")?];
        while self.sign(',') {
            alarms.push(self.alarm(",)")?);
            if alarms.len() > ALARMS_MAX {
                return Err(ExpressionError::TooManyAlarms);
            }
        }
        self.expect(')', "a closing parenthesis")?;
        self.expect(')', "a closing parenthesis")?;
        let count = if is_share { (alarms.len() * number).div_ceil(100) } else { number };
        Ok(Expression::AtLeast { count, is_not, state, alarms })
    }

    /// A number of at least 1, and whether a percent sign follows.
    fn number(&mut self) -> Read<(usize, bool)> {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = rest[..digits].parse::<usize>().ok().filter(|number| (1..=100).contains(number));
        let Some(number) = number else { return Err(self.unexpected("a number from 1 to 100")) };
        self.at += digits;
        Ok((number, self.sign('%')))
    }

    fn state(&mut self, expected: &'static str) -> Read<State> {
        let states = [State::InsufficientData, State::Alarm, State::Ok];
        let found = states.into_iter().find(|state| self.word(state.as_str()));
        found.ok_or_else(|| self.unexpected(expected))
    }

    /// A name or an ARN; one with any of `ends`, or with blanks around it, stands in quotation marks.
    fn alarm(&mut self, ends: &str) -> Read<String> {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let (name, length) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let Some(end) = quoted.find('"') else {
                    return Err(self.unexpected("a name with a closing quotation mark"));
                };
                (&quoted[..end], end + 2)
            }
            None => {
                let end = rest.find(|c| ends.contains(c)).unwrap_or(rest.len());
                (rest[..end].trim_end(), end)
            }
        };
        if name.is_empty() {
            return Err(self.unexpected("the name or ARN of an alarm"));
        }
        self.at += length;
        Ok(name.to_owned())
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes a word, which ends where no letter follows.
    fn word(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let rest = &self.text.as_bytes()[self.at..];
        let is_here = rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word.as_bytes());
        let goes_on = rest.get(word.len()).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_');
        if is_here && !goes_on {
            self.at += word.len();
        }
        is_here && !goes_on
    }

    fn sign(&mut self, sign: char) -> bool {
        self.skip_blanks();
        let is_here = self.text[self.at..].starts_with(sign);
        if is_here {
            self.at += sign.len_utf8();
        }
        is_here
    }

    fn expect(&mut self, sign: char, expected: &'static str) -> Read<()> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&mut self, expected: &'static str) -> ExpressionError {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let word = rest.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_').next();
        let found = match word {
            Some(word) => format!("'{}'", word.trim_end().chars().take(40).collect::<String>()),
            None => "its end".to_owned(),
        };
        ExpressionError::Unexpected { at: self.at, found, expected }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `a` is in ALARM, `b` is OK, `c` has no data, and others there are none.
    fn state_of(alarm: &str) -> Option<State> {
        match alarm {
            "a" | "a a" | "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a" => Some(State::Alarm),
            "b" => Some(State::Ok),
            "c" => Some(State::InsufficientData),
            _ => None,
        }
    }

    #[test]
    fn rules_hold_as_they_are_read() {
        for (rule, expected) in [
            ("ALARM(a)", true),
            (" alarm ( a ) ", true),
            ("ALARM(\"a a\")", true),
            ("ALARM(a a)", true),
            ("ALARM(arn:aws:cloudwatch:us-east-1:000000000000:alarm:a)", true),
            ("OK(a)", false),
            ("OK(b) AND INSUFFICIENT_DATA(c)", true),
            ("NOT ALARM(a)", false),
            ("NOT NOT ALARM(a)", true),
            ("ALARM(gone)", false),
            ("NOT ALARM(gone)", true),
            ("TRUE", true),
            ("false", false),
            // AND before OR.
            ("TRUE OR FALSE AND FALSE", true),
            ("(TRUE OR FALSE) AND FALSE", false),
            // NOT before AND.
            ("NOT FALSE AND FALSE", false),
            ("NOT (FALSE AND FALSE)", true),
            ("ALARM(a)AND OK(b)", true),
            ("AT_LEAST(2, ALARM, (a, b, c))", false),
            ("AT_LEAST(2, NOT ALARM, (a, b, c))", true),
            ("AT_LEAST(33%, ALARM, (a, b, c))", true),
            ("AT_LEAST(34%, ALARM, (a, b, c))", false),
            ("AT_LEAST(1, ALARM, (\"a\", b)) AND TRUE", true),
        ] {
            let read = Expression::parse(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
            assert_eq!(read.holds(&state_of), expected, "{rule}");
        }
    }

    #[test]
    fn what_is_no_rule_is_told_with_its_place() {
        for (rule, at) in [
            ("", 0),
            ("ALARM", 5),
            ("ALARM()", 6),
            ("ALARM(a", 7),
            ("ALARM(\"a)", 6),
            ("ALARMS(a)", 0),
            ("ALARM(a) OK(b)", 9),
            ("ALARM(a) AND", 12),
            ("ALARM(a))", 8),
            ("AT_LEAST(0, ALARM, (a))", 9),
            ("AT_LEAST(1, ALARM, a)", 19),
            ("TRUEISH", 0),
        ] {
            match Expression::parse(rule) {
                Err(ExpressionError::Unexpected { at: found, .. }) => assert_eq!(found, at, "{rule}"),
                other => panic!("{rule}: {other:?}"),
            }
        }
        let found = Expression::parse("ALARM(a) XOR OK(b)").expect_err("no such operator").to_string();
        assert_eq!(found, "AlarmRule has 'XOR' at position 9 where AND, OR or the end belongs");
    }

    #[test]
    fn rules_are_bounded() {
        let many = |count: usize, part: &dyn Fn(usize) -> String| {
            (0..count).map(part).collect::<Vec<_>>().join(" OR ")
        };
        assert!(Expression::parse(&many(500, &|_| "TRUE".to_owned())).is_ok());
        let error = Expression::parse(&many(501, &|_| "TRUE".to_owned()));
        assert_eq!(error, Err(ExpressionError::TooManyElements));
        assert!(Expression::parse(&many(100, &|n| format!("OK({n})"))).is_ok());
        assert_eq!(
            Expression::parse(&many(101, &|n| format!("OK({n})"))),
            Err(ExpressionError::TooManyAlarms)
        );
        let deep = format!("{}TRUE{}", "(".repeat(99), ")".repeat(99));
        assert!(Expression::parse(&deep).is_ok());
        assert_eq!(Expression::parse(&format!("({deep})")), Err(ExpressionError::TooDeep(100)));
        assert_eq!(Expression::parse(&" ".repeat(10_241)), Err(ExpressionError::TooLong));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[A-Za-z_ ()\",%0-9é]{0,60}|((ALARM|OK|NOT|AND|OR|AT_LEAST|TRUE|\\(|\\)|a|,| ){0,20})") {
            if let Ok(read) = Expression::parse(&text) {
                read.holds(&state_of);
            }
        }
    }
}
