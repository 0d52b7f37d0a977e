//! What a rollout gives its target besides a share of the traffic, and takes away again: a stage's tags by which requests choose
//! their release and clients keep it, and environments that are ready before the first request.

use pitbird_names::{Qualifier, Scope};
use pitbird_records::rollout::{AliasTarget, StageTarget, Target};
use pitbird_records::{FunctionVersion, ProvisionedConcurrency, Record, Stage, Texts, key, prefix};
use pitbird_rollout::Check;
use pitbird_rollout::plan::PRE_WARMED;
use pitbird_snapshot::Choice;
use pitbird_store::{Error as StoreError, Transaction};

use super::start::{Extra, Tags};
use crate::{Error, Rollout};

/// A stage's tag that says where requests bring `canary` or `base`.
pub const FORCE: &str = "pitbird:canary-force";

/// A stage's tag that says what keeps a client with its release.
pub const STICKY: &str = "pitbird:canary-sticky";

/// A stage's tag that says which share of the base's requests the canary gets as well.
pub const MIRROR: &str = "pitbird:canary-mirror";

/// Can the stage be given this tag?
pub fn check_force(stage: &Stage, force: Option<&str>) -> Result<(), Error> {
    let Some(force) = force else { return Ok(()) };
    let tag = Texts::from([(FORCE.to_owned(), force.to_owned())]);
    Choice::parse(&tag).map_err(|error| Error::invalid(format!("Force: must be {}.", error.expected)))?;
    if stage.tags.contains_key(FORCE) {
        let words = format!("Force: stage {} has the tag {FORCE} already; leave Force out.", stage.name);
        return Err(Error::invalid(words));
    }
    Ok(())
}

/// Can the stage keep clients by this? What its owner had it do comes back at the end.
pub fn check_sticky(sticky: Option<&str>) -> Result<(), Error> {
    let Some(sticky) = sticky else { return Ok(()) };
    let tag = Texts::from([(STICKY.to_owned(), sticky.to_owned())]);
    let parsed = Choice::parse(&tag);
    parsed.map(|_| ()).map_err(|error| Error::invalid(format!("Sticky: must be {}.", error.expected)))
}

/// Can the stage mirror this share? What its owner had it do comes back at the end.
pub fn check_mirror(mirror: Option<&str>) -> Result<(), Error> {
    let Some(mirror) = mirror else { return Ok(()) };
    let tag = Texts::from([(MIRROR.to_owned(), mirror.to_owned())]);
    match Choice::parse(&tag) {
        Ok(choice) if choice.mirror.get() > 0.0 => Ok(()),
        _ => Err(Error::invalid("Mirror: must be more than 0 and at most 100, a percentage.")),
    }
}

/// Do clients keep their release while it runs, by the rollout's wish or by the stage's own tag?
pub fn keeps_clients(tx: &Transaction<'_>, scope: &Scope, target: &Target) -> Result<bool, StoreError> {
    let Target::RestStage(target) = target else { return Ok(false) };
    let stage = tx.get::<Stage>(&key(scope, &[&target.api_id, &target.stage]))?;
    let has_own = stage.is_some_and(|stage| stage.record.tags.contains_key(STICKY));
    Ok(target.sticky.is_some() || has_own)
}

/// Told with a rollout that keeps clients: what its promise doesn't cover.
pub fn kept(rollout: &Rollout) -> Option<String> {
    let (judged, guardrails) = (rollout.plan.judged(), rollout.plan.guardrails());
    if judged.users {
        let latency = if judged.latency.is_some() { ", latencies" } else { "" };
        let limits = if guardrails.is_empty() { "" } else { ", guardrails" };
        return Some(format!(
            "clients keep their release, and each one's first failure is compared; what counts requests (bound on the \
             harm{latency}{limits}) takes them for independent"
        ));
    }
    // Begun before first failures were counted.
    let is_sticky = matches!(&rollout.target, Target::RestStage(target) if target.sticky.is_some());
    let words = "clients keep their release and requests are counted: what few clients fail counts for more than it says";
    is_sticky.then(|| words.to_owned())
}

pub fn put_tags(stage: &mut Stage, target: &StageTarget) {
    for (name, value, _) in all_tags(target) {
        if let Some(value) = value {
            stage.tags.insert(name.to_owned(), value.clone());
        }
    }
}

/// The name of each, what the rollout sets it to, and what it found.
fn all_tags(target: &StageTarget) -> [(&'static str, &Option<String>, &Option<String>); 3] {
    [
        (FORCE, &target.force, &None),
        (STICKY, &target.sticky, &target.sticky_before),
        (MIRROR, &target.mirror, &target.mirror_before),
    ]
}

/// What a rollout has its stage do.
pub fn tags(target: &StageTarget) -> Tags {
    let StageTarget { force, sticky, mirror, .. } = target;
    Tags { force: force.clone(), sticky: sticky.clone(), mirror: mirror.clone() }
}

/// What was there before is there again. A tag that somebody has changed since is somebody else's.
pub fn take_tags(stage: &mut Stage, target: &StageTarget) {
    for (name, value, before) in all_tags(target) {
        if value.is_none() || stage.tags.get(name) != value.as_ref() {
            continue;
        }
        match before {
            Some(before) => drop(stage.tags.insert(name.to_owned(), before.clone())),
            None => drop(stage.tags.remove(name)),
        }
    }
}

/// Has environments of each canary started, which nothing else may have asked to be kept ready.
pub fn pre_warm(tx: &mut Transaction<'_>, rollout: &Rollout) -> Result<(), Error> {
    rollout.target.aliases().iter().try_for_each(|target| pre_warm_one(tx, rollout, target))
}

fn pre_warm_one(tx: &mut Transaction<'_>, rollout: &Rollout, target: &AliasTarget) -> Result<(), Error> {
    let Some(record) = warmed(rollout, target) else { return Ok(()) };
    let function = &target.function;
    let others = tx.list::<ProvisionedConcurrency>(&prefix(&rollout.scope, &[function]))?;
    let is_taken = |qualifier: &str| others.iter().any(|other| other.record.qualifier == qualifier);
    for qualifier in [&record.qualifier, &target.alias] {
        if is_taken(qualifier) {
            let words = format!(
                "PreWarm: environments of {function}:{qualifier} are kept ready already, by its provisioned concurrency."
            );
            return Err(Error::invalid(words));
        }
    }
    let latest =
        tx.get::<FunctionVersion>(&key(&rollout.scope, &[function, &Qualifier::LATEST.to_string()]))?;
    let settings = latest.and_then(|latest| latest.record.function);
    let all = others.iter().fold(record.requested, |all, other| all.saturating_add(other.record.requested));
    if let Some(reserved) =
        settings.and_then(|function| function.reserved_concurrency).filter(|most| all > *most)
    {
        let words = format!(
            "PreWarm: function {function} would need {all} environments and has reserved {reserved}."
        );
        return Err(Error::invalid(words));
    }
    tx.put(&record)?;
    Ok(())
}

/// They are given back: those at work end what they do.
pub fn let_cool(tx: &mut Transaction<'_>, rollout: &Rollout) -> Result<(), StoreError> {
    for record in rollout.target.aliases().iter().filter_map(|target| warmed(rollout, target)) {
        let found = tx.get::<ProvisionedConcurrency>(&record.key())?;
        // What somebody has asked for since is somebody else's.
        if found.is_some_and(|found| found.record == record) {
            tx.delete::<ProvisionedConcurrency>(&record.key())?;
        }
    }
    Ok(())
}

fn warmed(rollout: &Rollout, target: &AliasTarget) -> Option<ProvisionedConcurrency> {
    Some(ProvisionedConcurrency {
        scope: rollout.scope.clone(),
        function: target.function.clone(),
        qualifier: target.canary.to_string(),
        requested: target.pre_warm?,
        modified_ms: rollout.started_ms as i64,
    })
}

/// How environments stand that are to be ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Warmth {
    pub ready: u32,
    /// The last start has failed.
    pub has_failed: bool,
}

/// Whether so many of each are ready, where the rollout wants any; nothing while they are being started.
pub fn check_warmth(rollout: &Rollout, warmth: impl Fn(&Scope, &str, &Qualifier) -> Warmth) -> Option<Check> {
    let stand = |target: &AliasTarget| {
        let warmth = warmth(&rollout.scope, &target.function, &Qualifier::Version(target.canary));
        target.pre_warm.map(|wanted| (warmth.ready >= wanted, warmth.has_failed))
    };
    let all: Vec<(bool, bool)> = rollout.target.aliases().iter().filter_map(stand).collect();
    let is_ready = all.iter().all(|(is_ready, _)| *is_ready);
    let has_failed = all.iter().any(|(is_ready, has_failed)| !is_ready && *has_failed);
    let check = |passed| Check { name: PRE_WARMED.to_owned(), passed };
    (!all.is_empty() && (is_ready || has_failed)).then(|| check(is_ready))
}

/// What callers get to see of it.
pub fn shown(target: &Target) -> Extra {
    match target {
        Target::RestStage(target) => Extra { pre_warm: None, tags: tags(target) },
        aliases => Extra {
            pre_warm: aliases.aliases().first().and_then(|alias| alias.pre_warm),
            tags: Tags::default(),
        },
    }
}
