//! The words of a query, read one at a time, because what a slash means depends on what came before.

use std::ops::Range;

use crate::error::Flaw;

/// One word and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub at: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    /// A field, function or keyword. `is_plain` without backticks and dots: it may be a keyword.
    Name {
        text: String,
        is_plain: bool,
    },
    Text(String),
    Number(f64),
    /// A count and a unit of time, as in `5m`.
    Period(u32, String),
    Symbol(&'static str),
    End,
}

const SYMBOLS: &[&str] =
    &["!=", "<=", ">=", "=~", "=", "<", ">", "|", ",", "(", ")", "[", "]", "+", "-", "*", "/", "%", "^", "!"];

/// The word that starts at or after `from`, whitespace and comments left out.
pub(crate) fn next(text: &str, from: usize) -> Result<Token, Flaw> {
    let start = skip(text, from);
    let rest = &text[start..];
    let Some(first) = rest.chars().next() else {
        return Ok(Token { kind: TokenKind::End, at: start..start });
    };
    match first {
        '"' | '\'' => quoted(text, start, first),
        '0'..='9' => number(text, start),
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(text, start),
        '`' => name(text, start),
        c if is_name_start(c) => name(text, start),
        _ => {
            let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
            let symbol = symbol.ok_or(Flaw::Symbol(start..start + first.len_utf8()))?;
            Ok(Token { kind: TokenKind::Symbol(symbol), at: start..start + symbol.len() })
        }
    }
}

/// The pattern between slashes that starts at or after `from`; `None` if no slash is there.
pub(crate) fn regex(text: &str, from: usize) -> Result<Option<(String, Range<usize>)>, Flaw> {
    let start = skip(text, from);
    if !text[start..].starts_with('/') {
        return Ok(None);
    }
    let mut escaped = false;
    for (offset, c) in text[start + 1..].char_indices() {
        match c {
            '/' if !escaped => {
                let end = start + 1 + offset;
                return Ok(Some((text[start + 1..end].to_owned(), start..end + 1)));
            }
            _ => escaped = c == '\\' && !escaped,
        }
    }
    Err(Flaw::Symbol(start..start + 1))
}

fn skip(text: &str, from: usize) -> usize {
    let mut at = from;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        if !text[at..].starts_with('#') {
            return at;
        }
        at += text[at..].find('\n').unwrap_or(text.len() - at);
    }
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '@' || c == '$'
}

/// A name: parts joined by dots, each plain or between backticks, and indices in brackets.
fn name(text: &str, start: usize) -> Result<Token, Flaw> {
    let (mut at, mut out, mut is_plain) = (start, String::new(), true);
    loop {
        let rest = &text[at..];
        if let Some(quoted) = rest.strip_prefix('`') {
            let end = quoted.find('`').ok_or(Flaw::Symbol(at..at + 1))?;
            out.push_str(&quoted[..end]);
            at += end + 2;
            is_plain = false;
        } else {
            let part = |c: char| c.is_alphanumeric() || c == '_' || c == '@' || c == '$';
            let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            at += end;
        }
        at = indices(text, at, &mut out);
        let goes_on = text[at..].strip_prefix('.').is_some_and(|after| {
            after.starts_with(|c: char| c == '`' || c == '_' || c == '@' || c == '$' || c.is_alphanumeric())
        });
        if !goes_on {
            break;
        }
        out.push('.');
        at += 1;
        is_plain = false;
    }
    Ok(Token { kind: TokenKind::Name { text: out, is_plain }, at: start..at })
}

/// `[3]` after a name is the fourth item: `.3`.
fn indices(text: &str, mut at: usize, out: &mut String) -> usize {
    while let Some(inner) = text[at..].strip_prefix('[') {
        let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || !inner[digits..].starts_with(']') {
            break;
        }
        out.push('.');
        out.push_str(&inner[..digits]);
        at += digits + 2;
    }
    at
}

fn quoted(text: &str, start: usize, quote: char) -> Result<Token, Flaw> {
    let mut out = String::new();
    let mut chars = text[start + 1..].char_indices();
    while let Some((offset, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, next)) if next == quote || next == '\\' => out.push(next),
                Some((_, next)) => out.extend(['\\', next]),
                None => break,
            },
            c if c == quote => {
                let at = start..start + 1 + offset + 1;
                return Ok(Token { kind: TokenKind::Text(out), at });
            }
            c => out.push(c),
        }
    }
    Err(Flaw::Symbol(start..start + 1))
}

fn number(text: &str, start: usize) -> Result<Token, Flaw> {
    let rest = &text[start..];
    let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    let unit: String = rest[end..].chars().take_while(|c| c.is_ascii_alphabetic()).collect();
    let is_exponent = unit.eq_ignore_ascii_case("e")
        && rest[end + 1..].starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    if !unit.is_empty() && end > 0 && !is_exponent {
        let at = start..start + end + unit.len();
        let count = rest[..end].parse().map_err(|_| Flaw::Symbol(at.clone()))?;
        return Ok(Token { kind: TokenKind::Period(count, unit), at });
    }
    if rest[end..].starts_with('.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['-', '+']));
        let exponent = digits(end + 1 + sign);
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    let at = start..start + end;
    let value: f64 = rest[..end].parse().map_err(|_| Flaw::Symbol(at.clone()))?;
    if !value.is_finite() {
        return Err(Flaw::Symbol(at));
    }
    Ok(Token { kind: TokenKind::Number(value), at })
}
