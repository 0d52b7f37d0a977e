use std::borrow::Cow;

/// A value of a JSON message, told apart as far as patterns ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    Boolean(bool),
    /// As it is written.
    Number(&'a str),
    Text(Cow<'a, str>),
    /// An object or an array.
    Other,
}

impl<'a> Value<'a> {
    /// Reads valid JSON without blanks around it; `None` for a text with escapes that stand for nothing.
    pub fn read(written: &'a str) -> Option<Value<'a>> {
        Some(match written.as_bytes().first()? {
            b'n' => Value::Null,
            b't' => Value::Boolean(true),
            b'f' => Value::Boolean(false),
            b'"' if written.contains('\\') => Value::Text(Cow::Owned(serde_json::from_str(written).ok()?)),
            b'"' => Value::Text(Cow::Borrowed(written.get(1..written.len() - 1)?)),
            b'{' | b'[' => Value::Other,
            _ => Value::Number(written),
        })
    }

    /// A text's or a number's.
    pub fn into_text(self) -> Option<String> {
        match self {
            Value::Text(text) => Some(text.into_owned()),
            Value::Number(written) => Some(written.to_owned()),
            _ => None,
        }
    }
}
