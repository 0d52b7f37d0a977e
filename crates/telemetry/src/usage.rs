//! Usage: how much of what was used in which month (UTC), added up by whom it was used for.
//!
//! Nothing is counted anew: probes take whole numbers along with their measurements ([`Probe::record_used`]), the log writer
//! knows what it files, the metric writer which metrics it gets. All of it meets in the writer's *ledger*, one file of
//! amounts by month, [`Subject`] and quantity. What is there as long as it is there (alarms, stored logs) is told
//! now and then as a [`Level`] and counts by the minute.
//!
//! An amount and the reason why it isn't added again are one transaction. What a caller puts or appends is in it before he is
//! told; what probes have taken since they were last drained, for a second at most, goes if the process is killed.
//!
//! [`Probe::record_used`]: crate::metrics::Probe::record_used

mod ledger;
mod read;

use pitbird_names::Scope;

use crate::metrics::Dimensions;

pub(crate) use ledger::Ledger;
pub(crate) use read::read;

/// Who or what has used something: a version of a function, a stage's track, a log group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    pub scope: Scope,
    pub service: String,
    /// By what it is told from others of its service.
    pub names: Dimensions,
}

/// What a probe counts beside its metrics: whole numbers that only grow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UsageSpec {
    pub subject: Subject,
    /// Names of the numbers that go to the ledger, in the order of those given to
    /// [`Probe::record_used`](crate::metrics::Probe::record_used).
    pub quantities: Vec<String>,
    /// So many more numbers follow that are in the probe's totals only.
    pub totals_only: usize,
    /// Tells apart probes that are alike and shall have totals of their own; else empty.
    pub part: String,
}

impl UsageSpec {
    /// Numbers that one record gives.
    pub fn len(&self) -> usize {
        self.quantities.len() + self.totals_only
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Something that is there, as it stands: it counts `amount` for each minute until the next level is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    pub subject: Subject,
    pub quantity: String,
    pub amount: u64,
}

/// How much a subject has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    pub subject: Subject,
    pub quantity: String,
    pub amount: u64,
}

/// The subject of log groups, and what is counted of them: bytes as CloudWatch counts them, text and 26 for each event.
pub const LOGS: &str = "Logs";
pub const LOG_GROUP: &str = "LogGroup";
/// Bytes that were filed.
pub const INGESTED_BYTES: &str = "IngestedBytes";
/// Bytes that lay there, times minutes.
pub const STORED_BYTE_MINUTES: &str = "StoredByteMinutes";
/// The subject of metrics that callers put, and what is counted: each metric once for each hour in which it got data.
pub const METRICS: &str = "Metrics";
pub const NAMESPACE: &str = "Namespace";
pub const METRIC_HOURS: &str = "MetricHours";
