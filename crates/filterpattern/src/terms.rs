//! Patterns of terms.

use memchr::memmem::Finder;

use crate::cursor::Cursor;
use crate::error::PatternError;
use crate::needles::Needles;
use crate::regex::Expression;

/// Messages that contain all required terms and no excluded one. Optional terms count only where there are no others: then
/// one of them must be there. A term may be part of a word.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    required: Vec<Term>,
    optional: Vec<Term>,
    excluded: Vec<Term>,
}

#[derive(Debug, Clone)]
enum Term {
    Text { text: String, finder: Box<Finder<'static>> },
    Regex(Expression),
}

impl Terms {
    /// Reads terms with blanks between them: `term`, `"a phrase"`, `%a regular expression%`, each with `-` or `?` before
    /// it if wanted. A bare term is of letters, digits and underscores.
    pub fn parse(cursor: &mut Cursor<'_>) -> Result<Terms, PatternError> {
        let mut terms = Terms::default();
        cursor.skip_blanks();
        while let Some(first) = cursor.peek() {
            let list = match first {
                '?' => &mut terms.optional,
                '-' => &mut terms.excluded,
                _ => &mut terms.required,
            };
            if matches!(first, '?' | '-') {
                cursor.eat(if first == '?' { "?" } else { "-" });
            }
            list.extend(term(cursor)?);
            cursor.skip_blanks();
        }
        if !terms.required.is_empty() || !terms.excluded.is_empty() {
            // Source: the user guide, "all question mark terms will be ignored".
            terms.optional.clear();
        }
        Ok(terms)
    }

    pub fn is_empty(&self) -> bool {
        self.required.is_empty() && self.optional.is_empty() && self.excluded.is_empty()
    }

    pub fn takes(&self, message: &str) -> bool {
        self.required.iter().all(|term| term.is_in(message))
            && !self.excluded.iter().any(|term| term.is_in(message))
            && (self.optional.is_empty() || self.optional.iter().any(|term| term.is_in(message)))
    }

    pub fn needles(&self) -> Needles {
        let any: Option<Vec<&str>> = self.optional.iter().map(Term::text).collect();
        Needles::plain(self.required.iter().filter_map(Term::text), any.unwrap_or_default())
    }
}

impl Term {
    fn is_in(&self, message: &str) -> bool {
        match self {
            Term::Text { finder, .. } => finder.find(message.as_bytes()).is_some(),
            Term::Regex(expression) => expression.is_match(message),
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Term::Text { text, .. } => Some(text),
            Term::Regex(_) => None,
        }
    }
}

/// The term that comes next. Phrases of blanks alone are in every message (source: the user guide's `" "`).
fn term(cursor: &mut Cursor<'_>) -> Result<Option<Term>, PatternError> {
    if cursor.eat("%") {
        return Ok(Some(Term::Regex(cursor.regex()?)));
    }
    let text = if cursor.eat("\"") {
        cursor.quoted('"')?
    } else {
        let bare = cursor.take_while(|letter| !letter.is_whitespace());
        let is_plain = |letter: char| letter.is_alphanumeric() || letter == '_';
        if bare.is_empty() || !bare.chars().all(is_plain) {
            return Err(PatternError::Character(bare.to_owned()));
        }
        bare.to_owned()
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    let finder = Box::new(Finder::new(text.as_bytes()).into_owned());
    Ok(Some(Term::Text { text, finder }))
}
