//! What a rollout changes, and how: pure, but for [`View::read`] and [`View::write`].

pub mod alias;
pub mod extra;
pub mod routes;
pub mod stage;
pub mod start;

use pitbird_names::{Percent, Scope};
use pitbird_records::rollout::{AliasTarget, Change, StageTarget, Target};
use pitbird_records::{Deployment, Record, Stage, key};
use pitbird_store::{Error, Store, Transaction, Versioned};

/// A target as it is now, or as it is to be.
#[derive(Debug, Clone)]
pub enum View {
    RestStage {
        target: Box<StageTarget>,
        stage: Option<Box<Versioned<Stage>>>,
        canary_exists: bool,
    },
    /// One alias, or several that are moved together.
    LambdaAliases(Vec<alias::View>),
}

/// What a change may need besides the target.
#[derive(Debug, Clone, Copy)]
pub struct Around {
    pub now_ms: u64,
    pub entropy: u128,
}

/// Did the change's revision still hold?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Yes,
    /// Somebody was faster; nothing may be kept.
    Stale,
}

impl View {
    pub fn read(store: &Store, scope: &Scope, target: &Target) -> Result<View, Error> {
        match target.clone() {
            Target::RestStage(target) => {
                let stage = store.get(&key(scope, &[&target.api_id, &target.stage]))?.map(Box::new);
                let canary = key(scope, &[&target.api_id, &target.canary]);
                let canary_exists = store.get::<Deployment>(&canary)?.is_some();
                Ok(View::RestStage { target, stage, canary_exists })
            }
            target @ (Target::LambdaAlias(_) | Target::LambdaAliases(_)) => {
                let view = |target: &AliasTarget| alias::View::read(store, scope, target.clone());
                Ok(View::LambdaAliases(target.aliases().iter().map(view).collect::<Result<_, _>>()?))
            }
        }
    }

    /// How the target differs from what the rollout made of it, `weight` being the canary's share that it last set;
    /// none where it is as expected.
    pub fn strayed(&self, weight: Percent) -> Option<String> {
        match self {
            View::RestStage { target, stage: Some(stage), .. } => {
                stage::strayed(&stage.record, target, weight)
            }
            View::RestStage { target, stage: None, .. } => {
                Some(format!("stage {} was deleted", target.stage))
            }
            View::LambdaAliases(aliases) => {
                let strayed =
                    |view: &alias::View| Some((view.target.function.clone(), view.strayed(weight)?));
                let (function, words) = aliases.iter().find_map(strayed)?;
                Some(if aliases.len() > 1 { format!("{words} (function {function})") } else { words })
            }
        }
    }

    /// The target after a change, or why it can't be made. `weight` is as for [`View::strayed`], `percent` the share
    /// that the canary gets by a shift.
    pub fn change(
        &self,
        change: Change,
        percent: Percent,
        weight: Percent,
        around: Around,
    ) -> Result<View, String> {
        let strayed = self.strayed(weight);
        let mut view = self.clone();
        let may_change = match (&mut view, change) {
            // Of several those that are as expected go back, whatever has become of the others.
            (View::LambdaAliases(aliases), Change::RollBack) => {
                aliases.retain(|alias| alias.strayed(weight).is_none());
                !aliases.is_empty()
            }
            _ => strayed.is_none(),
        };
        if let Some(words) = strayed.filter(|_| !may_change) {
            return Err(format!("{words}; somebody else changed it, so it is left as it is"));
        }
        match &mut view {
            View::RestStage { target, stage: Some(stage), canary_exists } => {
                if change != Change::RollBack && !*canary_exists {
                    return Err(format!("deployment {} was deleted", target.canary));
                }
                stage.record.updated_ms = around.now_ms as i64;
                match change {
                    Change::Shift => stage::shift(&mut stage.record, target, percent),
                    Change::Promote => stage::promote(&mut stage.record, target)?,
                    Change::RollBack => stage::roll_back(&mut stage.record, target),
                }
            }
            View::LambdaAliases(aliases) => {
                for (alias, number) in aliases.iter_mut().zip(0_u128..) {
                    alias.change(change, percent, around.entropy.wrapping_add(number))?;
                }
            }
            View::RestStage { stage: None, .. } => {}
        }
        Ok(view)
    }

    /// Writes the target if nobody has written it since it was read, and if what it serves is there.
    pub fn write(&self, tx: &mut Transaction<'_>) -> Result<Written, Error> {
        match self {
            View::RestStage { stage: Some(stage), .. } => {
                let record = &stage.record;
                let canary = record.canary.iter().map(|canary| &canary.deployment_id);
                for deployment in canary.chain([&record.deployment_id]) {
                    if !tx.exists::<Deployment>(&key(&record.scope, &[&record.api_id, deployment]))? {
                        return Ok(Written::Stale);
                    }
                }
                put(tx, record, stage.rev)
            }
            View::LambdaAliases(aliases) => {
                for alias in aliases {
                    if alias.write(tx)? == Written::Stale {
                        return Ok(Written::Stale);
                    }
                }
                Ok(Written::Yes)
            }
            View::RestStage { stage: None, .. } => Ok(Written::Stale),
        }
    }
}

/// Compare and set.
pub fn put<R: Record>(tx: &mut Transaction<'_>, record: &R, rev: u64) -> Result<Written, Error> {
    match tx.put_if(record, rev) {
        Ok(_) => Ok(Written::Yes),
        Err(Error::Conflict(_)) => Ok(Written::Stale),
        Err(error) => Err(error),
    }
}

/// Are two shares the same, but for what their way through a file may have cost?
fn is_same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}
