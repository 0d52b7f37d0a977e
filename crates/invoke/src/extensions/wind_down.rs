//! How an environment with extensions ends: the runtime is asked to, then the extensions are told, then nobody has time left.
//! Decides only.

use std::time::{Duration, Instant};

/// For everybody, where a process of its own is among the extensions. Source: Lambda developer guide, "Shutdown phase".
const WITH_EXTERNAL: Duration = Duration::from_millis(2000);
/// Of it, the runtime's. Source: AWS's samples of graceful shutdown.
const RUNTIMES_SHARE: Duration = Duration::from_millis(300);
/// Where all extensions are parts of the runtime. Source: as [`WITH_EXTERNAL`].
const INTERNAL_ONLY: Duration = Duration::from_millis(500);

/// Why an environment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Spindown,
    Timeout,
    Failure,
}

impl Reason {
    /// `shutdownReason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Spindown => "spindown",
            Reason::Timeout => "timeout",
            Reason::Failure => "failure",
        }
    }
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// `SIGTERM` to the runtime.
    AskRuntime,
    /// `SIGKILL` to it.
    KillRuntime,
    /// `SHUTDOWN` to the extensions that take it.
    TellExtensions,
    /// Nothing before this moment, unless somebody ends.
    Wait(Instant),
    /// Whoever is left has had its time.
    End,
}

/// An end on its way.
#[derive(Debug)]
pub struct WindDown {
    stage: Stage,
    has_external: bool,
    /// When the runtime must be gone.
    runtime_until: Instant,
    /// When all must be.
    pub until: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Stage {
    Begun,
    RuntimeAsked,
    RuntimeGone,
    ExtensionsTold,
}

impl WindDown {
    pub fn new(now: Instant, has_external: bool) -> WindDown {
        let (runtimes, all) =
            if has_external { (RUNTIMES_SHARE, WITH_EXTERNAL) } else { (INTERNAL_ONLY, INTERNAL_ONLY) };
        WindDown { stage: Stage::Begun, has_external, runtime_until: now + runtimes, until: now + all }
    }

    /// What to do, given who has ended by now. To be asked again until it is to wait or to end.
    pub fn next(&mut self, now: Instant, has_runtime_ended: bool, are_extensions_gone: bool) -> Step {
        if self.stage < Stage::RuntimeGone && has_runtime_ended {
            self.stage = Stage::RuntimeGone;
        }
        match self.stage {
            Stage::Begun => {
                self.stage = Stage::RuntimeAsked;
                Step::AskRuntime
            }
            Stage::RuntimeAsked if now < self.runtime_until => Step::Wait(self.runtime_until),
            Stage::RuntimeAsked if self.has_external => {
                self.stage = Stage::RuntimeGone;
                Step::KillRuntime
            }
            Stage::RuntimeGone if self.has_external => {
                self.stage = Stage::ExtensionsTold;
                Step::TellExtensions
            }
            Stage::ExtensionsTold if !are_extensions_gone && now < self.until => Step::Wait(self.until),
            _ => Step::End,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_the_runtime_then_the_extensions() {
        let now = Instant::now();
        let mut end = WindDown::new(now, true);
        assert_eq!(end.next(now, false, false), Step::AskRuntime);
        assert_eq!(end.next(now, false, false), Step::Wait(now + RUNTIMES_SHARE));
        assert_eq!(end.next(now, true, false), Step::TellExtensions);
        assert_eq!(end.next(now, true, false), Step::Wait(now + WITH_EXTERNAL));
        assert_eq!(end.next(now, true, true), Step::End);
    }

    #[test]
    fn nobody_has_more_than_its_time() {
        let now = Instant::now();
        let mut end = WindDown::new(now, true);
        assert_eq!(end.next(now, false, false), Step::AskRuntime);
        let later = now + RUNTIMES_SHARE;
        assert_eq!(end.next(later, false, false), Step::KillRuntime);
        assert_eq!(end.next(later, false, false), Step::TellExtensions);
        assert_eq!(end.next(later, false, false), Step::Wait(now + WITH_EXTERNAL));
        assert_eq!(end.next(now + WITH_EXTERNAL, false, false), Step::End);
    }

    #[test]
    fn a_runtime_that_is_gone_is_not_asked() {
        let now = Instant::now();
        let mut end = WindDown::new(now, true);
        assert_eq!(end.next(now, true, false), Step::TellExtensions);
        let mut alone = WindDown::new(now, false);
        assert_eq!(alone.next(now, true, true), Step::End);
    }

    #[test]
    fn internal_extensions_alone_have_half_a_second() {
        let now = Instant::now();
        let mut end = WindDown::new(now, false);
        assert_eq!(end.next(now, false, true), Step::AskRuntime);
        assert_eq!(end.next(now, false, true), Step::Wait(now + INTERNAL_ONLY));
        assert_eq!(end.next(now + INTERNAL_ONLY, false, true), Step::End);
    }
}
