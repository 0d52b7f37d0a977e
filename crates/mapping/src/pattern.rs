//! Java's patterns, as far as they are regular, at a price: matching takes time with the text, the pattern's size, and, where a
//! pattern looks far ahead before it decides, with the number of matches. Who matches says how to pay for that in steps.

use std::ops::Range;

use regex_lite::{Captures, Regex, RegexBuilder};

use crate::error::{Attempt, RenderError};
use crate::value::VALUES_MAX;

/// Longer patterns are refused.
pub const PATTERN_BYTES_MAX: usize = 4096;

/// What compiled patterns may take; larger ones are refused. The smallest that holds a pattern says how many states it has.
const COMPILED_BYTES: [usize; 4] = [1 << 10, 1 << 12, 1 << 15, 1 << 18];

/// Of a compiled pattern, roughly.
const STATE_BYTES: usize = 32;

/// So many states looked at for one byte of text count as one step.
const STATES_A_STEP: usize = 8;

pub type Spend<'s> = &'s mut dyn FnMut(u64) -> Attempt<()>;

#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    /// The text that is the only one to match, for patterns without signs.
    literal: Option<String>,
    states: usize,
    looks_ahead: bool,
}

/// One match.
pub struct Found<'t> {
    pub place: Range<usize>,
    groups: Option<Captures<'t>>,
}

impl Pattern {
    pub fn compile(pattern: &str, spend: Spend<'_>) -> Attempt<Self> {
        let refused = || Box::new(RenderError::Pattern(pattern.chars().take(100).collect()));
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(refused());
        }
        for bytes in COMPILED_BYTES {
            spend((pattern.len() + bytes / 64) as u64)?;
            if let Ok(regex) = RegexBuilder::new(pattern).size_limit(bytes).build() {
                return Ok(Self {
                    regex,
                    literal: literal(pattern),
                    states: bytes / STATE_BYTES,
                    looks_ahead: looks_ahead(pattern),
                });
            }
        }
        Err(refused())
    }

    fn price(&self, bytes: usize) -> u64 {
        let states = if self.literal.is_some() { 1 } else { self.states };
        1 + (bytes as u64).saturating_mul(states as u64) / STATES_A_STEP as u64
    }

    /// Calls `act` for each match in its order, until that says false.
    fn each<'t>(
        &self,
        text: &'t str,
        spend: Spend<'_>,
        mut act: impl FnMut(Found<'t>) -> Attempt<bool>,
    ) -> Attempt<()> {
        if let Some(literal) = &self.literal {
            spend(self.price(text.len()))?;
            for (start, found) in text.match_indices(literal.as_str()) {
                if !act(Found { place: start..start + found.len(), groups: None })? {
                    break;
                }
            }
            return Ok(());
        }
        let mut done = 0;
        // Paid before each search: it may go to the text's end.
        spend(self.price(text.len()))?;
        for groups in self.regex.captures_iter(text) {
            let Some(found) = groups.get(0) else { break };
            let place = found.range();
            let looked_at = if self.looks_ahead { text.len() - place.end } else { place.end - done };
            done = place.end;
            if !act(Found { place, groups: Some(groups) })? {
                break;
            }
            spend(self.price(looked_at))?;
        }
        Ok(())
    }

    /// `String.replaceAll`, or of the first matches only: `$1` is a group and a backslash keeps what follows. `None` for a
    /// replacement that Java wouldn't take.
    pub fn replace(
        &self,
        text: &str,
        replacement: &str,
        times: usize,
        bytes_max: usize,
        spend: Spend<'_>,
    ) -> Attempt<Option<String>> {
        let mut replaced = String::with_capacity(text.len());
        let mut kept = 0;
        let mut left = times;
        let mut is_valid = true;
        self.each(text, spend, |found| {
            replaced.push_str(&text[kept..found.place.start]);
            is_valid = expand(&found, text, replacement, &mut replaced).is_some();
            kept = found.place.end;
            left -= 1;
            Ok(is_valid && left > 0 && replaced.len() <= bytes_max)
        })?;
        replaced.push_str(&text[kept..]);
        Ok(is_valid.then_some(replaced))
    }

    /// `String.split`: without a limit the empty texts at the end are left out; with one there are no more pieces than it says; with
    /// a negative one all are given.
    pub fn split<'t>(&self, text: &'t str, limit: i64, spend: Spend<'_>) -> Attempt<Vec<&'t str>> {
        let mut pieces = Vec::new();
        let mut kept = 0;
        self.each(text, spend, |found| {
            let is_full = limit > 0 && pieces.len() as i64 == limit - 1;
            if is_full {
                return Ok(false);
            }
            // Java gives no empty piece for an empty match at either end.
            let Range { start, end } = found.place;
            if end > 0 && (start < end || start < text.len()) {
                if pieces.len() == VALUES_MAX {
                    return Err(RenderError::TooManyValues(VALUES_MAX).into());
                }
                pieces.push(&text[kept..start]);
                kept = end;
            }
            Ok(true)
        })?;
        let is_whole = pieces.is_empty();
        pieces.push(&text[kept..]);
        while limit == 0 && !is_whole && pieces.last().is_some_and(|piece| piece.is_empty()) {
            pieces.pop();
        }
        Ok(pieces)
    }
}

/// As `String.matches`: from the first character to the last.
pub fn matches_whole(pattern: &str, text: &str, spend: Spend<'_>) -> Attempt<bool> {
    // The pattern by itself first, so that its parentheses can't close ours.
    Pattern::compile(pattern, spend)?;
    let whole = Pattern::compile(&format!("^(?:{pattern})$"), spend)?;
    spend(whole.price(text.len()))?;
    Ok(whole.regex.is_match(text))
}

/// A pattern without signs, its escapes undone.
fn literal(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '.' | '[' | ']' | '{' | '}' | '(' | ')' | '*' | '+' | '?' | '^' | '$' | '|' => return None,
            '\\' => match letters.next()? {
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                escaped if escaped.is_ascii_punctuation() => text.push(escaped),
                _ => return None,
            },
            _ => text.push(letter),
        }
    }
    (!text.is_empty()).then_some(text)
}

/// Whether a search may go on long after the place where its match ends: with repetitions before something else, or between
/// alternatives.
fn looks_ahead(pattern: &str) -> bool {
    let repetitions = pattern.matches(['*', '+', '{']).count();
    let is_last = pattern.ends_with(['*', '+']);
    repetitions > 1 || repetitions == 1 && (!is_last || pattern.contains('|'))
}

fn expand(found: &Found<'_>, text: &str, replacement: &str, out: &mut String) -> Option<()> {
    let count = found.groups.as_ref().map_or(1, |groups| groups.len());
    let group = |number: usize| match &found.groups {
        Some(groups) => groups.get(number).map_or("", |group| group.as_str()),
        None => &text[found.place.clone()],
    };
    let mut letters = replacement.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.push(letters.next()?),
            '$' => {
                let mut number = letters.next()?.to_digit(10)? as usize;
                if number >= count {
                    return None;
                }
                // Further digits belong to the number as long as there is such a group.
                while let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(10)) {
                    let longer = number * 10 + digit as usize;
                    if longer >= count {
                        break;
                    }
                    number = longer;
                    letters.next();
                }
                out.push_str(group(number));
            }
            _ => out.push(letter),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{Pattern, literal, looks_ahead, matches_whole};
    use crate::error::Attempt;

    fn replace(text: &str, pattern: &str, replacement: &str) -> Option<String> {
        let mut spend = |_| Ok(());
        let pattern = Pattern::compile(pattern, &mut spend).expect("a pattern");
        pattern.replace(text, replacement, usize::MAX, 1000, &mut spend).expect("enough steps")
    }

    #[test]
    fn replacements_are_java_s() {
        for (text, pattern, replacement, expected) in [
            ("a.b.c", "\\.", "-", Some("a-b-c")),
            ("a.b.c", ".", "-", Some("-----")),
            ("ab", "(a)(b)", "$2$1$0", Some("baab")),
            ("ab", "b", "[$0]", Some("a[b]")),
            ("ab", "(a)", "$12", Some("a2b")),
            ("ab", "a", "\\$1", Some("$1b")),
            ("ab", "a", "$1", None),
            ("ab", "a", "$", None),
            ("ab", "a", "\\", None),
            ("ab", "x", "$9", Some("ab")),
            ("a\nb", "\\n", "\\\\n", Some("a\\nb")),
            ("éa", "", "-", Some("-é-a-")),
        ] {
            assert_eq!(replace(text, pattern, replacement).as_deref(), expected, "{pattern} {replacement}");
        }
    }

    #[test]
    fn patterns_without_signs_are_texts() {
        assert_eq!(literal("a\\.b\\n").as_deref(), Some("a.b\n"));
        for pattern in ["", ".", "a|b", "\\d", "[a]", "a\\"] {
            assert_eq!(literal(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn only_what_repeats_before_something_else_looks_ahead() {
        for (pattern, expected) in [
            ("abc", false),
            ("\\s+", false),
            ("[a-z]*", false),
            ("a.*b", true),
            ("a+|b", true),
            ("a*b*", true),
        ] {
            assert_eq!(looks_ahead(pattern), expected, "{pattern}");
        }
    }

    /// Steps that a call took.
    fn price(act: impl FnOnce(&mut dyn FnMut(u64) -> Attempt<()>)) -> u64 {
        let mut steps = 0;
        act(&mut |more| {
            steps += more;
            Ok(())
        });
        steps
    }

    #[test]
    fn the_price_grows_with_what_is_looked_at() {
        let text = "a".repeat(10_000);
        let of = |pattern: &str| {
            price(|spend| {
                let pattern = Pattern::compile(pattern, spend).expect("a pattern");
                pattern.replace(&text, "", usize::MAX, usize::MAX, spend).expect("no bound");
            })
        };
        assert!(of("a") < 3_000);
        assert!(of("[a]") < 200_000);
        // Each match looks for the b to the end.
        assert!(of("a.*b|a") > 100_000_000);
        let one = price(|spend| drop(matches_whole("a+", &text, spend)));
        let many = price(|spend| drop(matches_whole("(a?){500}a+", &text, spend)));
        assert!(many > 30 * one, "{one} {many}");
    }
}
