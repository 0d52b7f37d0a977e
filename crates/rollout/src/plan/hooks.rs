//! Who is asked whether a rollout may go on, and when.

use pitbird_names::Percent;
use serde::{Deserialize, Serialize};

use super::{Error, NAME_BYTES_MAX, RampStep, WAIT_MS_MAX, range};

/// Hooks of one plan at most.
pub const HOOKS_MAX: usize = 8;
/// A function's name or a URL at most, bytes.
pub const WHOM_BYTES_MAX: usize = 1024;

/// A function or a URL that is asked, and answers go, stop or not yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    pub name: String,
    pub point: HookPoint,
    /// At this step of the ramp alone; absent: at every step. Goes with the points of steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
    pub whom: Whom,
    #[serde(default)]
    pub patience: Patience,
}

/// When a hook is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookPoint {
    /// Before anything moves.
    BeforeRollout,
    /// Before a step's weight is given.
    BeforeStep,
    /// When a step could be left.
    AfterStep,
    /// When the canary could become the base.
    BeforePromotion,
    /// Once it has ended, however it did. The answer changes nothing any more.
    AfterRollout,
}

/// The executor's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    Function(String),
    Url(String),
}

/// How long a hook is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patience {
    /// One call, ms.
    pub timeout_ms: u64,
    /// Calls in a row that may fail before the question is given up.
    pub attempts: u32,
    /// After a call that failed or was answered with not yet, so long until the next, ms.
    pub interval_ms: u64,
    /// From the first call on, with all calls: how long it may take until the answer is go or stop, ms.
    pub wait_ms: u64,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { timeout_ms: 10_000, attempts: 3, interval_ms: 10_000, wait_ms: 600_000 }
    }
}

impl HookPoint {
    pub const ALL: [HookPoint; 5] = [
        HookPoint::BeforeRollout,
        HookPoint::BeforeStep,
        HookPoint::AfterStep,
        HookPoint::BeforePromotion,
        HookPoint::AfterRollout,
    ];

    pub fn is_of_steps(self) -> bool {
        matches!(self, HookPoint::BeforeStep | HookPoint::AfterStep)
    }

    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            HookPoint::BeforeRollout => "before anything moves",
            HookPoint::BeforeStep => "before a step",
            HookPoint::AfterStep => "after a step",
            HookPoint::BeforePromotion => "before the promotion",
            HookPoint::AfterRollout => "after the end",
        }
    }
}

impl Whom {
    pub fn as_str(&self) -> &str {
        match self {
            Whom::Function(whom) | Whom::Url(whom) => whom,
        }
    }
}

impl Hook {
    /// Is it asked at this point of this step?
    pub(crate) fn is_at(&self, point: HookPoint, percent: Percent) -> bool {
        self.point == point && self.percent.is_none_or(|own| own == percent)
    }
}

pub(super) fn check(hooks: &[Hook], steps: &[RampStep]) -> Result<(), Error> {
    if hooks.len() > HOOKS_MAX {
        return Err(Error::TooMany { name: "hooks", count: hooks.len(), max: HOOKS_MAX });
    }
    for (at, hook) in hooks.iter().enumerate() {
        let name = &hook.name;
        let is_twice = hooks[..at].iter().any(|other| other.name == *name);
        if name.is_empty() || name.len() > NAME_BYTES_MAX || is_twice {
            return Err(Error::Name { name: "hooks", text: name.clone() });
        }
        if !(1..=WHOM_BYTES_MAX).contains(&hook.whom.as_str().len()) {
            return Err(Error::HookWhom { hook: name.clone() });
        }
        if let Some(percent) = hook.percent {
            let is_step = steps.iter().any(|step| step.percent == percent);
            if !hook.point.is_of_steps() || !is_step {
                return Err(Error::HookPercent { hook: name.clone(), percent: percent.get() });
            }
        }
        let Patience { timeout_ms, attempts, interval_ms, wait_ms } = hook.patience;
        for (name, value, low, high) in [
            ("hooks.timeout_ms", timeout_ms, 100, 900_000),
            ("hooks.attempts", attempts.into(), 1, 10),
            ("hooks.interval_ms", interval_ms, 100, 3_600_000),
            ("hooks.wait_ms", wait_ms, 1_000, WAIT_MS_MAX),
        ] {
            range(name, value as f64, low as f64, high as f64)?;
        }
    }
    Ok(())
}
