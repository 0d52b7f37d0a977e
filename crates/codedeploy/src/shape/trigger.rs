use std::collections::HashSet;

use pitbird_names::arn;
use pitbird_records::DeployTrigger;
use serde::{Deserialize, Serialize};

use crate::{Error, limits, notice};

/// A trigger's name and target, characters. Source: none published.
const NAME_MAX: usize = 100;
const TARGET_MAX: usize = 2048;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriggerConfig {
    trigger_name: Option<String>,
    trigger_target_arn: Option<String>,
    trigger_events: Option<Vec<String>>,
}

impl TriggerConfig {
    /// A target is a Lambda function, or (which AWS doesn't have) a URL. A topic of SNS is refused: nobody would be told.
    fn parse(self) -> Result<DeployTrigger, Error> {
        let invalid = |words: String| Error::invalid("InvalidTriggerConfigException", words);
        let name = self.trigger_name.filter(|name| (1..=NAME_MAX).contains(&name.chars().count()));
        let name =
            name.ok_or_else(|| invalid(format!("A trigger's name has 1 to {NAME_MAX} characters.")))?;
        let target = self.trigger_target_arn.filter(|target| target.len() <= TARGET_MAX).unwrap_or_default();
        if !is_url(&target) {
            let parts = arn::parse(&target);
            let parts =
                parts.ok_or_else(|| invalid(format!("The trigger {name} has no ARN as its target.")))?;
            if parts.service != "lambda" || !parts.resource.starts_with("function:") {
                return Err(Error::Unsupported(format!("triggerConfigurations.triggerTargetArn {target}")));
            }
        }
        let events = self.trigger_events.unwrap_or_default();
        if events.is_empty() {
            return Err(invalid(format!("The trigger {name} has no events.")));
        }
        match events.iter().find(|event| !notice::EVENTS.contains(&event.as_str())) {
            Some(event) => Err(invalid(format!("Lambda deployments have no event {event}."))),
            None => Ok(DeployTrigger { name, target, events }),
        }
    }
}

pub fn is_url(target: &str) -> bool {
    let rest = target.strip_prefix("http://").or_else(|| target.strip_prefix("https://"));
    let is_clean = target.bytes().all(|byte| byte.is_ascii_graphic());
    is_clean && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

pub fn parse(given: Vec<TriggerConfig>) -> Result<Vec<DeployTrigger>, Error> {
    if given.len() > limits::TRIGGERS {
        let words = format!("A deployment group has at most {} triggers.", limits::TRIGGERS);
        return Err(Error::TooMany { code: "TriggerTargetsLimitExceededException", words });
    }
    let triggers = given.into_iter().map(TriggerConfig::parse).collect::<Result<Vec<_>, _>>()?;
    let names: HashSet<&str> = triggers.iter().map(|trigger| trigger.name.as_str()).collect();
    if names.len() < triggers.len() {
        return Err(Error::invalid("InvalidTriggerConfigException", "Two triggers have the same name."));
    }
    Ok(triggers)
}

impl From<&DeployTrigger> for TriggerConfig {
    fn from(trigger: &DeployTrigger) -> TriggerConfig {
        TriggerConfig {
            trigger_name: Some(trigger.name.clone()),
            trigger_target_arn: Some(trigger.target.clone()),
            trigger_events: Some(trigger.events.clone()),
        }
    }
}
