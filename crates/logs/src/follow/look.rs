use std::collections::HashMap;
use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_telemetry::logs::Filed;
use pitbird_telemetry::metrics::{Dimensions, Resolution, Unit};

use super::gathered::{Gathered, Series};
use super::send::{Message, messages};
use crate::State;
use crate::emf::{self, BadDocument};
use crate::filters::{Counted, Counting, GroupFilters};

const MINUTE_MS: i64 = 60_000;

/// What events have brought.
#[derive(Default)]
pub struct Seen {
    pub gathered: Gathered,
    /// Minutes of filters with a default value: was an event of theirs taken?
    pub minutes: Vec<(Scope, Arc<Counting>, i64, bool)>,
    pub messages: Vec<Message>,
}

/// Looks at each event of the batches once.
pub fn look(batches: &[Filed], state: &State, now_ms: i64) -> Seen {
    let mut seen = Seen::default();
    for batch in batches {
        if let Some(filters) = state.filters.of(&batch.scope, &batch.group) {
            count(&mut seen, batch, &filters);
            for subscription in &filters.subscriptions {
                seen.messages.extend(messages(batch, subscription));
            }
        }
        embedded(&mut seen.gathered, batch, now_ms);
        state.sessions.see(batch);
    }
    seen
}

fn count(seen: &mut Seen, batch: &Filed, filters: &GroupFilters) {
    for filter in &filters.counting {
        let mut minutes: HashMap<i64, bool> = HashMap::new();
        for (id, message) in batch.events() {
            let at_ms = id.at_ms() - id.at_ms().rem_euclid(MINUTE_MS);
            let counted = filter.count(message);
            if filter.default.is_some() {
                *minutes.entry(at_ms).or_default() |= counted != Counted::Not;
            }
            if let Counted::Value(value, dimensions) = counted {
                let (name, unit, resolution) = (filter.name.clone(), filter.unit, Resolution::Minute);
                let series = Series { name, dimensions, unit, resolution, at_ms };
                seen.gathered.add(&batch.scope, &filter.namespace, series, value);
            }
        }
        let minutes = minutes.into_iter();
        let minutes = minutes.map(|(at_ms, is_taken)| (batch.scope.clone(), filter.clone(), at_ms, is_taken));
        seen.minutes.extend(minutes);
    }
}

fn embedded(gathered: &mut Gathered, batch: &Filed, now_ms: i64) {
    for (id, message) in batch.events() {
        match emf::read(message, now_ms) {
            Ok(metrics) => {
                for metric in metrics {
                    let series = Series {
                        name: metric.name.into(),
                        dimensions: metric.dimensions,
                        unit: metric.unit,
                        resolution: metric.resolution,
                        at_ms: metric.at_ms,
                    };
                    let namespace: Arc<str> = metric.namespace.into();
                    for value in metric.values {
                        gathered.add(&batch.scope, &namespace, series.clone(), value);
                    }
                }
            }
            Err(bad) => gathered.add(&batch.scope, &"AWS/Logs".into(), errors(batch, bad, id.at_ms()), 1.0),
        }
    }
}

/// Source: CloudWatch Logs user guide, "Monitoring with CloudWatch metrics".
fn errors(batch: &Filed, bad: BadDocument, at_ms: i64) -> Series {
    let name = match bad {
        BadDocument::Parsing => "EMFParsingErrors",
        BadDocument::Validation => "EMFValidationErrors",
    };
    Series {
        name: name.into(),
        dimensions: Dimensions::from_iter([("LogGroupName", batch.group.as_ref())]),
        unit: Unit::None,
        resolution: Resolution::Minute,
        at_ms,
    }
}
