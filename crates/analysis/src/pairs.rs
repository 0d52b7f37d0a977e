//! Requests that both arms answered: mirrored ones, and probes.

use serde::{Deserialize, Serialize};

/// Pairs of answers to the same request, and those of them where one arm alone failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pairs {
    /// All of them, those that agree too.
    pub pairs: u64,
    /// The canary failed and the base didn't.
    pub canary_alone: u64,
    /// The base failed and the canary didn't.
    pub base_alone: u64,
}

impl Pairs {
    #[must_use]
    pub fn plus(self, other: Pairs) -> Pairs {
        Pairs {
            pairs: self.pairs.saturating_add(other.pairs),
            canary_alone: self.canary_alone.saturating_add(other.canary_alone),
            base_alone: self.base_alone.saturating_add(other.base_alone),
        }
    }

    pub fn is_empty(self) -> bool {
        self == Pairs::default()
    }
}
