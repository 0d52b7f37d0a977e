use std::collections::BTreeMap;

use super::EventId;

/// Most events on a page. Source: GetLogEvents, FilterLogEvents.
pub const EVENTS_PER_PAGE: usize = 10_000;
/// Text of a page, bytes; one event is always on it. Source: GetLogEvents.
pub const PAGE_BYTES: usize = 1 << 20;

/// Which end of the order a page is filled from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// The first (or last) events of those that are offered, in any order, within a page's limits. What is on the page has
/// no gap: everything offered on its near side of the page's edge is on it.
pub(super) struct Page<T> {
    direction: Direction,
    limit: usize,
    events: BTreeMap<EventId, (usize, T)>,
    bytes: usize,
    /// The nearest event that found no place.
    refused: Option<EventId>,
}

impl<T> Page<T> {
    pub fn new(direction: Direction, limit: usize) -> Page<T> {
        let limit = limit.clamp(1, EVENTS_PER_PAGE);
        Page { direction, limit, events: BTreeMap::new(), bytes: 0, refused: None }
    }

    /// Offers an event whose text has `bytes`.
    pub fn offer(&mut self, id: EventId, bytes: usize, event: impl FnOnce() -> T) {
        if !self.wants(id) {
            self.refuse(id);
            return;
        }
        self.events.insert(id, (bytes, event()));
        self.bytes += bytes;
        while self.events.len() > self.limit || (self.bytes > PAGE_BYTES && self.events.len() > 1) {
            let outermost = match self.direction {
                Direction::Forward => self.events.pop_last(),
                Direction::Backward => self.events.pop_first(),
            };
            if let Some((id, (bytes, _))) = outermost {
                self.bytes -= bytes;
                self.refuse(id);
            }
        }
    }

    /// Could an event at this place still find room?
    pub fn wants(&self, id: EventId) -> bool {
        let full = self.events.len() >= self.limit || self.bytes >= PAGE_BYTES;
        let edge = match self.direction {
            Direction::Forward => self.events.last_key_value(),
            Direction::Backward => self.events.first_key_value(),
        };
        self.refused.is_none_or(|refused| self.is_nearer(id, refused))
            && !(full && edge.is_some_and(|(edge, _)| !self.is_nearer(id, *edge)))
    }

    fn is_nearer(&self, id: EventId, other: EventId) -> bool {
        match self.direction {
            Direction::Forward => id < other,
            Direction::Backward => id > other,
        }
    }

    /// Notes that there is something at this place which isn't on the page; what lies beyond it then goes too.
    pub fn refuse(&mut self, id: EventId) {
        if self.refused.is_some_and(|refused| !self.is_nearer(id, refused)) {
            return;
        }
        self.refused = Some(id);
        let beyond = match self.direction {
            Direction::Forward => self.events.split_off(&id),
            Direction::Backward => {
                let near = self.events.split_off(&id);
                std::mem::replace(&mut self.events, near)
            }
        };
        self.bytes -= beyond.values().map(|(bytes, _)| bytes).sum::<usize>();
    }

    /// Has anything been refused?
    pub fn is_cut(&self) -> bool {
        self.refused.is_some()
    }

    /// The nearest event that was refused.
    pub fn refused(&self) -> Option<EventId> {
        self.refused
    }

    /// The page, by rising id.
    pub fn into_events(self) -> Vec<(EventId, T)> {
        self.events.into_iter().map(|(id, (_, event))| (id, event)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(number: u64) -> EventId {
        EventId { at_ms: (number / 3) as i64, number }
    }

    proptest! {
        #[test]
        fn a_page_is_a_gapless_end_of_what_was_offered(
            offered in proptest::collection::vec((0u64..500, 1usize..PAGE_BYTES / 3), 0..80),
            limit in 1usize..40,
            pieces in 1usize..80,
            forward: bool,
        ) {
            let direction = if forward { Direction::Forward } else { Direction::Backward };
            let mut page = Page::new(direction, limit);
            let all: BTreeMap<EventId, usize> = offered.iter().map(|&(number, bytes)| (id(number), bytes)).collect();
            // In pieces that are pages themselves, as several threads make them.
            let mut seen = std::collections::HashSet::new();
            for piece in offered.chunks(pieces) {
                let mut part = Page::new(direction, limit);
                for (number, _) in piece {
                    if seen.insert(*number) {
                        part.offer(id(*number), all[&id(*number)], || *number);
                    }
                }
                let refused = part.refused();
                for (id, number) in part.into_events() {
                    page.offer(id, all[&id], || number);
                }
                refused.into_iter().for_each(|refused| page.refuse(refused));
            }
            let cut = page.is_cut();
            let found: Vec<EventId> = page.into_events().into_iter().map(|(id, _)| id).collect();
            let expected: Vec<EventId> = if forward {
                all.keys().take(found.len()).copied().collect()
            } else {
                all.keys().skip(all.len() - found.len()).copied().collect()
            };
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(cut, found.len() < all.len());
            prop_assert!(found.len() <= limit && (all.is_empty() || !found.is_empty()));
            let bytes: usize = found.iter().map(|id| all[id]).sum();
            prop_assert!(bytes <= PAGE_BYTES || found.len() == 1);
        }
    }
}
