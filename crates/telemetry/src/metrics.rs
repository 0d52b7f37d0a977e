//! Metrics: measured, put, kept, listed, read.
//!
//! A *probe* ([`Probe`]) takes the measurements of one exchange or invocation together on the data plane; everything else
//! arrives as a [`Datum`]. Both end as [`Aggregate`]s, one per series and second or minute, in one SQLite file per day.
//! Counts, sums and extremes are exact; what lies between is a [`Sketch`] with at most 1 % relative error.

mod aggregate;
mod cells;
mod custom;
mod datum;
mod identity;
mod list;
mod meter;
mod over_time;
mod probe;
mod query;
mod retention;
mod series;
mod sketch;
mod stat;
mod unit;
mod watch;

pub use aggregate::Aggregate;
pub use custom::{CUSTOM_SERIES_MAX, CustomTotal, CustomTotals};
pub use datum::{Datum, Resolution, Samples};
pub use identity::{Dimensions, Metric};
pub use list::{DimensionFilter, ListQuery, MetricPage};
pub use over_time::{POINTS_PER_READ, ROWS_PER_READ, SeriesQuery};
pub use probe::{Counted, Probe, ProbeSpec, Total};
pub use query::{DATAPOINTS_PER_READ, Datapoint, MetricQuery, aligned_start};
pub use sketch::Sketch;
pub use stat::{Range, Stat, StatError};
pub use unit::Unit;
pub use watch::{Measured, Watch};

pub(crate) use cells::MetricWriter;
pub(crate) use custom::Custom;
pub(crate) use list::{find, list};
pub(crate) use over_time::read_series;
pub(crate) use probe::{Padded, Probes, shard_of_thread, shards};
pub(crate) use query::{read, read_samples};
pub(crate) use watch::Watched;
