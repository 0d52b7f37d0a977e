use std::collections::HashSet;

use pitbird_records::AlarmSettings;
use serde::{Deserialize, Serialize};

use crate::{Error, limits};

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlarmConfiguration {
    enabled: Option<bool>,
    ignore_poll_alarm_failure: Option<bool>,
    alarms: Option<Vec<Alarm>>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
struct Alarm {
    name: Option<String>,
}

impl AlarmConfiguration {
    /// Source: API reference, `InvalidAlarmConfigException`, which lists these faults.
    pub fn parse(self) -> Result<AlarmSettings, Error> {
        let invalid = |words: &str| {
            let words = format!("The format of the alarm configuration is invalid. {words}");
            Error::invalid("InvalidAlarmConfigException", words)
        };
        let is_enabled = self.enabled.unwrap_or_default();
        let alarms = self.alarms.unwrap_or_default();
        if is_enabled && alarms.is_empty() {
            return Err(invalid("The alarm configuration is enabled, but the alarm list is empty."));
        }
        if alarms.len() > limits::ALARMS {
            let words = format!(
                "The maximum number of alarms for a deployment group ({}) was exceeded.",
                limits::ALARMS
            );
            return Err(Error::TooMany { code: "AlarmsLimitExceededException", words });
        }
        let mut names = Vec::new();
        let mut seen = HashSet::new();
        for alarm in alarms {
            let name = alarm.name.unwrap_or_default();
            if name.is_empty() || name.chars().count() > limits::ALARM_NAME {
                return Err(invalid("An alarm name is empty or exceeds the limit of 255 characters."));
            }
            if !seen.insert(name.clone()) {
                return Err(invalid("Two alarms with the same name have been specified."));
            }
            names.push(name);
        }
        let ignores_poll_failure = self.ignore_poll_alarm_failure.unwrap_or_default();
        Ok(AlarmSettings { is_enabled, ignores_poll_failure, names })
    }
}

impl From<&AlarmSettings> for AlarmConfiguration {
    fn from(settings: &AlarmSettings) -> AlarmConfiguration {
        let alarm = |name: &String| Alarm { name: Some(name.clone()) };
        AlarmConfiguration {
            enabled: Some(settings.is_enabled),
            ignore_poll_alarm_failure: Some(settings.ignores_poll_failure),
            alarms: Some(settings.names.iter().map(alarm).collect()),
        }
    }
}
