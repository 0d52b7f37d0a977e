use pitbird_names::Percent;
use pitbird_rollout::{self as planner, HookWord, Patience, Question as Asked, Whom};
use serde::{Deserialize, Serialize};

use super::seconds;
use crate::{Error, hook};

/// A function or a URL that is asked whether a rollout may go on. Its secret is taken and never shown; whether it has one is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Hook {
    pub name: String,
    when: Point,
    percent: Option<f64>,
    function_name: Option<String>,
    url: Option<String>,
    #[serde(skip_serializing)]
    pub secret: Option<String>,
    #[serde(skip_deserializing)]
    signed: bool,
    timeout_ms: Option<u64>,
    attempts: Option<u64>,
    interval_ms: Option<u64>,
    wait_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Point {
    BeforeRollout,
    BeforeStep,
    AfterStep,
    BeforePromotion,
    AfterRollout,
}

/// What a hook was asked, and what it answered last.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Question {
    id: String,
    hook: String,
    when: Option<Point>,
    percent: Option<f64>,
    generation: u64,
    attempt: u32,
    failures: u32,
    answer: Option<&'static str>,
    reason: Option<String>,
    asked_at: f64,
    due_at: f64,
    ended_at: Option<f64>,
}

impl Hook {
    pub fn parse(&self) -> Result<planner::Hook, Error> {
        let invalid = |words: &str| Error::invalid(format!("Hooks: {}: {words}", self.name));
        let whom = match (&self.function_name, &self.url) {
            (Some(_), None) if self.secret.is_some() => {
                return Err(invalid("Secret goes with Url only."));
            }
            (Some(function), None) => Whom::Function(function.clone()),
            (None, Some(url)) if pitbird_rollout::hook::is_url(url) => Whom::Url(url.clone()),
            (None, Some(url)) => return Err(invalid(&format!("{url:?} is no http or https URL."))),
            _ => return Err(invalid("it asks either FunctionName or Url.")),
        };
        let percent = self.percent.map(Percent::new).transpose();
        let percent = percent.map_err(|error| invalid(&format!("Percent: {error}.")))?;
        let usual = Patience::default();
        let attempts = self.attempts.map_or(Ok(usual.attempts), u32::try_from);
        let patience = Patience {
            timeout_ms: self.timeout_ms.unwrap_or(usual.timeout_ms),
            attempts: attempts.map_err(|_| invalid("Attempts is too large."))?,
            interval_ms: self.interval_ms.unwrap_or(usual.interval_ms),
            wait_ms: self.wait_ms.unwrap_or(usual.wait_ms),
        };
        Ok(planner::Hook { name: self.name.clone(), point: self.when.into(), percent, whom, patience })
    }

    pub fn shown(rollout: &crate::Rollout) -> Vec<Hook> {
        let shown = |hook: &planner::Hook| {
            let (function_name, url) = match &hook.whom {
                Whom::Function(function) => (Some(function.clone()), None),
                Whom::Url(url) => (None, Some(url.clone())),
            };
            Hook {
                name: hook.name.clone(),
                when: hook.point.into(),
                percent: hook.percent.map(Percent::get),
                function_name,
                url,
                secret: None,
                signed: rollout.hook_secrets.contains_key(&hook.name),
                timeout_ms: Some(hook.patience.timeout_ms),
                attempts: Some(hook.patience.attempts.into()),
                interval_ms: Some(hook.patience.interval_ms),
                wait_ms: Some(hook.patience.wait_ms),
            }
        };
        rollout.plan.hooks().iter().map(shown).collect()
    }
}

impl Question {
    /// All that a rollout remembers to have asked, oldest first.
    pub fn all(rollout: &crate::Rollout) -> Vec<Question> {
        rollout.state.questions().map(|asked| Question::new(rollout, asked)).collect()
    }

    fn new(rollout: &crate::Rollout, asked: &Asked) -> Question {
        let hook = rollout.plan.hooks().get(asked.hook);
        Question {
            id: hook::id(rollout, asked),
            hook: hook.map(|hook| hook.name.clone()).unwrap_or_default(),
            when: hook.map(|hook| hook.point.into()),
            percent: asked.percent.map(Percent::get),
            generation: asked.generation,
            attempt: asked.call,
            failures: asked.failures,
            answer: asked.word.map(|word| match word {
                HookWord::Go => "Go",
                HookWord::Stop => "Stop",
                HookWord::NotYet => "NotYet",
                HookWord::Failed => "Failed",
            }),
            reason: asked.words.as_ref().map(|words| words.as_str().to_owned()),
            asked_at: seconds(asked.began_ms),
            due_at: seconds(asked.due_ms),
            ended_at: asked.ended_ms.map(seconds),
        }
    }
}

impl From<Point> for planner::HookPoint {
    fn from(point: Point) -> planner::HookPoint {
        match point {
            Point::BeforeRollout => planner::HookPoint::BeforeRollout,
            Point::BeforeStep => planner::HookPoint::BeforeStep,
            Point::AfterStep => planner::HookPoint::AfterStep,
            Point::BeforePromotion => planner::HookPoint::BeforePromotion,
            Point::AfterRollout => planner::HookPoint::AfterRollout,
        }
    }
}

impl From<planner::HookPoint> for Point {
    fn from(point: planner::HookPoint) -> Point {
        match point {
            planner::HookPoint::BeforeRollout => Point::BeforeRollout,
            planner::HookPoint::BeforeStep => Point::BeforeStep,
            planner::HookPoint::AfterStep => Point::AfterStep,
            planner::HookPoint::BeforePromotion => Point::BeforePromotion,
            planner::HookPoint::AfterRollout => Point::AfterRollout,
        }
    }
}
