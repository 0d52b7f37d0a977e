//! CloudWatch Logs' filter patterns: which messages are meant, and what they say.
//!
//! One small language in three forms, told apart by the first character: terms (`ERROR -retry "exact phrase" %re+gex%`),
//! JSON (`{ $.latency > 500 && $.user.name = "a*" }`) and space-delimited fields (`[ip, ..., status = 4*, bytes]`). A
//! [`Pattern`] is read once and then asked of each message; a [`Reference`] (`$.latency`, `$bytes`) takes a value out of a
//! message that a pattern has taken. The source is CloudWatch Logs' user guide, "Filter pattern syntax", and where it is
//! silent what others have observed; each such place says so.
//!
//! A JSON message is never made into a tree: the paths that a pattern names are looked up and all else is skipped.
//! Regular expressions take linear time. No clock, no file, no service; nothing here panics whatever it is given.

mod comparison;
mod cursor;
mod delimited;
mod error;
mod expression;
mod json;
mod needles;
mod reference;
mod regex;
mod terms;

#[cfg(test)]
mod tests;

pub use error::PatternError;
pub use needles::Needles;
pub use reference::Reference;

use cursor::Cursor;
use delimited::Delimited;
use json::Json;
use terms::Terms;

/// Longest pattern, characters. Source: PutMetricFilter, FilterLogEvents.
pub const PATTERN_CHARS: usize = 1024;

/// Which messages are meant. The empty pattern, the default, means all.
#[derive(Debug, Clone, Default)]
pub struct Pattern {
    form: Form,
    needles: Needles,
    /// Regular expressions in it.
    regexes: usize,
}

#[derive(Debug, Clone)]
enum Form {
    Terms(Terms),
    Json(Json),
    Delimited(Delimited),
}

impl Default for Form {
    fn default() -> Form {
        Form::Terms(Terms::default())
    }
}

impl Pattern {
    /// Reads a pattern. Text that is none is told in CloudWatch Logs' words ([`PatternError`]).
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        if text.chars().count() > PATTERN_CHARS {
            return Err(PatternError::TooLong);
        }
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let form = match cursor.peek() {
            Some('{') => Form::Json(Json::parse(&mut cursor)?),
            Some('[') => Form::Delimited(Delimited::parse(&mut cursor)?),
            _ => Form::Terms(Terms::parse(&mut cursor)?),
        };
        let needles = match &form {
            Form::Terms(terms) => terms.needles(),
            Form::Json(json) => json.needles(),
            Form::Delimited(fields) => fields.needles(),
        };
        Ok(Pattern { form, needles, regexes: cursor.regexes() })
    }

    /// Does it take every message?
    pub fn is_empty(&self) -> bool {
        matches!(&self.form, Form::Terms(terms) if terms.is_empty())
    }

    /// Is the message meant? Case counts.
    pub fn takes(&self, message: &str) -> bool {
        match &self.form {
            Form::Terms(terms) => terms.takes(message),
            Form::Json(json) => self.needles.may_be_in(message) && json.takes(message),
            Form::Delimited(fields) => self.needles.may_be_in(message) && fields.takes(message),
        }
    }

    /// Could a message that lies in this text be meant? Never `false` wrongly: it tells whole blocks of messages apart
    /// without looking at each.
    pub fn may_take_in(&self, text: &str) -> bool {
        self.needles.may_be_in(text)
    }

    /// Literal text that taken messages contain.
    pub fn needles(&self) -> &Needles {
        &self.needles
    }

    /// How many regular expressions it has: a log group has room for filters with some of them only.
    pub fn regexes(&self) -> usize {
        self.regexes
    }

    /// Does it name properties or fields whose values can be taken out of a message?
    pub fn names_values(&self) -> bool {
        !matches!(self.form, Form::Terms(_))
    }

    /// What TestMetricFilter tells of a message that is taken: properties and fields with their values, in the order of
    /// the pattern; nothing for terms.
    pub fn extract(&self, message: &str) -> Vec<(String, String)> {
        match &self.form {
            Form::Terms(_) => Vec::new(),
            Form::Json(json) => json.extract(message),
            Form::Delimited(fields) => fields.extract(message),
        }
    }
}
