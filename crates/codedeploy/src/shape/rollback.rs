use pitbird_records::{AlarmSettings, AutoRollback};
use serde::{Deserialize, Serialize};

use crate::Error;

const ON_ALARM: &str = "DEPLOYMENT_STOP_ON_ALARM";

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub struct AutoRollbackConfiguration {
    enabled: Option<bool>,
    events: Option<Vec<String>>,
}

impl AutoRollbackConfiguration {
    /// `alarms` are those of the group or deployment that it is for.
    pub fn parse(self, alarms: Option<&AlarmSettings>) -> Result<AutoRollback, Error> {
        let events = self.events.unwrap_or_default();
        let settings = AutoRollback { is_enabled: self.enabled.unwrap_or_default(), events };
        check(Some(&settings), alarms)?;
        Ok(settings)
    }
}

/// Do rollbacks and alarms go together?
pub fn check(settings: Option<&AutoRollback>, alarms: Option<&AlarmSettings>) -> Result<(), Error> {
    let Some(settings) = settings.filter(|settings| settings.is_enabled) else { return Ok(()) };
    let invalid = |words: &str| Err(Error::invalid("InvalidAutoRollbackConfigException", words));
    if settings.events.is_empty() {
        return invalid(
            "The automatic rollback configuration was specified in an invalid format. Automatic rollback is enabled, but no event \
             types were listed.",
        );
    }
    let has_alarms = alarms.is_some_and(|alarms| alarms.is_enabled);
    if settings.events.iter().any(|event| event == ON_ALARM) && !has_alarms {
        return invalid(
            "The automatic rollback configuration was specified in an invalid format. DEPLOYMENT_STOP_ON_ALARM needs an enabled \
             alarm configuration.",
        );
    }
    Ok(())
}

impl From<&AutoRollback> for AutoRollbackConfiguration {
    fn from(settings: &AutoRollback) -> AutoRollbackConfiguration {
        AutoRollbackConfiguration {
            enabled: Some(settings.is_enabled),
            events: Some(settings.events.clone()),
        }
    }
}
