//! Filter patterns of plain terms.

use memchr::memmem::Finder;
use thiserror::Error;

/// Why a pattern isn't obeyed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    #[error("filter pattern longer than 1024 characters")]
    TooLong,
    #[error("JSON filter patterns are not supported")]
    Json,
    #[error("space-delimited filter patterns are not supported")]
    SpaceDelimited,
    #[error("regular expressions in filter patterns are not supported")]
    Regex,
    #[error("a quoted phrase has no end")]
    OpenPhrase,
    #[error("invalid character(s) in term '{0}'")]
    Character(String),
}

/// Longest pattern. Source: FilterLogEvents.
const PATTERN_CHARS: usize = 1024;

/// Which messages are wanted: those that contain all required terms and no excluded one; where nothing is required,
/// those that contain one of the optional ones, if there are any. Case counts; a term may be part of a word.
#[derive(Debug, Clone, Default)]
pub struct Pattern {
    required: Vec<Finder<'static>>,
    optional: Vec<Finder<'static>>,
    excluded: Vec<Finder<'static>>,
}

impl Pattern {
    /// Reads `term`, `"a phrase"`, `-term`, `?term`, any of them several times with blanks between. An empty pattern takes
    /// everything. A bare term is of letters, digits and underscores. JSON patterns, space-delimited patterns and
    /// regular expressions are refused by name.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        if text.chars().count() > PATTERN_CHARS {
            return Err(PatternError::TooLong);
        }
        let mut rest = text.trim();
        match rest.as_bytes().first() {
            Some(b'{') => return Err(PatternError::Json),
            Some(b'[') => return Err(PatternError::SpaceDelimited),
            _ => {}
        }
        let mut pattern = Pattern::default();
        while !rest.is_empty() {
            let (terms, after) = match rest.as_bytes()[0] {
                b'?' => (&mut pattern.optional, &rest[1..]),
                b'-' => (&mut pattern.excluded, &rest[1..]),
                _ => (&mut pattern.required, rest),
            };
            let (term, after) = term(after)?;
            if !term.is_empty() {
                terms.push(Finder::new(term.as_bytes()).into_owned());
            }
            rest = after.trim_start();
        }
        Ok(pattern)
    }

    /// Does it take every message?
    pub fn is_empty(&self) -> bool {
        self.required.is_empty() && self.optional.is_empty() && self.excluded.is_empty()
    }

    pub fn takes(&self, message: &str) -> bool {
        let has = |finder: &Finder<'_>| finder.find(message.as_bytes()).is_some();
        if !self.required.iter().all(has) || self.excluded.iter().any(has) {
            return false;
        }
        !self.required.is_empty() || self.optional.is_empty() || self.optional.iter().any(has)
    }

    /// Could a piece of this text be taken? Tells whole blocks apart without looking at each message.
    pub(crate) fn may_take_in(&self, text: &str) -> bool {
        let has = |finder: &Finder<'_>| finder.find(text.as_bytes()).is_some();
        if self.required.is_empty() {
            self.optional.is_empty() || self.optional.iter().any(has)
        } else {
            self.required.iter().all(has)
        }
    }
}

/// The term that the text begins with, and what follows it.
fn term(text: &str) -> Result<(String, &str), PatternError> {
    if let Some(quoted) = text.strip_prefix('"') {
        return phrase(quoted);
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (term, rest) = text.split_at(end);
    if term.starts_with('%') {
        return Err(PatternError::Regex);
    }
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    if term.is_empty() || !term.chars().all(plain) {
        return Err(PatternError::Character(term.to_owned()));
    }
    Ok((term.to_owned(), rest))
}

/// The phrase up to its closing quote; a backslash before a quote or a backslash takes away its meaning.
fn phrase(text: &str) -> Result<(String, &str), PatternError> {
    let mut phrase = String::new();
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Ok((phrase, &text[place + 1..])),
            '\\' => match letters.next() {
                Some((_, escaped @ ('"' | '\\'))) => phrase.push(escaped),
                Some((_, other)) => phrase.extend(['\\', other]),
                None => break,
            },
            _ => phrase.push(letter),
        }
    }
    Err(PatternError::OpenPhrase)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terms_take_messages() {
        let message = "[ERROR] 2025 user_id=7 said \"no\" \\ twice";
        for (pattern, taken) in [
            ("", true),
            ("  ", true),
            ("ERROR", true),
            ("error", false),
            ("ERROR user_id", true),
            ("ERROR missing", false),
            ("\"user_id=7 said\"", true),
            ("\"said user_id\"", false),
            ("\"said \\\"no\\\"\"", true),
            ("\"\\\\ twice\"", true),
            ("?missing ?ERROR", true),
            ("?missing ?absent", false),
            ("-ERROR", false),
            ("-missing", true),
            ("ERROR -said", false),
            ("ERROR -\"said yes\"", true),
            ("2025 ?missing", true),
            ("?2025 -missing", true),
            ("?\"user_id=7\" ?x", true),
            ("\"\"", true),
        ] {
            let parsed = Pattern::parse(pattern).expect(pattern);
            assert_eq!(parsed.takes(message), taken, "{pattern}");
            assert!(!taken || parsed.may_take_in(message), "{pattern}");
        }
    }

    #[test]
    fn what_is_not_plain_terms_is_refused_by_name() {
        for (pattern, error) in [
            ("{ $.a = 1 }", PatternError::Json),
            ("[ip, user]", PatternError::SpaceDelimited),
            ("%ab+%", PatternError::Regex),
            ("\"open", PatternError::OpenPhrase),
            ("a-b", PatternError::Character("a-b".into())),
            ("-", PatternError::Character(String::new())),
            (&"x".repeat(1025), PatternError::TooLong),
        ] {
            assert_eq!(Pattern::parse(pattern).expect_err(pattern), error);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_no_panic(text in ".{0,60}", message in ".{0,60}") {
            if let Ok(pattern) = Pattern::parse(&text) {
                let taken = pattern.takes(&message);
                prop_assert!(!taken || pattern.may_take_in(&message));
            }
        }
    }
}
