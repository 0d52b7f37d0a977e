//! Anomaly detection: which models there are, and what they have learnt.
//!
//! A model is a record, set by callers or with an alarm on a band; `detector` says what may be set. What it has learnt is a function
//! of its metric's past (metricmath's `anomaly`), isn't kept durably, and is learnt anew now and then when somebody
//! needs it (`models`).

mod detector;
mod models;

pub use detector::{Statistic, Target, delete, of_plan, put, put_missing, settings};
pub use models::{Models, models, train_missing};
