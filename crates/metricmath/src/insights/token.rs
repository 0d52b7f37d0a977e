use crate::Error;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// Letters, digits, underscores.
    Bare(String),
    /// In double quotes.
    Name(String),
    /// In single quotes.
    Value(String),
    Open,
    Close,
    Comma,
    Dot,
    Equal,
    NotEqual,
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '.' => (Token::Dot, 1),
            '=' => (Token::Equal, 1),
            '!' if rest.starts_with("!=") => (Token::NotEqual, 2),
            '"' => quoted(rest, first).map(|(text, length)| (Token::Name(text), length))?,
            '\'' => quoted(rest, first).map(|(text, length)| (Token::Value(text), length))?,
            c if c.is_ascii_alphanumeric() || c == '_' => {
                let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let length = rest.bytes().take_while(is_bare).count();
                (Token::Bare(rest[..length].to_owned()), length)
            }
            _ => return Err(Error::Syntax),
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// The text between quotes without its escapes, and how long it is with all of them.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), Error> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((place, next)) = chars.next() {
        match next {
            _ if next == quote => return Ok((text, place + 1)),
            '\\' => text.push(chars.next().ok_or(Error::Syntax)?.1),
            _ => text.push(next),
        }
    }
    Err(Error::Syntax)
}
