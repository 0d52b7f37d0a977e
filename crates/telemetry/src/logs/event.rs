use std::fmt;

/// An event as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEvent {
    /// When it happened, milliseconds since 1970.
    pub at_ms: i64,
    /// When it came here, milliseconds since 1970.
    pub ingested_ms: i64,
    pub id: EventId,
    pub message: String,
}

/// An event as it is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Milliseconds since 1970; what lies before counts as 1970.
    pub at_ms: i64,
    pub message: String,
}

/// An event's place among all events, by time and then by arrival; unique. Written as 56 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId {
    pub(crate) at_ms: i64,
    pub(crate) number: u64,
}

impl EventId {
    pub(crate) const MAX: EventId = EventId { at_ms: i64::MAX, number: u64::MAX };

    /// When it happened, milliseconds since 1970.
    pub fn at_ms(self) -> i64 {
        self.at_ms
    }

    /// The place before the first event at a time.
    pub(crate) fn before(at_ms: i64) -> EventId {
        EventId { at_ms: at_ms.max(0), number: 0 }
    }

    /// The place before this event. Events are numbered from 1.
    pub(crate) fn preceding(self) -> EventId {
        EventId { number: self.number.saturating_sub(1), ..self }
    }

    /// Reads 56 digits that [`fmt::Display`] wrote.
    pub(crate) fn parse(text: &str) -> Option<EventId> {
        if text.len() != 56 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let value: u128 = text.parse().ok()?;
        Some(EventId { at_ms: i64::try_from(value >> 64).ok()?, number: value as u64 })
    }
}

/// A number in the order of ids.
impl From<EventId> for u128 {
    fn from(id: EventId) -> u128 {
        u128::from(id.at_ms as u64) << 64 | u128::from(id.number)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:056}", u128::from(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_sorts_as_its_text() {
        let ids = [(0, 1), (0, 2), (1_763_900_000_000, 1), (1_763_900_000_000, u64::MAX), (i64::MAX, 0)];
        let ids = ids.map(|(at_ms, number)| EventId { at_ms, number });
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1] && pair[0].to_string() < pair[1].to_string()));
        for id in ids {
            assert_eq!(EventId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn other_text_is_no_id() {
        for text in ["", "1", &"9".repeat(56), &"x".repeat(56), &"0".repeat(57)] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }
}
