//! What the data plane tells about a target.

use pitbird_names::{Scope, VersionId};
use pitbird_records::rollout::{AliasTarget, CanaryUse, Target};
use pitbird_telemetry::tally::{STAGE_BASE, STAGE_CANARY, Subject};

use crate::CountsOf;

/// Whose counts are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LiveTarget {
    /// The stage's two tracks. A failure is an answer with a status of 500 or more.
    RestStage { scope: Scope, api_id: String, stage: String },
    /// Two versions under one alias. A failure is an invocation that ended in an error.
    LambdaAlias { scope: Scope, function: String, alias: String, base: VersionId, canary: VersionId },
}

impl LiveTarget {
    /// Everything that a target consists of: a stage, or each alias.
    pub(crate) fn all(scope: &Scope, target: &Target) -> Vec<LiveTarget> {
        let alias = |target: &AliasTarget| LiveTarget::LambdaAlias {
            scope: scope.clone(),
            function: target.function.clone(),
            alias: target.alias.clone(),
            base: target.base,
            canary: target.canary,
        };
        match target {
            Target::RestStage(target) => {
                let (api_id, stage) = (target.api_id.clone(), target.stage.clone());
                vec![LiveTarget::RestStage { scope: scope.clone(), api_id, stage }]
            }
            Target::LambdaAlias(_) | Target::LambdaAliases(_) => target.aliases().iter().map(alias).collect(),
        }
    }
}

/// What all of them have counted together; nothing where one can't be seen.
pub(crate) fn counts(counts: &CountsOf, targets: &[LiveTarget]) -> Option<Counts> {
    targets.iter().try_fold(Counts::default(), |sum, target| Some(sum.and(counts(target)?)))
}

impl LiveTarget {
    /// Where the data plane finds who counts on it, and the numbers of base and canary there; an alias' versions have
    /// been published, so they have some.
    pub(crate) fn subject(&self) -> (Subject, [u64; 2]) {
        let number = |version: &VersionId| match version {
            VersionId::Number(number) => *number,
            VersionId::Latest => 0,
        };
        match self.clone() {
            LiveTarget::RestStage { api_id, stage, .. } => {
                (Subject::Stage { api_id, stage }, [STAGE_BASE, STAGE_CANARY])
            }
            LiveTarget::LambdaAlias { scope, function, alias, base, canary } => {
                (Subject::Alias { scope, function, alias }, [number(&base), number(&canary)])
            }
        }
    }
}

/// Both arms, counted since the server started. A request belongs to the arm that served it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub base: ArmCounts,
    pub canary: ArmCounts,
    /// What the canary's requests have used.
    pub canary_use: CanaryUse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArmCounts {
    /// Requests that ended.
    pub requests: u64,
    /// Those of them that failed.
    pub failures: u64,
}

impl Counts {
    fn and(self, more: Counts) -> Counts {
        Counts {
            base: self.base.and(more.base),
            canary: self.canary.and(more.canary),
            canary_use: self.canary_use.and(more.canary_use),
        }
    }
}

impl ArmCounts {
    fn and(self, more: ArmCounts) -> ArmCounts {
        ArmCounts { requests: self.requests + more.requests, failures: self.failures + more.failures }
    }
}
