use std::fmt;

/// A log event as a query meets it.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// `{account}:{log group}`.
    pub log: &'a str,
    pub stream: &'a str,
    /// When it happened, milliseconds since 1970.
    pub at_ms: i64,
    /// When it came, milliseconds since 1970.
    pub ingested_ms: i64,
    /// Unique among all events of a query; rises with time and then with arrival.
    pub id: u128,
    /// Where it lies: what `@ptr` says. Written only for rows that are kept.
    pub pointer: &'a dyn fmt::Display,
    pub message: &'a str,
}
