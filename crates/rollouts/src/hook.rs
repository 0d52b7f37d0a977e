//! Hooks: as callers give them, and as they are called. Pure, but for [`check`], which looks for the functions.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use pitbird_names::{FunctionRef, Qualifier, Scope, VersionId};
use pitbird_records::rollout::{AliasTarget, Target};
use pitbird_records::{Alias, FunctionVersion, key};
use pitbird_rollout::hook::{ANSWER_BYTES_MAX, Around, Event, signature};
use pitbird_rollout::{Hook, Question, Whom};
use pitbird_store::Transaction;

use crate::{Error, Rollout, shape};

/// One call of a hook.
#[derive(Debug, Clone)]
pub struct HookCall {
    pub scope: Scope,
    /// A function by its name or ARN, perhaps with a qualifier, or a URL.
    pub whom: Whom,
    /// JSON.
    pub body: String,
    /// For a URL with a secret: as for [`crate::Notice`].
    pub signature: Option<String>,
    /// An answer that is longer is none.
    pub answer_bytes_max: usize,
}

/// The answer's bytes; an error says why there is none.
pub type Asked = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;

/// Hooks as a caller gives them, with the secrets that don't belong into a plan, by the hooks' names.
pub fn parse(given: &[shape::Hook]) -> Result<(Vec<Hook>, BTreeMap<String, String>), Error> {
    let hooks = given.iter().map(shape::Hook::parse).collect::<Result<_, _>>()?;
    let secret = |hook: &shape::Hook| Some((hook.name.clone(), hook.secret.clone()?));
    Ok((hooks, given.iter().filter_map(secret).collect()))
}

/// A misspelt function would end the rollout inconclusive, perhaps hours later.
pub fn check(tx: &Transaction<'_>, scope: &Scope, hooks: &[Hook]) -> Result<(), Error> {
    for hook in hooks {
        let Whom::Function(named) = &hook.whom else { continue };
        let invalid = |words: &str| Error::invalid(format!("Hooks: {}: {words}.", hook.name));
        let function = FunctionRef::parse(named).map_err(|error| invalid(&error.to_string()))?;
        if function.scope(scope) != *scope {
            return Err(invalid("the function is in another account or region"));
        }
        let exists = match &function.qualifier {
            Some(Qualifier::Alias(alias)) => tx.exists::<Alias>(&key(scope, &[&function.name, alias]))?,
            other => {
                let version = match other {
                    Some(Qualifier::Version(version)) => *version,
                    _ => VersionId::Latest,
                };
                tx.exists::<FunctionVersion>(&key(scope, &[&function.name, &version.to_string()]))?
            }
        };
        if !exists {
            return Err(invalid(&format!("there is no function {named}")));
        }
    }
    Ok(())
}

/// The call of a question that is to be answered.
pub fn call(rollout: &Rollout, question: &Question, now_ms: u64) -> Option<HookCall> {
    let hook = rollout.plan.hooks().get(question.hook)?;
    let body = body(rollout, question, now_ms)?;
    let secret = rollout.hook_secrets.get(&hook.name);
    Some(HookCall {
        scope: rollout.scope.clone(),
        whom: hook.whom.clone(),
        signature: secret.map(|secret| signature(secret, &body)),
        body,
        answer_bytes_max: ANSWER_BYTES_MAX,
    })
}

/// The same for every call of a question, also after a crash, and for no other question that ever was.
pub fn id(rollout: &Rollout, question: &Question) -> String {
    let Scope { account, region } = &rollout.scope;
    let (name, began_ms) = (&rollout.name, rollout.started_ms);
    format!("{}/{}/{name}/{began_ms}/{}", account.as_str(), region.as_str(), question.number)
}

fn body(rollout: &Rollout, question: &Question, now_ms: u64) -> Option<String> {
    let (base, canary) = match &rollout.target {
        Target::RestStage(stage) => (stage.base.clone(), stage.canary.clone()),
        Target::LambdaAlias(alias) => (alias.base.to_string(), alias.canary.to_string()),
        Target::LambdaAliases(aliases) => {
            let versions = |of: fn(&AliasTarget) -> VersionId| {
                let named: Vec<String> =
                    aliases.iter().map(|alias| format!("{}:{}", alias.function, of(alias))).collect();
                named.join(" ")
            };
            (versions(|alias| alias.base), versions(|alias| alias.canary))
        }
    };
    let around = Around {
        time: now_ms,
        account: Some(rollout.scope.account.as_str()),
        region: rollout.scope.region.as_str(),
        rollout: &rollout.name,
        target: rollout.target.name(),
        base,
        canary,
        status: shape::status(rollout),
        phase: shape::phase(rollout.state.phase()),
        reason: &rollout.reason,
    };
    let id = id(rollout, question);
    Some(Event::new(&rollout.plan, &rollout.state, question, &id, around)?.to_json())
}
