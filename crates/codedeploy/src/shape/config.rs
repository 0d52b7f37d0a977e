use pitbird_records::TrafficRouting;
use serde::{Deserialize, Serialize};

use crate::{Error, limits};

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrafficRoutingConfig {
    #[serde(rename = "type")]
    kind: Option<String>,
    time_based_canary: Option<TimeBasedCanary>,
    time_based_linear: Option<TimeBasedLinear>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct TimeBasedCanary {
    canary_percentage: Option<i64>,
    canary_interval: Option<i64>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct TimeBasedLinear {
    linear_percentage: Option<i64>,
    linear_interval: Option<i64>,
}

impl TrafficRoutingConfig {
    pub fn parse(self) -> Result<TrafficRouting, Error> {
        let invalid = |words: String| Error::invalid("InvalidTrafficRoutingConfigurationException", words);
        let (percent, interval) = match (self.kind.as_deref(), self.time_based_canary, self.time_based_linear)
        {
            (Some("AllAtOnce"), None, None) => return Ok(TrafficRouting::AllAtOnce),
            (Some("TimeBasedCanary"), Some(canary), None) => {
                (canary.canary_percentage, canary.canary_interval)
            }
            (Some("TimeBasedLinear"), None, Some(linear)) => {
                (linear.linear_percentage, linear.linear_interval)
            }
            _ => {
                return Err(invalid(
                    "The traffic routing configuration must have a type, and besides what belongs to that type: \
                     timeBasedCanary or timeBasedLinear."
                        .to_owned(),
                ));
            }
        };
        let percent = percent.filter(|percent| limits::PERCENT.contains(percent));
        let percent = percent.and_then(|percent| u32::try_from(percent).ok());
        let percent =
            percent.ok_or_else(|| invalid("The percentage must be between 1 and 99.".to_owned()))?;
        let interval_min = interval.and_then(|interval| u32::try_from(interval).ok()).filter(|it| *it >= 1);
        let interval_min =
            interval_min.ok_or_else(|| invalid("The interval must be at least 1 minute.".to_owned()))?;
        let routing = match self.kind.as_deref() {
            Some("TimeBasedCanary") => TrafficRouting::Canary { percent, interval_min },
            _ => TrafficRouting::Linear { percent, interval_min },
        };
        if routing.total_min() > limits::SHIFT_MIN {
            let words = format!("Traffic must be shifted within {} minutes (48 hours).", limits::SHIFT_MIN);
            return Err(invalid(words));
        }
        Ok(routing)
    }
}

impl From<TrafficRouting> for TrafficRoutingConfig {
    fn from(routing: TrafficRouting) -> TrafficRoutingConfig {
        let (mut time_based_canary, mut time_based_linear) = (None, None);
        let kind = match routing {
            TrafficRouting::AllAtOnce => "AllAtOnce",
            TrafficRouting::Canary { percent, interval_min } => {
                let (canary_percentage, canary_interval) = (Some(percent.into()), Some(interval_min.into()));
                time_based_canary = Some(TimeBasedCanary { canary_percentage, canary_interval });
                "TimeBasedCanary"
            }
            TrafficRouting::Linear { percent, interval_min } => {
                let (linear_percentage, linear_interval) = (Some(percent.into()), Some(interval_min.into()));
                time_based_linear = Some(TimeBasedLinear { linear_percentage, linear_interval });
                "TimeBasedLinear"
            }
        };
        TrafficRoutingConfig { kind: Some(kind.to_owned()), time_based_canary, time_based_linear }
    }
}
