//! CloudWatch's metric math, search expressions, Metrics Insights and anomaly detection: parsed and evaluated, no I/O.
//!
//! An [`Expression`] is parsed once; it says which other queries ([`Expression::ids`]), searches ([`Expression::searches`]) and
//! anomaly bands ([`Expression::bands`]) it needs, so that its user can read all data beforehand, and is then evaluated
//! over an [`Environment`] that holds them. A [`Value`] is a number, a [`Series`] or an array of series. [`Insights`] is a query of
//! Metrics Insights: which metrics, how grouped, how ordered.
//!
//! Semantics are those of the CloudWatch user guide, "Using metric math" and "Search expression syntax". Arithmetic on two series
//! has points where both have one; comparisons and logic take a missing point for 0; a result that is no finite number
//! is no point. Texts, nesting, and the points that an evaluation may make are bounded, and each bound has a name.
//!
//! [`anomaly`] is the model behind ANOMALY_DETECTION_BAND: what values are expected of a metric, by its past.
//!
//! Nothing here knows a clock, how metrics are kept, or AWS's protocols.

mod aggregate;
pub mod anomaly;
mod array;
mod calendar;
mod change;
mod condition;
mod error;
mod evaluate;
mod fill;
mod function;
mod insights;
mod kind;
mod operator;
mod parse;
mod search;
mod series;
mod syntax;
mod token;

pub use error::Error;
pub use evaluate::{Environment, POINTS_MAX};
pub use insights::{Aggregation, Insights, RESULTS_MAX};
pub use parse::{EXPRESSION_CHARS_MAX, NESTING_MAX};
pub use search::{Identity, SEARCH_CHARS_MAX, Schema, Search};
pub use series::{Band, Series, Value};
pub use syntax::{BandCall, Expression};

#[cfg(test)]
mod tests;
