use std::collections::BTreeMap;

use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

use super::seconds;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    deployment_id: String,
    stage_name: String,
    description: Option<String>,
    cache_cluster_enabled: bool,
    cache_cluster_size: Option<String>,
    cache_cluster_status: &'static str,
    method_settings: BTreeMap<String, MethodSetting>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: Texts,
    documentation_version: Option<String>,
    client_certificate_id: Option<String>,
    access_log_settings: Option<AccessLogSettings>,
    canary_settings: Option<CanarySettings>,
    tracing_enabled: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: Texts,
    created_date: f64,
    last_updated_date: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MethodSetting {
    metrics_enabled: bool,
    logging_level: Option<String>,
    data_trace_enabled: bool,
    throttling_burst_limit: i64,
    throttling_rate_limit: f64,
    caching_enabled: bool,
    cache_ttl_in_seconds: i64,
    cache_data_encrypted: bool,
    require_authorization_for_cache_control: bool,
    unauthorized_cache_control_header_strategy: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessLogSettings {
    format: Option<String>,
    destination_arn: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CanarySettings {
    percent_traffic: f64,
    deployment_id: String,
    stage_variable_overrides: Option<Texts>,
    use_stage_cache: bool,
}

impl From<records::Stage> for Stage {
    fn from(stage: records::Stage) -> Stage {
        let settings = stage.method_settings.into_iter();
        Stage {
            deployment_id: stage.deployment_id,
            stage_name: stage.name,
            description: stage.description,
            cache_cluster_enabled: stage.cache_cluster_enabled,
            cache_cluster_size: stage.cache_cluster_size,
            cache_cluster_status: if stage.cache_cluster_enabled { "AVAILABLE" } else { "NOT_AVAILABLE" },
            method_settings: settings.map(|(key, setting)| (key, MethodSetting::from(setting))).collect(),
            variables: stage.variables,
            documentation_version: stage.documentation_version,
            client_certificate_id: stage.client_certificate_id,
            access_log_settings: stage
                .access_log
                .map(|log| AccessLogSettings { format: log.format, destination_arn: log.destination_arn }),
            canary_settings: stage.canary.map(|canary| CanarySettings {
                percent_traffic: canary.percent_traffic.get(),
                deployment_id: canary.deployment_id,
                stage_variable_overrides: canary.stage_variable_overrides,
                use_stage_cache: canary.use_stage_cache,
            }),
            tracing_enabled: stage.tracing_enabled,
            tags: stage.tags,
            created_date: seconds(stage.created_ms),
            last_updated_date: seconds(stage.updated_ms),
        }
    }
}

impl From<records::stage::MethodSetting> for MethodSetting {
    fn from(setting: records::stage::MethodSetting) -> MethodSetting {
        MethodSetting {
            metrics_enabled: setting.metrics_enabled,
            logging_level: setting.logging_level,
            data_trace_enabled: setting.data_trace_enabled,
            throttling_burst_limit: setting.throttling_burst_limit,
            throttling_rate_limit: setting.throttling_rate_limit,
            caching_enabled: setting.caching_enabled,
            cache_ttl_in_seconds: setting.cache_ttl_s,
            cache_data_encrypted: setting.cache_data_encrypted,
            require_authorization_for_cache_control: setting.require_authorization_for_cache_control,
            unauthorized_cache_control_header_strategy: setting.unauthorized_cache_control_header_strategy,
        }
    }
}
