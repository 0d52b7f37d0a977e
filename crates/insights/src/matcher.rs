//! What `like` and `parse` look for in a text.

use memchr::memmem::Finder;
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

/// Largest compiled pattern, bytes.
const REGEX_BYTES_MAX: usize = 1 << 20;
/// How deep groups may lie in each other.
const REGEX_DEPTH_MAX: u32 = 50;

/// A text or a pattern that is looked for.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    Text(Box<Finder<'static>>),
    Regex(Regex),
}

impl Matcher {
    pub fn text(text: &str) -> Matcher {
        Matcher::Text(Box::new(Finder::new(text).into_owned()))
    }

    /// A pattern; one that is nothing but text is looked for as such. The error says what is wrong.
    pub fn regex(pattern: &str) -> Result<Matcher, PatternFlaw> {
        let regex = regex(pattern)?;
        match literal(pattern) {
            Some(literal) if !literal.is_empty() => Ok(Matcher::text(&literal)),
            _ => Ok(Matcher::Regex(regex)),
        }
    }

    pub fn is_in(&self, text: &str) -> bool {
        match self {
            Matcher::Text(finder) => finder.find(text.as_bytes()).is_some(),
            Matcher::Regex(regex) => regex.is_match(text),
        }
    }

    /// Text that everything has in it that this is in.
    pub fn needle(&self) -> Option<String> {
        match self {
            Matcher::Text(finder) => String::from_utf8(finder.needle().to_vec()).ok(),
            Matcher::Regex(regex) => needle_of(&regex_syntax::parse(regex.as_str()).ok()?),
        }
    }
}

/// Why a pattern isn't taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PatternFlaw {
    /// A construct that can't be run in linear time.
    Unsupported(&'static str),
    Malformed(String),
}

/// Compiles a pattern.
pub(crate) fn regex(pattern: &str) -> Result<Regex, PatternFlaw> {
    if let Some(what) = unsupported(pattern) {
        return Err(PatternFlaw::Unsupported(what));
    }
    RegexBuilder::new(pattern)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(4 * REGEX_BYTES_MAX)
        .nest_limit(REGEX_DEPTH_MAX)
        .build()
        .map_err(|error| {
            PatternFlaw::Malformed(match error {
                regex::Error::CompiledTooBig(limit) => {
                    format!("the regular expression is larger than {limit} bytes")
                }
                _ => "the regular expression can't be read".to_owned(),
            })
        })
}

/// What backtracking engines have and this one hasn't.
fn unsupported(pattern: &str) -> Option<&'static str> {
    use regex_syntax::ast::ErrorKind;
    match regex_syntax::ast::parse::Parser::new().parse(pattern) {
        Err(error) => match error.kind() {
            ErrorKind::UnsupportedLookAround => Some("Look-around in a regular expression"),
            ErrorKind::UnsupportedBackreference => Some("A back-reference in a regular expression"),
            // Java's possessive quantifiers and atomic groups.
            ErrorKind::FlagUnrecognized | ErrorKind::FlagUnexpectedEof if pattern.contains("(?>") => {
                Some("An atomic group in a regular expression")
            }
            _ => None,
        },
        Ok(_) => None,
    }
}

/// The whole pattern as text, if it is nothing else.
fn literal(pattern: &str) -> Option<String> {
    match regex_syntax::parse(pattern).ok()?.kind() {
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).ok(),
        _ => None,
    }
}

fn needle_of(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).ok(),
        HirKind::Capture(capture) => needle_of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needle_of(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(needle_of).max_by_key(String::len),
        _ => None,
    }
}

/// A glob of `parse`: each star is a piece of text.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    /// The text before the first star, between two, and after the last.
    literals: Vec<Finder<'static>>,
}

impl Glob {
    pub fn new(pattern: &str) -> Glob {
        Glob { literals: pattern.split('*').map(|literal| Finder::new(literal).into_owned()).collect() }
    }

    pub fn stars(&self) -> usize {
        self.literals.len() - 1
    }

    /// The ranges of the stars in the first place of the text where all literals follow each other; `None` if there is
    /// none. A star takes as little as it can, one at the end everything.
    pub fn find(&self, text: &str, stars: &mut Vec<(usize, usize)>) -> bool {
        stars.clear();
        let mut at = 0;
        for (place, literal) in self.literals.iter().enumerate() {
            let is_last = place + 1 == self.literals.len();
            let (start, end) = if literal.needle().is_empty() && is_last {
                (text.len(), text.len())
            } else {
                let Some(found) = literal.find(&text.as_bytes()[at..]) else { return false };
                (at + found, at + found + literal.needle().len())
            };
            if place > 0 {
                stars.push((at, start));
            }
            at = end;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_is_in_whatever_matches() {
        for (pattern, needle) in [
            ("ERROR", Some("ERROR")),
            ("^ERROR: (.*) in [a-z]+ module$", Some(" module")),
            ("(abc)+x?", Some("abc")),
            ("a|b", None),
            ("(?i)error", None),
            (r"\d+", None),
        ] {
            assert_eq!(Matcher::regex(pattern).expect(pattern).needle().as_deref(), needle, "{pattern}");
        }
    }

    #[test]
    fn what_needs_backtracking_is_named() {
        for (pattern, what) in [
            ("a(?=b)", "Look-around in a regular expression"),
            ("(?<!a)b", "Look-around in a regular expression"),
            (r"(a)\1", "A back-reference in a regular expression"),
        ] {
            assert_eq!(regex(pattern).expect_err(pattern), PatternFlaw::Unsupported(what));
        }
        assert!(matches!(regex("a{1000}{1000}"), Err(PatternFlaw::Malformed(_))));
        assert!(matches!(regex(&"(".repeat(60)), Err(PatternFlaw::Malformed(_))));
        let deep = format!("{}a{}", "(".repeat(60), ")".repeat(60));
        assert!(matches!(regex(&deep), Err(PatternFlaw::Malformed(_))));
    }

    #[test]
    fn a_glob_takes_pieces() {
        let found = |pattern: &str, text: &'static str| {
            let mut stars = Vec::new();
            let fits = Glob::new(pattern).find(text, &mut stars);
            fits.then(|| stars.iter().map(|(start, end)| &text[*start..*end]).collect::<Vec<_>>())
        };
        assert_eq!(found("user=*, lat=*", "x user=ann, lat=12 ms"), Some(vec!["ann", "12 ms"]));
        assert_eq!(found("[*] *", "[INFO] all [is] well"), Some(vec!["INFO", "all [is] well"]));
        assert_eq!(found("* done", "a done b done"), Some(vec!["a"]));
        assert_eq!(found("**", "ab"), Some(vec!["", "ab"]));
        assert_eq!(found("user=*;", "user=ann"), None);
        assert_eq!(found("none", "none"), Some(vec![]));
    }
}
