//! A place in a pattern's text.

use crate::error::PatternError;
use crate::regex::{self, Expression};

/// Regular expressions in one pattern. Source: the user guide's quotas.
const REGEXES_MAX: usize = 2;

pub struct Cursor<'a> {
    rest: &'a str,
    regexes: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Cursor<'a> {
        Cursor { rest: text, regexes: 0 }
    }

    pub fn rest(&self) -> &'a str {
        self.rest
    }

    pub fn regexes(&self) -> usize {
        self.regexes
    }

    pub fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Goes past the text if it is next.
    pub fn eat(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else { return false };
        self.rest = rest;
        true
    }

    /// The same, with blanks before it; stays where it is otherwise.
    pub fn eat_next(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(text) else { return false };
        self.rest = rest;
        true
    }

    /// The same for a word in either case, which must end there.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start();
        let fits = rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        let after = rest.get(word.len()..).unwrap_or_default();
        if !fits || after.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
            return false;
        }
        self.rest = after;
        true
    }

    pub fn expect(&mut self, text: &str) -> Result<(), PatternError> {
        if self.eat_next(text) { Ok(()) } else { Err(PatternError::Invalid) }
    }

    /// All characters from here on that fit.
    pub fn take_while(&mut self, mut fits: impl FnMut(char) -> bool) -> &'a str {
        let end = self.rest.find(|letter| !fits(letter)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// The text up to the closing quote, whose opening one has been passed; a backslash before a quote or a backslash
    /// takes away its meaning.
    pub fn quoted(&mut self, quote: char) -> Result<String, PatternError> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices();
        while let Some((place, letter)) = letters.next() {
            match letter {
                letter if letter == quote => {
                    self.rest = &self.rest[place + letter.len_utf8()..];
                    return Ok(text);
                }
                '\\' => match letters.next() {
                    Some((_, escaped)) if escaped == quote || escaped == '\\' => text.push(escaped),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                _ => text.push(letter),
            }
        }
        Err(PatternError::Invalid)
    }

    /// The regular expression up to the closing `%`, whose opening one has been passed.
    pub fn regex(&mut self) -> Result<Expression, PatternError> {
        let (text, rest) = self.rest.split_once('%').ok_or(PatternError::Invalid)?;
        self.rest = rest;
        self.regexes += 1;
        if self.regexes > REGEXES_MAX {
            return Err(PatternError::TooManyRegexes { limit: REGEXES_MAX });
        }
        regex::parse(text)
    }
}
