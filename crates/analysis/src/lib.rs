//! Statistics that stay valid under continuous watching: is the canary worse, not worse, or not known yet?
//!
//! The method is *canary-eproc v1*. Every test here is an e-process: a number that starts at 1 and, while the null
//! hypothesis holds, is expected never to grow. It may be looked at after every request, forever; the chance that it
//! ever reaches `1/alpha` under the null is at most `alpha`. All arithmetic is on logarithms.
//!
//! Evidence comes in [`Bucket`]s: what canary and base saw while the traffic weight stayed the same. A bucket may be
//! one request; it never straddles a weight change.
//!
//! | module | question |
//! |---|---|
//! | [`release`] | all of it together: start here |
//! | [`judge`] | the error rate |
//! | [`latency`] | is the canary slower, in the body or in the tail? |
//! | [`routes`] | the same per route, and which it was |
//! | [`cluster`] | what to count where requests depend on each other |
//! | [`pairs`] | the error rate, by requests that both arms answered |
//! | [`share`] | do events fall on the canary more often than its share of traffic? (kernel K1; also the split check) |
//! | [`restart`] | the same, for a regression that begins late |
//! | [`broken`] | is the canary broken altogether? |
//! | [`harm`] | how much worse can the canary be at most? (kernel K2) |
//! | [`two_by_two`] | are slow requests more frequent on the canary? (kernel K3) |
//! | [`bands`] | the same of all thresholds at once |
//! | [`excess`] | does the canary look worse? An estimate, no test |
//! | [`guard`] | is one arm alone over its error budget? |
//! | [`ceiling`] | the same for a limit that convicts: has the canary more errors, or slow requests, than it may? |
//! | [`ratio`], [`interval`], [`dkw`] | intervals for reports |
//!
//! Nothing here knows a clock, a metric's name or a rollout. No input makes a NaN or a panic. State serialises with
//! every bit kept, so that a judgement can go on after a crash as if nothing had happened.

pub mod bands;
pub mod broken;
mod bucket;
pub mod ceiling;
pub mod cluster;
pub mod dkw;
#[cfg(test)]
mod enumeration;
mod exact;
pub mod excess;
mod grid;
pub mod guard;
pub mod harm;
pub mod interval;
pub mod judge;
pub mod latency;
mod log_space;
pub mod pairs;
mod projection;
pub mod ratio;
#[cfg(test)]
mod reference_vectors;
pub mod release;
pub mod restart;
pub mod routes;
pub mod share;
pub mod two_by_two;

pub use bands::Bands;
pub use broken::BrokenTest;
pub use bucket::{Arm, Bucket, MoreEventsThanRequests};
pub use ceiling::Ceiling;
pub use cluster::Firsts;
pub use excess::Excess;
pub use guard::SloGuard;
pub use harm::HarmBound;
pub use interval::Interval;
pub use judge::{ErrorJudge, Findings, Judgement, Thresholds, Verdict};
pub use latency::{LatencyFindings, LatencyJudge, LatencyMargins, Slow, Timed};
pub use log_space::{combine, threshold};
pub use pairs::{PairFindings, PairJudge, Pairs};
pub use ratio::RatioSequence;
pub use release::{Culprit, Release};
pub use restart::Restarting;
pub use routes::{Metric, RouteBucket, RouteJudge};
pub use share::ShareTest;
pub use two_by_two::TwoByTwo;
