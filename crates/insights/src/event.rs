use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A log event as a query meets it.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// `{account}:{log group}`.
    pub log: &'a str,
    pub stream: &'a str,
    /// When it happened, milliseconds since 1970.
    pub at_ms: i64,
    /// When it came, milliseconds since 1970.
    pub ingested_ms: i64,
    /// Unique among all events of a query; rises with time and then with arrival.
    pub id: u128,
    pub message: &'a str,
}

/// Where an event lies: what `@ptr` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    /// `{account}:{log group}`.
    pub log: String,
    pub stream: String,
    pub at_ms: i64,
    pub id: u128,
}

impl Pointer {
    pub(crate) fn of(event: &Event<'_>) -> Pointer {
        Pointer {
            log: event.log.to_owned(),
            stream: event.stream.to_owned(),
            at_ms: event.at_ms,
            id: event.id,
        }
    }

    /// Reads what [`Pointer::to_text`] writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Pointer> {
        let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
        let mut parts = text.split('\n');
        let mut part = || parts.next();
        let (at_ms, id, log, stream) = (part()?, part()?, part()?, part()?);
        let pointer = Pointer {
            log: log.to_owned(),
            stream: stream.to_owned(),
            at_ms: at_ms.parse().ok()?,
            id: u128::from_str_radix(id, 16).ok()?,
        };
        parts.next().is_none().then_some(pointer)
    }

    /// Opaque text. Names of groups and streams have no line breaks.
    pub fn to_text(&self) -> String {
        STANDARD.encode(format!("{}\n{:x}\n{}\n{}", self.at_ms, self.id, self.log, self.stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_comes_back() {
        let (log, stream) = ("000000000000:/aws/lambda/f".to_owned(), "2025/11/28/[$LATEST]aa".to_owned());
        let pointer = Pointer { log, stream, at_ms: 1_764_324_000_000, id: u128::MAX };
        assert_eq!(Pointer::parse(&pointer.to_text()), Some(pointer));
        for text in ["", "!", "YQ==", "MQox"] {
            assert_eq!(Pointer::parse(text), None, "{text}");
        }
    }
}
