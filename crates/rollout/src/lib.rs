//! Plans releases: given a rollout, the evidence, alarms, commands and the time, what is the next step?
//!
//! Everything is data. A [`Plan`] is written once and never changes; a [`State`] is what has become of it; [`Evidence`]
//! is what was seen since the last look. [`next`] turns them into the next state, a [`Step`] that leaves nothing to
//! choose, and a [`Record`] with the numbers the decision rested on. Nothing here touches a clock, a target or a file.
//!
//! # The executor's part
//!
//! 1. Write the new state and the record down.
//! 2. Do [`State::step`]. It may be done twice; a target that has seen a higher generation refuses a lower one.
//! 3. When it is done, say so with [`applied`]; when the target can never do it, with [`refused`]. A passing fault needs
//!    no word: try again.
//! 4. Go on calling [`next`] every `interval_ms`, also while a step is being done: evidence against the canary
//!    supersedes whatever is under way.
//!
//! After a crash: read the state, do its step, say that it is done, go on. Roll back means: the base takes everything, as
//! it was before the rollout began, also when a promotion of a lower generation may have been done already.
//!
//! # What it promises
//!
//! - No promotion, and no shift to 100 %, before the evidence shows the canary not worse by the margin, except by a
//!   [`Action::Promote`] command, which names who and why.
//! - Every look checks for a rollback first: while waiting, shifting, paused or promoting.
//! - Too little traffic is never a reason to roll back early. It holds, and at the plan's longest duration the rollout
//!   ends inconclusive, on base.
//! - The same plan and the same inputs make the same states and records, to the byte: see [`replay`].
//!
//! - With a [`Ramp`]: with the chance that the plan promotes by, no time between two looks is expected to see more
//!   failures beyond the base's than the plan allows.
//! - A gate is passed after an [`Action::Resume`] given while it is all that is waited for, never by itself; nobody opening it
//!   in time ends inconclusive.
//! - Evidence that stops coming holds, wherever the rollout is. It never promotes.
//!
//! # What the executor feeds
//!
//! [`Evidence::buckets`] always. [`Evidence::latency`] where the plan judges latency, [`Evidence::routes`] where it names
//! routes, [`Evidence::ceilings`] where a guardrail limits it: without them such a plan holds and ends inconclusive. Buckets from before the first shift (at 0 %) let a
//! ramp begin with the traffic in mind. [`Evidence::pairs`] where the plan judges them, at any weight. [`Evidence::is_blind`] where counts could not be read.
//!
//! # Hooks
//!
//! [`State::question`] is to be asked as soon as it is due, and its answer goes into [`Evidence::hooks`]. It may be asked twice; an
//! answer to a question that is no longer open changes nothing. After the end go on until [`State::is_over`].

mod course;
mod decide;
mod evidence;
pub mod hook;
pub mod notice;
mod outcome;
pub mod plan;
mod reason;
mod record;
mod state;

pub use decide::{
    BLOCK_MS_MAX, GuardrailFindings, HookAnswer, HookWord, MOVES_MAX, QUESTIONS_MAX, Question, RETURNS_MAX,
    Turn, applied, begin, next, refused,
};
pub use evidence::{
    Action, Alarm, AlarmState, Check, Command, Evidence, Input, Note, Observed, ObservedCeiling,
    ObservedFirsts, ObservedLatency, ObservedRoute,
};
pub use outcome::{Because, Outcome};
pub use plan::{
    Guardrail, Guardrails, Hook, HookPoint, Judged, Latency, LatencyCeiling, Patience, Plan, Ramp, RampStep,
    Rules, Target, TargetKind, WhenBlind, Whom,
};
pub use reason::Reason;
pub use record::{Decision, Divergence, Numbers, PairNumbers, Record, replay};
pub use state::{HISTORY_MAX, Phase, State, Step};
