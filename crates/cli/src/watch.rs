//! Draws a rollout: a block for a terminal, a line for everything else.
//!
//! [`RolloutView`] is what there is to see, made from the service's answer or by whoever knows it. [`render`] and
//! [`line`] are pure; nothing here asks a server or writes anywhere. Colour never carries a meaning of its own.

mod draw;
mod paint;
mod view;

pub use draw::{line, render};
pub(crate) use draw::{mark, verdict_words};
pub(crate) use paint::{Line, Style, bar};
pub use view::{Arm, Evidence, Progress, RolloutView, Step, Verdict};
pub(crate) use view::{canary, target};

#[cfg(test)]
mod tests;
