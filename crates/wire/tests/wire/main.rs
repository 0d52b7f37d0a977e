//! The wire as a whole: models, protocols, hostile bytes.

#![allow(clippy::unwrap_used, reason = "clippy knows tests, not what helps them")]

mod buckets;
mod check;
mod faults;
mod hostile;
mod models;
mod sample;
mod values;
mod vectors;
