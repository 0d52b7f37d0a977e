//! Java's patterns, as far as they are regular.

use regex_lite::Regex;

use crate::error::RenderError;

/// Longer patterns are refused.
pub const PATTERN_BYTES_MAX: usize = 4096;

/// What a compiled pattern may take.
const COMPILED_BYTES_MAX: usize = 1 << 20;

pub fn compile(pattern: &str) -> Result<Regex, RenderError> {
    let refused = || RenderError::Pattern(pattern.chars().take(100).collect());
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(refused());
    }
    regex_lite::RegexBuilder::new(pattern).size_limit(COMPILED_BYTES_MAX).build().map_err(|_| refused())
}

/// As `String.matches`: from the first character to the last.
pub fn matches_whole(pattern: &str, text: &str) -> Result<bool, RenderError> {
    // The pattern by itself first, so that its parentheses can't close ours.
    compile(pattern)?;
    Ok(compile(&format!("^(?:{pattern})$"))?.is_match(text))
}

/// `String.replaceAll`, or of the first match only: `$1` is a group and a backslash keeps what follows. `None` for a replacement
/// that Java wouldn't take.
pub fn replace(
    regex: &Regex,
    text: &str,
    replacement: &str,
    times: usize,
    bytes_max: usize,
) -> Option<String> {
    let mut replaced = String::with_capacity(text.len());
    let mut kept = 0;
    for groups in regex.captures_iter(text).take(times) {
        let found = groups.get(0)?;
        replaced.push_str(&text[kept..found.start()]);
        expand(&groups, replacement, &mut replaced)?;
        kept = found.end();
        if replaced.len() > bytes_max {
            return Some(replaced);
        }
    }
    replaced.push_str(&text[kept..]);
    Some(replaced)
}

fn expand(groups: &regex_lite::Captures<'_>, replacement: &str, out: &mut String) -> Option<()> {
    let mut letters = replacement.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.push(letters.next()?),
            '$' => {
                let mut group = letters.next()?.to_digit(10)? as usize;
                if group >= groups.len() {
                    return None;
                }
                // Further digits belong to the number as long as there is such a group.
                while let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer >= groups.len() {
                        break;
                    }
                    group = longer;
                    letters.next();
                }
                out.push_str(groups.get(group).map_or("", |found| found.as_str()));
            }
            _ => out.push(letter),
        }
    }
    Some(())
}
