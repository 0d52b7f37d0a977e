//! The regular expressions that a pattern may hold between `%` signs.

pub use regex_lite::Regex as Expression;

use regex_lite::RegexBuilder;

use crate::error::PatternError;

/// Room for one compiled expression, bytes. `a{1000}{1000}` and the like don't fit.
const COMPILED_BYTES: usize = 256 << 10;

/// Reads the documented subset: letters, digits, `_#=@/;,:-`, blanks, the operators `^$?[]{}|\*+.`, and after a backslash
/// any of those signs, a class (`d D s S w W`) or `xhh`. No parentheses, nothing beyond ASCII.
pub fn parse(text: &str) -> Result<Expression, PatternError> {
    let refuse = || PatternError::Character(format!("%{text}%"));
    let mut translated = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let escaped = letters.next().filter(|next| is_escapable(*next)).ok_or_else(refuse)?;
                // A sign that needs no escape may have one; the engine would refuse some of those.
                if !is_symbol(escaped) {
                    translated.push('\\');
                }
                translated.push(escaped);
            }
            // The minimum may be left out, which the engine doesn't know.
            '{' if letters.peek() == Some(&',') => translated.push_str("{0"),
            letter if letter.is_ascii_alphanumeric() || is_symbol(letter) || is_operator(letter) => {
                translated.push(letter);
            }
            _ => return Err(refuse()),
        }
    }
    let compiled = RegexBuilder::new(&translated).size_limit(COMPILED_BYTES).build();
    compiled.map_err(|_| PatternError::Invalid)
}

fn is_symbol(letter: char) -> bool {
    "_#=@/;,: ".contains(letter)
}

fn is_operator(letter: char) -> bool {
    "^$?[]{}|*+.-".contains(letter)
}

fn is_escapable(letter: char) -> bool {
    is_symbol(letter) || is_operator(letter) || letter == '\\' || "dDsSwWx".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_subset_is_read_and_matches() {
        for (text, yes, no) in [
            ("^[hc]at", "hat", "a hat"),
            ("[hc]at$", "a cat", "cats"),
            ("colou?r", "color", "colr"),
            ("^a{3,5}$", "aaaa", "aa"),
            ("^a{,2}$", "aa", "aaa"),
            ("^a{2,}$", "aaa", "a"),
            ("gra|ey", "grey", "gr"),
            ("^starting|^shutting down", "shutting down", "not shutting down"),
            ("abcc|ab[^c]$", "xaba", "aac"),
            (r"\[.\]", "[7]", "[]"),
            (r"10\.10\.0\.1", "10.10.0.1", "10010,0x1"),
            (r"\d\D\s\S\w\W", "1a b_!", "aaaaaa"),
            (r"\x28\x3A", "(:", "("),
            (r"a\-b\:c\/d", "a-b:c/d", "abcd"),
            ("/service/resource/[0-9]+$", "/service/resource/67", "/service/resource/67/part"),
        ] {
            let expression = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(expression.is_match(yes), "{text} {yes}");
            assert!(!expression.is_match(no), "{text} {no}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["something!", "(a)", r"\(", "é", "a&b", r"\b", "a\\", "[a", "*", "a{9,1}", r"\xzz"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("a{1000}{1000}").err(), Some(PatternError::Invalid));
    }
}
