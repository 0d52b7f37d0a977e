use crate::Error;
use crate::operator::Operator;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    Text(String),
    /// An id, a function's name or another word.
    Name(String),
    Operator(Operator),
    Open,
    Close,
    OpenArray,
    CloseArray,
    Comma,
}

pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Error> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '[' => (Token::OpenArray, 1),
            ']' => (Token::CloseArray, 1),
            ',' => (Token::Comma, 1),
            '"' | '\'' => quoted(rest, first)?,
            '0'..='9' | '.' => number(rest)?,
            'a'..='z' | 'A'..='Z' => name(rest),
            _ => operator(rest)?,
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// A text in quotes. A backslash before the quote is taken away, others are left to who reads the text.
fn quoted(rest: &str, quote: char) -> Result<(Token, usize), Error> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((place, next)) = chars.next() {
        match next {
            _ if next == quote => return Ok((Token::Text(text), place + 1)),
            '\\' => match chars.next().ok_or(Error::Syntax)?.1 {
                escaped if escaped == quote => text.push(escaped),
                other => text.extend(['\\', other]),
            },
            _ => text.push(next),
        }
    }
    Err(Error::Syntax)
}

fn number(rest: &str) -> Result<(Token, usize), Error> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits((length + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let value: f64 = rest[..length].parse().map_err(|_| Error::Syntax)?;
    if value.is_finite() { Ok((Token::Number(value), length)) } else { Err(Error::Syntax) }
}

fn name(rest: &str) -> (Token, usize) {
    let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let token = match &rest[..length] {
        "AND" => Token::Operator(Operator::And),
        "OR" => Token::Operator(Operator::Or),
        name => Token::Name(name.to_owned()),
    };
    (token, length)
}

fn operator(rest: &str) -> Result<(Token, usize), Error> {
    const WRITTEN: [(&str, Operator); 13] = [
        ("&&", Operator::And),
        ("||", Operator::Or),
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("+", Operator::Add),
        ("-", Operator::Subtract),
        ("*", Operator::Multiply),
        ("/", Operator::Divide),
        ("^", Operator::Power),
    ];
    let found = WRITTEN.iter().find(|(text, _)| rest.starts_with(text));
    found.map(|(text, operator)| (Token::Operator(*operator), text.len())).ok_or(Error::Syntax)
}
