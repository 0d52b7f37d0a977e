use crate::{SpanId, TraceId};

/// Longest text that a span keeps of one thing, bytes; the rest is cut off.
pub const TEXT_BYTES_MAX: usize = 1024;

/// Whose side of an exchange a span tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Internal,
    Server,
    Client,
}

/// Something that happened within a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    pub trace: TraceId,
    pub id: SpanId,
    pub parent: Option<SpanId>,
    pub kind: Kind,
    pub name: String,
    /// Nanoseconds since 1970.
    pub start_ns: u64,
    pub end_ns: u64,
    /// Names are OpenTelemetry's where its semantic conventions have one.
    pub attributes: Vec<(&'static str, Value)>,
    /// Why it failed, if it did; may be empty.
    pub error: Option<String>,
    /// A span that it has to do with without being a part of it: what queued the event that it is about, perhaps long ago.
    pub link: Option<Link>,
}

/// Another span, perhaps of another trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub trace: TraceId,
    pub span: SpanId,
}

/// What an attribute says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Whole(i64),
    Truth(bool),
}

impl Span {
    /// Adds an attribute.
    pub fn say(&mut self, name: &'static str, value: impl Into<Value>) {
        self.attributes.push((name, value.into()));
    }

    /// Adds an attribute, if there is something to say.
    pub fn say_some(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.say(name, value);
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        let mut end = text.len().min(TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Value::Text(text[..end].to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        if text.len() <= TEXT_BYTES_MAX { Value::Text(text) } else { Value::from(text.as_str()) }
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Truth(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Whole(number)
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Value {
        Value::Whole(number.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_letters() {
        let long = format!("{}é", "x".repeat(TEXT_BYTES_MAX - 1));
        for value in [Value::from(long.as_str()), Value::from(long.clone())] {
            assert_eq!(value, Value::Text("x".repeat(TEXT_BYTES_MAX - 1)));
        }
        assert_eq!(Value::from("short"), Value::Text("short".to_owned()));
    }
}
