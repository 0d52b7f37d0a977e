//! What a stage of an HTTP API may be.

use std::collections::BTreeMap;

use pitbird_records::{HttpApi, HttpRouteSettings, HttpStage, Texts};
use serde::Deserialize;

use crate::find::{self, Records};
use crate::{Error, access_log, api};

/// Stages of one API. Source: API Gateway quotas.
pub const STAGES_MAX: usize = 10;
/// Variables of one stage, and bytes of a variable's name and value. Source: API Gateway quotas.
const VARIABLES_MAX: usize = 100;
const VARIABLE_NAME_BYTES: usize = 64;
const VARIABLE_VALUE_BYTES: usize = 512;

/// How routes are measured and held back, as callers write it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RouteSettings {
    pub data_trace_enabled: Option<bool>,
    pub detailed_metrics_enabled: Option<bool>,
    pub logging_level: Option<String>,
    pub throttling_burst_limit: Option<i64>,
    pub throttling_rate_limit: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessLogSettings {
    pub destination_arn: Option<String>,
    pub format: Option<String>,
}

/// What creating and updating a stage may set.
#[derive(Debug, Default)]
pub struct Settings {
    pub access_log_settings: Option<AccessLogSettings>,
    pub auto_deploy: Option<bool>,
    pub default_route_settings: Option<RouteSettings>,
    pub description: Option<String>,
    pub route_settings: Option<BTreeMap<String, RouteSettings>>,
    pub stage_variables: Option<Texts>,
}

/// A stage that serves nothing yet.
pub fn fresh(api: &HttpApi, name: &str, now_ms: i64) -> HttpStage {
    HttpStage {
        scope: api.scope.clone(),
        api_id: api.id.clone(),
        name: name.to_owned(),
        deployment_id: None,
        auto_deploy: false,
        last_deployment_status_message: None,
        description: None,
        created_ms: now_ms,
        updated_ms: now_ms,
        variables: Texts::new(),
        default_route_settings: HttpRouteSettings::default(),
        route_settings: BTreeMap::new(),
        access_log: None,
        tags: Texts::new(),
        is_managed: false,
        authorizer_cache_epoch: 0,
    }
}

pub fn check_name(name: &str) -> Result<(), Error> {
    let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let fits = name == "$default" || (letters && (1..=128).contains(&name.len()));
    if fits { Ok(()) } else { Err(Error::StageName) }
}

impl Settings {
    /// Changes a stage. Variables and the settings of routes are added to those that are there; an empty text takes a variable
    /// away.
    pub fn apply(self, records: &impl Records, api: &HttpApi, stage: &mut HttpStage) -> Result<(), Error> {
        if let Some(text) = self.description {
            stage.description = api::description(text)?;
        }
        if let Some(variables) = self.stage_variables {
            stage.variables.extend(variables);
            stage.variables.retain(|_, value| !value.is_empty());
            check_variables(&stage.variables)?;
        }
        if let Some(log) = self.access_log_settings {
            stage.access_log = Some(access_log::parse(log.destination_arn, log.format, &api.scope)?);
        }
        if let Some(settings) = self.default_route_settings {
            settings.apply(&mut stage.default_route_settings)?;
        }
        if let Some(by_route) = self.route_settings {
            let routes = find::routes(records, api)?;
            for (key, settings) in by_route {
                if !routes.iter().any(|route| route.route_key == key) {
                    return Err(Error::UnknownRouteKey(key));
                }
                settings.apply(stage.route_settings.entry(key).or_default())?;
            }
        }
        stage.auto_deploy = self.auto_deploy.unwrap_or(stage.auto_deploy);
        Ok(())
    }
}

impl RouteSettings {
    fn apply(self, settings: &mut HttpRouteSettings) -> Result<(), Error> {
        let logs = self.logging_level.as_deref().is_some_and(|level| level != "OFF");
        if logs || self.data_trace_enabled == Some(true) {
            return Err(Error::ExecutionLog);
        }
        if self.throttling_burst_limit.is_some_and(|limit| limit < 0) {
            return Err(Error::SettingValue("throttlingBurstLimit"));
        }
        if self.throttling_rate_limit.is_some_and(|limit| !limit.is_finite() || limit < 0.0) {
            return Err(Error::SettingValue("throttlingRateLimit"));
        }
        settings.detailed_metrics_enabled =
            self.detailed_metrics_enabled.or(settings.detailed_metrics_enabled);
        settings.throttling_burst_limit = self.throttling_burst_limit.or(settings.throttling_burst_limit);
        settings.throttling_rate_limit = self.throttling_rate_limit.or(settings.throttling_rate_limit);
        Ok(())
    }
}

fn check_variables(variables: &Texts) -> Result<(), Error> {
    if variables.len() > VARIABLES_MAX {
        return Err(Error::TooMany { what: "stage variables for this stage", limit: VARIABLES_MAX });
    }
    variables.iter().try_for_each(|(name, value)| {
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name || !(1..=VARIABLE_NAME_BYTES).contains(&name.len()) {
            return Err(Error::VariableName(name.clone()));
        }
        let is_value = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#&=,".contains(&b);
        if !value.bytes().all(is_value) || value.len() > VARIABLE_VALUE_BYTES {
            return Err(Error::VariableValue(name.clone()));
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_few_letters_or_is_the_default() {
        for name in ["$default", "prod", "v1_2-b", &"a".repeat(128)] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "$other", "a b", "a/b", "é", &"a".repeat(129)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn variables_have_bounds() {
        let one = |name: &str, value: &str| check_variables(&[(name.to_owned(), value.to_owned())].into());
        assert!(one("a_1", "https://a/b?c=d,e").is_ok());
        for (name, value) in [("a-b", "c"), ("", "c"), ("a", "b c"), ("a", &"x".repeat(513))] {
            assert!(one(name, value).is_err(), "{name} {value}");
        }
        let many = |count: usize| (0..count).map(|n| (format!("v{n}"), "x".to_owned())).collect();
        assert!(check_variables(&many(100)).is_ok() && check_variables(&many(101)).is_err());
    }

    #[test]
    fn there_are_no_execution_logs() {
        let mut settings = HttpRouteSettings::default();
        let quiet = RouteSettings {
            logging_level: Some("OFF".to_owned()),
            data_trace_enabled: Some(false),
            ..Default::default()
        };
        assert!(quiet.apply(&mut settings).is_ok());
        for refused in [
            RouteSettings { logging_level: Some("INFO".to_owned()), ..Default::default() },
            RouteSettings { data_trace_enabled: Some(true), ..Default::default() },
            RouteSettings { throttling_burst_limit: Some(-1), ..Default::default() },
            RouteSettings { throttling_rate_limit: Some(-0.5), ..Default::default() },
        ] {
            assert!(refused.clone().apply(&mut settings).is_err(), "{refused:?}");
        }
        assert_eq!(settings, HttpRouteSettings::default());
    }
}
