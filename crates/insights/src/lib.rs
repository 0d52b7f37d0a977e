//! CloudWatch Logs Insights' query language: compiled once, run over events one by one.
//!
//! [`Query::compile`] reads a query and resolves its names to slots. A [`Worker`] takes events and keeps only what the
//! query needs of them: the rows that come first, groups with their accumulators, patterns. Workers merge, so that parts
//! of the events can be looked at beside each other; [`Worker::finish`] does what needs all of them and answers rows. What
//! [`Query::needles`] tells lets a reader leave out blocks of events that can't match.
//!
//! Numbers: a value is text until a number is needed; comparisons are of numbers if both sides are. `count_distinct`
//! and `pct` are exact up to [`DISTINCT_EXACT_MAX`] and [`SAMPLES_EXACT_MAX`] values of a group and sketches beyond.
//! What a worker may keep is bounded by [`Options::bytes_max`]. Regular expressions run in linear time; look-around and
//! back-references are refused by name, and so are the commands and functions of AWS that aren't here.
//!
//! No I/O, no clock, no service. Start at [`Query`].

mod aggregate;
mod baseline;
mod error;
mod event;
mod field;
mod function;
mod json;
mod matcher;
mod node;
mod parse;
mod plan;
mod run;
mod syntax;
mod time;
mod token;
mod value;

pub use aggregate::{DISTINCT_EXACT_MAX, SAMPLES_EXACT_MAX};
pub use error::{CompileError, RunError};
pub use event::Event;
pub use json::{JSON_FIELDS_MAX, fields as json_fields};
pub use parse::QUERY_CHARS_MAX;
pub use plan::{Options, Query, ROWS_MAX};
pub use run::{Answer, Row, Worker};

/// The fields that an event has beside those in its message, with their values: `@timestamp`, `@message` and so on, and
/// what is found in Lambda's lines. Times are milliseconds since 1970. Source: GetLogRecord.
pub fn system_fields(event: &Event<'_>) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("@timestamp", event.at_ms.to_string()),
        ("@message", event.message.to_owned()),
        ("@logStream", event.stream.to_owned()),
        ("@log", event.log.to_owned()),
        ("@ingestionTime", event.ingested_ms.to_string()),
        ("@ptr", event.pointer.to_string()),
    ];
    for (name, field) in field::LAMBDA_FIELDS {
        let value = field::Source::Lambda(*field).read(event);
        fields.extend(value.map(|value| (*name, value.text().into_owned())));
    }
    fields
}

#[cfg(test)]
mod tests;
