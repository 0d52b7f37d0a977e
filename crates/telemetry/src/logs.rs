//! Logs: streams and their events.
//!
//! Lines of the data plane go into buffers ([`LogStream`]) and are filed a few times a second; what a caller appends is
//! filed before it is told so. Events lie in compressed *blocks* of one stream and one hour, in one SQLite file per day of
//! the events' own time. An event's place in the order is its time and a number that only rises ([`EventId`]).

mod append;
mod block;
mod catalogue;
mod compact;
mod event;
mod filter;
mod get;
mod lines;
mod page;
mod pattern;
mod record;
mod retention;
mod scan;
mod streams;
mod walk;

pub use event::{EventId, LogEvent, NewEvent};
pub use filter::{FilterPage, FilterQuery, FilteredEvent, StreamChoice};
pub use get::{EventPage, GetQuery, ReadFrom};
pub use lines::{LINE_BYTES, LogStream, Spread};
pub use page::{EVENTS_PER_PAGE, PAGE_BYTES};
pub use pattern::{Pattern, PatternError};
pub use record::{EventPointer, Record};
pub use retention::GroupRetention;
pub use scan::{Flow, ScanProgress, ScanQuery, ScannedEvent, Visit};
pub use streams::{GroupSummary, StreamOrder, StreamPage, StreamQuery, StreamSummary};

pub(crate) use append::LogWriter;
pub(crate) use catalogue::StreamName;
pub(crate) use filter::filter;
pub(crate) use get::get;
pub(crate) use lines::{Intake, Lines};
pub(crate) use record::record;
pub(crate) use scan::scan;
pub(crate) use streams::{groups, streams};
