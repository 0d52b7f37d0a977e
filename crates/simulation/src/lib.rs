//! Releases that never were: seeded traffic through the planner and through its peers' rules.
//!
//! A [`model::Model`] says what traffic does and what is wrong with the canary; [`ours`] lets the real planner
//! decide on it, [`peers`] the rules of other tools as their documents and source give them; [`page`] writes down what
//! came of it. The same seed makes the same page. Nothing here measures anything: peers' metrics arrive at once, and
//! so do ours.
//!
//! `cargo xtask sim` runs it; `tests/goals.rs` runs a small part on every change.

pub mod catalogue;
pub mod draws;
pub mod ending;
pub mod model;
pub mod ours;
pub mod page;
pub mod peers;
pub mod runs;
