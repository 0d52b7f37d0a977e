//! One deployment's loop: look, write down, ask hooks, wait.

use std::sync::Arc;
use std::time::Duration;

use pitbird_names::{FunctionRef, Qualifier, Scope, VersionId, arn};
use pitbird_records::function_deployment::{EventStatus, FunctionDeployment, HookRun};
use pitbird_records::{
    Alias, DeployGroup, FunctionVersion, ProvisionedConcurrency, Record, TrafficRouting, key, prefix,
};
use pitbird_store::{Store, Versioned};
use serde_json::json;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::commit::{self, Lost, Revs};
use crate::turn::{self, Draws, RoleStanding, Turn, World};
use crate::{Ask, Error, HookCall, Parts, role};

/// How often a look is taken again at once because somebody else wrote meanwhile.
const ATTEMPTS_MAX: usize = 8;
/// After a look failed, so long until the next, milliseconds.
const RETRY_MS: u64 = 200;

/// Drives one deployment to its end.
pub struct Driver {
    parts: Arc<Parts>,
    deployment: String,
    bell: Arc<Notify>,
    /// The execution id of the hook that this driver has asked.
    asked: Option<String>,
    /// Functions that were asked and haven't ended, and why they failed if they did.
    hooks: JoinSet<(String, Result<(), String>)>,
    /// The execution id of a hook that could not answer, and why.
    broken: Option<(String, String)>,
}

impl Driver {
    pub fn new(parts: Arc<Parts>, deployment: String, bell: Arc<Notify>) -> Driver {
        Driver { parts, deployment, bell, asked: None, hooks: JoinSet::new(), broken: None }
    }

    /// Looks at once, then whenever it is time or the bell rings, until the deployment has ended or `stopping` says so.
    /// The key of the deployment that rolls this one back, if there is one.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) -> Option<String> {
        loop {
            let next_ms = match self.attempt().await {
                Ok(Some(Looked { next_ms: Some(next_ms), .. })) => next_ms,
                Ok(Some(Looked { rollback, .. })) => return rollback,
                Ok(None) => return None,
                Err(error) => {
                    tracing::warn!(deployment = self.deployment, %error, "a deployment could not look; it tries again");
                    (self.parts.clock)() + RETRY_MS
                }
            };
            let wait = Duration::from_millis(next_ms.saturating_sub((self.parts.clock)()));
            // Answers and orders ring; that an interval is over only the clock tells.
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => return None,
                Some(ended) = self.hooks.join_next() => self.note(ended),
                () = self.bell.notified() => {}
                () = tokio::time::sleep_until(Instant::now() + wait) => {}
            }
        }
    }

    /// A function that ended well has answered, or has its hour.
    fn note(&mut self, ended: Result<(String, Result<(), String>), tokio::task::JoinError>) {
        match ended {
            Ok((execution_id, Err(why))) => self.broken = Some((execution_id, why)),
            Ok((_, Ok(()))) => {}
            Err(_) => {
                let broken = |execution_id| (execution_id, "the invocation broke down".to_owned());
                self.broken = self.asked.clone().map(broken);
            }
        }
    }

    /// Looks, again where somebody else wrote deployment or alias meanwhile. None when the deployment is gone.
    async fn attempt(&mut self) -> Result<Option<Looked>, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let found: Option<Versioned<FunctionDeployment>> = self.parts.store.get(&self.deployment)?;
            let Some(Versioned { rev, record: before }) = found else { return Ok(None) };
            let seen = self.see(&before)?;
            let turn = turn::take(&before, &seen.world);
            if turn.deployment != before {
                let revs = Revs { deployment: rev, alias: seen.alias_rev };
                let (draw, written) = ((self.parts.entropy)(), turn.clone());
                let write = self.parts.store.write(move |tx| commit::turn(tx, &written, revs, draw));
                match write.await {
                    Ok(()) => tell_end(&turn),
                    Err(Lost::Stale) => continue,
                    Err(Lost::Store(error)) => return Err(error.into()),
                }
            }
            self.ask_hook(&turn.deployment);
            // A deployment that somebody stopped has left its rollback to whoever stopped it.
            let rollback = turn.rollback.as_ref().map(Record::key);
            return Ok(Some(Looked { next_ms: turn.next_ms, rollback }));
        }
        // Whoever writes all the time will stop at some time.
        Ok(Some(Looked { next_ms: Some((self.parts.clock)() + RETRY_MS), rollback: None }))
    }

    /// Asks the function that is to be asked, unless this driver has.
    fn ask_hook(&mut self, deployment: &FunctionDeployment) {
        let Some(run) = waiting(deployment) else { return };
        if self.asked.as_ref() == Some(&run.execution_id) {
            return;
        }
        self.asked = Some(run.execution_id.clone());
        let event = json!({
            "DeploymentId": deployment.id,
            "LifecycleEventHookExecutionId": run.execution_id,
        });
        let (scope, function) = (deployment.scope.clone(), run.function.clone());
        let invoked = (self.parts.invoke_hook)(HookCall { scope, function, event: event.to_string() });
        let execution_id = run.execution_id.clone();
        self.hooks.spawn(async move { (execution_id, invoked.await) });
    }

    fn see(&self, deployment: &FunctionDeployment) -> Result<Seen, Error> {
        let Parts { store, clock, entropy, alarms, .. } = &*self.parts;
        let FunctionDeployment { scope, shift, application_id, group, .. } = deployment;
        let alias: Option<Versioned<Alias>> = store.get(&key(scope, &[&shift.function, &shift.alias]))?;
        let version = |version: VersionId| {
            let version = key(scope, &[&shift.function, &version.to_string()]);
            store.get::<FunctionVersion>(&version).map(|found| found.map(|found| found.record))
        };
        let (current, target) = (version(shift.current)?, version(shift.target)?);
        let has_group = store.get::<DeployGroup>(&key(scope, &[application_id, group]))?;
        let watched = deployment.alarms.as_ref().filter(|alarms| alarms.is_enabled);
        let hook_failure = waiting(deployment).and_then(|run| {
            let broken = self.broken.as_ref().filter(|(execution_id, _)| *execution_id == run.execution_id);
            broken.map(|(_, why)| why.clone())
        });
        let world = World {
            now_ms: clock(),
            obstacle: obstacle(store, deployment, current.as_ref().zip(target.as_ref()))?,
            has_current: current.is_some(),
            has_target: target.is_some(),
            has_group: has_group.is_some_and(|found| found.record.id == deployment.group_id),
            role: standing(&self.parts, store, deployment)?,
            alarms: watched.map(|watched| alarms(scope, &watched.names)).unwrap_or_default(),
            hook_failure,
            draws: Draws { rollback: entropy(), revision: entropy(), execution: entropy() },
            alias: alias.as_ref().map(|found| found.record.clone()),
        };
        Ok(Seen { world, alias_rev: alias.map(|found| found.rev) })
    }
}

/// What a look led to.
struct Looked {
    /// When to look again, epoch milliseconds; none after the end.
    next_ms: Option<u64>,
    rollback: Option<String>,
}

struct Seen {
    world: World,
    alias_rev: Option<u64>,
}

/// The hook that hasn't answered.
fn waiting(deployment: &FunctionDeployment) -> Option<&HookRun> {
    let on = deployment.events.iter().filter(|event| event.status == EventStatus::InProgress);
    on.filter_map(|event| event.hook.as_ref()).find(|run| run.answer.is_none())
}

fn tell_end(turn: &Turn) {
    let deployment = &turn.deployment;
    if deployment.has_ended() {
        let why = deployment.error.as_ref().map(|error| error.message.as_str()).unwrap_or_default();
        tracing::info!(
            deployment = deployment.id,
            status = deployment.status.as_str(),
            why,
            "deployment ended"
        );
    }
}

/// What Lambda holds against the alias leading to the versions: see its UpdateAlias.
fn obstacle(
    store: &Store,
    deployment: &FunctionDeployment,
    versions: Option<(&FunctionVersion, &FunctionVersion)>,
) -> Result<Option<String>, Error> {
    let FunctionDeployment { scope, shift, routing, .. } = deployment;
    if let Some((current, target)) = versions
        && *routing != TrafficRouting::AllAtOnce
        && current.settings.role != target.settings.role
    {
        return Ok(Some(format!(
            "Alias can't point to versions with different execution roles: {} and {}",
            shift.current, shift.target
        )));
    }
    let kept = store.list::<ProvisionedConcurrency>(&prefix(scope, &[&shift.function]))?;
    let is_kept = |qualifier: &str| kept.iter().any(|found| found.record.qualifier == qualifier);
    let target = shift.target.to_string();
    Ok((is_kept(&shift.alias) && is_kept(&target)).then(|| {
        format!("Both the alias {} and version {target} have provisioned concurrency.", shift.alias)
    }))
}

/// May the role do what the deployment needs?
fn standing(parts: &Parts, store: &Store, deployment: &FunctionDeployment) -> Result<RoleStanding, Error> {
    let FunctionDeployment { scope, service_role, shift, hooks, .. } = deployment;
    if !role::stands(store, scope, service_role)? {
        return Ok(RoleStanding::Missing);
    }
    let may = |action: &str, resources: &[String]| {
        (parts.may)(&Ask { scope, role: service_role, action, resources })
    };
    let alias = Qualifier::Alias(shift.alias.clone());
    let function =
        [arn::function(scope, &shift.function, None), arn::function(scope, &shift.function, Some(&alias))];
    let invoke = |hook: &Option<String>| match hook {
        Some(hook) => may("lambda:InvokeFunction", &hook_arns(scope, hook)),
        None => true,
    };
    Ok(RoleStanding::There {
        may_shift: may("lambda:GetAlias", &function) && may("lambda:UpdateAlias", &function),
        may_see_alarms: may("cloudwatch:DescribeAlarms", &[]),
        may_invoke: [invoke(&hooks.before), invoke(&hooks.after)],
    })
}

fn hook_arns(scope: &Scope, hook: &str) -> Vec<String> {
    let Ok(named) = FunctionRef::parse(hook) else { return Vec::new() };
    let own = named.scope(scope);
    let whole = arn::function(&own, &named.name, None);
    let qualified = named.qualifier.map(|qualifier| arn::function(&own, &named.name, Some(&qualifier)));
    qualified.into_iter().chain([whole]).collect()
}
