//! Which events of a PutLogEvents batch are taken.

use std::ops::Range;

use crate::Error;

/// Bytes that an event counts beside its message. Source: PutLogEvents.
const EVENT_OVERHEAD_BYTES: usize = 26;
/// One event's message, bytes. Source: CloudWatch Logs quotas.
const EVENT_BYTES: usize = 1_048_576;
/// A batch, overheads included, bytes. Source: PutLogEvents.
const BATCH_BYTES: usize = 1_048_576;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Source: PutLogEvents.
const SPAN_MS: i64 = DAY_MS;
const OLD_MS: i64 = 14 * DAY_MS;
const NEW_MS: i64 = 2 * HOUR_MS;

/// The events of a batch that are taken, and where those begin and end that aren't.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    pub range: Range<usize>,
    /// The first event that is not older than two weeks, if there are older ones.
    pub too_old_end: Option<usize>,
    /// The first event that the group's retention keeps, if there are others.
    pub expired_end: Option<usize>,
    /// The first event that lies too far in the future.
    pub too_new_start: Option<usize>,
}

impl Taken {
    pub fn has_rejected(&self) -> bool {
        self.too_old_end.or(self.expired_end).or(self.too_new_start).is_some()
    }
}

/// Judges a batch of times (milliseconds since 1970) and message lengths (bytes of UTF-8).
pub fn judge(events: &[(i64, usize)], retention_days: Option<u32>, now_ms: i64) -> Result<Taken, Error> {
    if let Some((_, bytes)) = events.iter().find(|(_, bytes)| *bytes > EVENT_BYTES) {
        return Err(Error::EventTooLarge { bytes: *bytes, limit: EVENT_BYTES });
    }
    let bytes = events.iter().map(|(_, bytes)| bytes + EVENT_OVERHEAD_BYTES).sum();
    if bytes > BATCH_BYTES {
        return Err(Error::BatchTooLarge { bytes, limit: BATCH_BYTES });
    }
    if !events.is_sorted_by_key(|(at_ms, _)| *at_ms) {
        return Err(Error::Order);
    }
    let before = |limit_ms: i64| events.partition_point(|(at_ms, _)| *at_ms < limit_ms);
    let too_old = before(now_ms - OLD_MS);
    let expired = retention_days.map_or(0, |days| before(now_ms - i64::from(days) * DAY_MS));
    let too_new = before(now_ms + NEW_MS + 1);
    let range = too_old.max(expired)..too_new.max(too_old.max(expired));
    let taken = &events[range.clone()];
    if let (Some((first, _)), Some((last, _))) = (taken.first(), taken.last())
        && last - first > SPAN_MS
    {
        return Err(Error::Span);
    }
    Ok(Taken {
        range,
        too_old_end: Some(too_old).filter(|end| *end > 0),
        expired_end: Some(expired).filter(|end| *end > 0),
        too_new_start: Some(too_new).filter(|start| *start < events.len()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_763_900_000_000;

    fn judged(ages_ms: &[i64], retention_days: Option<u32>) -> Result<Taken, Error> {
        let events: Vec<(i64, usize)> = ages_ms.iter().map(|age| (NOW - age, 1)).collect();
        judge(&events, retention_days, NOW)
    }

    #[test]
    fn events_at_the_edges_are_taken_and_those_beyond_are_not() {
        for (ages, retention, range, rejected) in [
            (&[0][..], None, 0..1, (None, None, None)),
            (&[14 * DAY_MS + 1, 14 * DAY_MS], None, 1..2, (Some(1), None, None)),
            (&[-NEW_MS, -NEW_MS - 1], None, 0..1, (None, None, Some(1))),
            (&[14 * DAY_MS + 1, DAY_MS + 1, DAY_MS], Some(1), 2..3, (Some(1), Some(2), None)),
            (&[14 * DAY_MS + 1, -NEW_MS - 1], None, 1..1, (Some(1), None, Some(1))),
            (&[15 * DAY_MS, 15 * DAY_MS], Some(400), 2..2, (Some(2), None, None)),
        ] {
            let taken = judged(ages, retention).expect("judged");
            assert_eq!(taken.range, range, "{ages:?}");
            assert_eq!((taken.too_old_end, taken.expired_end, taken.too_new_start), rejected, "{ages:?}");
            assert_eq!(taken.has_rejected(), rejected != (None, None, None));
        }
    }

    #[test]
    fn a_batch_is_in_order_and_within_a_day() {
        assert!(matches!(judged(&[0, 1], None), Err(Error::Order)));
        assert!(judged(&[DAY_MS, 0], None).is_ok());
        assert!(matches!(judged(&[DAY_MS + 1, 0], None), Err(Error::Span)));
        // Only events that are taken count.
        assert!(judged(&[15 * DAY_MS, 0], None).is_ok());
    }

    #[test]
    fn a_batch_has_room_for_so_many_bytes() {
        let one = |bytes| judge(&[(NOW, bytes)], None, NOW);
        assert!(one(BATCH_BYTES - 26).is_ok());
        assert!(matches!(one(BATCH_BYTES - 25), Err(Error::BatchTooLarge { bytes: 1_048_577, .. })));
        assert!(matches!(one(EVENT_BYTES + 1), Err(Error::EventTooLarge { bytes: 1_048_577, .. })));
        assert!(judge(&[(NOW, 1000), (NOW, BATCH_BYTES - 1052)], None, NOW).is_ok());
        assert!(judge(&[(NOW, 1001), (NOW, BATCH_BYTES - 1052)], None, NOW).is_err());
    }

    proptest! {
        #[test]
        fn every_event_is_taken_or_named_as_rejected(
            ages in proptest::collection::vec(-3 * HOUR_MS..16 * DAY_MS, 0..12),
            retention_days in proptest::option::of(1u32..20),
        ) {
            let mut ages = ages;
            ages.sort_unstable_by(|one, other| other.cmp(one));
            let Ok(taken) = judged(&ages, retention_days) else { return Ok(()) };
            let oldest = retention_days.map_or(OLD_MS, |days| OLD_MS.min(i64::from(days) * DAY_MS));
            for (place, age) in ages.iter().enumerate() {
                let is_fine = (-NEW_MS..=oldest).contains(age);
                prop_assert_eq!(taken.range.contains(&place), is_fine, "{}", place);
                let is_named = taken.too_old_end.max(taken.expired_end).is_some_and(|end| place < end)
                    || taken.too_new_start.is_some_and(|start| place >= start);
                prop_assert_eq!(is_named, !is_fine, "{}", place);
            }
        }
    }
}
