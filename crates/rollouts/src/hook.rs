//! Hooks as those who are asked see them: what they are told, and how their answer is read. Pure, but for [`check`], which looks
//! for the functions.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use pitbird_names::{FunctionRef, Qualifier, Scope, VersionId};
use pitbird_records::{Alias, FunctionVersion, key};
use pitbird_rollout::{Hook, HookPoint, HookWord, Note, Question, Whom};
use pitbird_store::Transaction;
use serde::Deserialize;
use serde_json::json;

use crate::{Error, Rollout, notice, shape};

/// What is read of an answer.
pub const ANSWER_BYTES_MAX: usize = 64 << 10;

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

/// `http` or `https`, with a host.
pub fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    !host.is_empty() && url.bytes().all(|byte| byte.is_ascii_graphic())
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
    let body = body(rollout, hook, question, now_ms);
    let secret = rollout.hook_secrets.get(&hook.name);
    Some(HookCall {
        scope: rollout.scope.clone(),
        whom: hook.whom.clone(),
        signature: secret.map(|secret| notice::signature(secret, &body)),
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

fn body(rollout: &Rollout, hook: &Hook, question: &Question, now_ms: u64) -> String {
    let outcome = rollout.state.outcome();
    let (base, canary) = match &rollout.target {
        pitbird_records::rollout::Target::RestStage(stage) => (stage.base.clone(), stage.canary.clone()),
        pitbird_records::rollout::Target::LambdaAlias(alias) => {
            (alias.base.to_string(), alias.canary.to_string())
        }
    };
    json!({
        "source": "pitbird.rollouts",
        "hook": hook.name,
        "when": word_of(hook.point),
        "id": id(rollout, question),
        "attempt": question.call,
        "generation": question.generation,
        "time": now_ms,
        "account": rollout.scope.account.as_str(),
        "region": rollout.scope.region.as_str(),
        "rollout": rollout.name,
        "target": rollout.target.claim(),
        "base": base,
        "canary": canary,
        "step_percent": question.percent.map(pitbird_names::Percent::get),
        "status": shape::status(rollout),
        "phase": shape::phase(rollout.state.phase()),
        "percent": rollout.state.weight().get(),
        "reason": rollout.reason,
        "exit_code": outcome.map(pitbird_rollout::Outcome::exit_code),
    })
    .to_string()
}

fn word_of(point: HookPoint) -> &'static str {
    match point {
        HookPoint::BeforeRollout => "before_rollout",
        HookPoint::BeforeStep => "before_step",
        HookPoint::AfterStep => "after_step",
        HookPoint::BeforePromotion => "before_promotion",
        HookPoint::AfterRollout => "after_rollout",
    }
}

/// What was said. Of what comes after the end nothing hangs on the words: whoever answered at all has been told.
pub fn read(point: HookPoint, answer: Result<Vec<u8>, String>) -> (HookWord, Note) {
    #[derive(Deserialize)]
    struct Said {
        answer: String,
        reason: Option<String>,
    }
    let failed = |words: &str| (HookWord::Failed, note(words));
    let bytes = match answer {
        Ok(bytes) => bytes,
        Err(words) => return failed(&words),
    };
    let said = serde_json::from_slice::<Said>(&bytes);
    if point == HookPoint::AfterRollout {
        return (HookWord::Go, note(said.ok().and_then(|said| said.reason).as_deref().unwrap_or_default()));
    }
    let Ok(Said { answer, reason }) = said else {
        return failed("its answer is no JSON like {\"answer\": \"go\"}");
    };
    let word = match &*answer {
        "go" => HookWord::Go,
        "stop" => HookWord::Stop,
        "not_yet" => HookWord::NotYet,
        _ => return failed("its answer is neither go, stop nor not_yet"),
    };
    (word, note(reason.as_deref().unwrap_or_default()))
}

/// Strangers' words, without what a terminal would obey.
fn note(words: &str) -> Note {
    Note::from(words.replace(char::is_control, " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_word_lets_it_go_on() {
        let said = |text: &str| read(HookPoint::BeforeStep, Ok(text.as_bytes().to_vec()));
        assert_eq!(said(r#"{"answer": "go"}"#), (HookWord::Go, Note::default()));
        assert_eq!(
            said(r#"{"answer": "stop", "reason": "no\u001b[1m", "more": 1}"#),
            (HookWord::Stop, "no [1m".into())
        );
        assert_eq!(said(r#"{"answer": "not_yet", "reason": null}"#), (HookWord::NotYet, Note::default()));
        for text in ["", "null", "\"go\"", "{}", "{\"answer\": \"GO\"}", "{\"answer\": true}", "go", "[]"] {
            assert_eq!(said(text).0, HookWord::Failed, "{text}");
        }
        assert_eq!(read(HookPoint::BeforeStep, Err("gone".into())), (HookWord::Failed, "gone".into()));
    }

    #[test]
    fn after_the_end_whoever_answers_has_been_told() {
        for text in ["", "null", "{\"answer\": \"stop\"}"] {
            assert_eq!(read(HookPoint::AfterRollout, Ok(text.into())).0, HookWord::Go, "{text}");
        }
        assert_eq!(read(HookPoint::AfterRollout, Err("gone".into())).0, HookWord::Failed);
    }
}
