//! The sign on a target that a rollout has it: who, which run of it, and what it began from. It is text that a tag's value and an
//! alias' description both take.

use std::fmt;

const PREFIX: &str = "pitbird-rollout";
/// The tag of a stage.
pub const TAG: &str = "pitbird-rollout";
/// Longest description of an alias. Source: Lambda's model.
pub const DESCRIPTION_CHARS_MAX: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    pub name: String,
    /// Tells a run from all others of this name.
    pub run: String,
    pub base: String,
    pub canary: String,
    /// Epoch ms.
    pub began_ms: u64,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Marker { name, run, base, canary, began_ms } = self;
        write!(f, "{PREFIX}:{name}:{run}:{base}:{canary}:{began_ms}")
    }
}

impl Marker {
    pub fn parse(text: &str) -> Option<Marker> {
        let mut parts = text.strip_prefix(PREFIX)?.strip_prefix(':')?.split(':');
        let mut part = || parts.next().map(str::to_owned);
        let (name, run, base, canary) = (part()?, part()?, part()?, part()?);
        let began_ms = part()?.parse().ok()?;
        parts.next().is_none().then_some(Marker { name, run, base, canary, began_ms })
    }

    /// A description with the sign before it; `None` where both don't fit.
    pub fn put(&self, description: &str) -> Option<String> {
        let text = format!("[{self}]{description}");
        (text.chars().count() <= DESCRIPTION_CHARS_MAX).then_some(text)
    }

    /// The sign in a description, and the description without it.
    pub fn take(text: &str) -> (Option<Marker>, &str) {
        let found = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        match found.and_then(|(sign, rest)| Some((Marker::parse(sign)?, rest))) {
            Some((marker, rest)) => (Some(marker), rest),
            None => (None, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        let text = |text: &str| text.to_owned();
        Marker {
            name: text("a.b-c"),
            run: text("x1"),
            base: text("1"),
            canary: text("2"),
            began_ms: 1_700_000_000_000,
        }
    }

    #[test]
    fn a_marker_comes_back_from_a_tag_and_from_a_description() {
        let marker = marker();
        assert_eq!(Marker::parse(&marker.to_string()), Some(marker.clone()));
        for description in ["", "mine", "[x] mine"] {
            let text = marker.put(description).unwrap();
            assert_eq!(Marker::take(&text), (Some(marker.clone()), description));
        }
        for other in ["", "mine", "[mine] too", "[pitbird-rollout:a:b]", "[pitbird-rollout:a:b:c:d:x]"] {
            assert_eq!(Marker::take(other), (None, other));
        }
    }

    #[test]
    fn a_description_that_leaves_no_room_is_not_cut() {
        let long = "x".repeat(DESCRIPTION_CHARS_MAX - marker().to_string().len() - 2);
        assert!(marker().put(&long).is_some());
        assert!(marker().put(&format!("{long}x")).is_none());
    }
}
