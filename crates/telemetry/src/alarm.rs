//! Alarms: arithmetic on datapoints.
//!
//! Given a rule, the state it is in, the datapoints of its window and the time, what is the state and why? No clock, no
//! file, no memory: who keeps alarms asks for [`Rule::query`], reads it, hands [`points`] to [`evaluate`] once a minute
//! (every ten seconds for periods below one), and keeps the outcome when the state has changed. Alarms on other alarms are [`Expression`]s over these.

mod evaluate;
mod expression;
mod number;
mod reason;
mod rule;
mod window;

pub use evaluate::{Outcome, evaluate, evaluate_from};
pub use expression::{Expression, ExpressionError};
pub use number::{long_date, precise};
pub use rule::{Band, Comparison, LowSamples, MissingData, Outside, Rule, State, Threshold};
pub use window::{Point, Window, points};
