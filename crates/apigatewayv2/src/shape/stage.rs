use std::collections::BTreeMap;

use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

use super::seconds;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Stage {
    access_log_settings: Option<AccessLogSettings>,
    api_gateway_managed: Option<bool>,
    auto_deploy: bool,
    created_date: f64,
    default_route_settings: RouteSettings,
    deployment_id: Option<String>,
    description: Option<String>,
    last_deployment_status_message: Option<String>,
    last_updated_date: f64,
    route_settings: BTreeMap<String, RouteSettings>,
    stage_name: String,
    stage_variables: Texts,
    tags: Texts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccessLogSettings {
    destination_arn: Option<String>,
    format: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RouteSettings {
    detailed_metrics_enabled: bool,
    throttling_burst_limit: Option<i64>,
    throttling_rate_limit: Option<f64>,
}

impl From<records::HttpStage> for Stage {
    fn from(stage: records::HttpStage) -> Stage {
        let of_routes = stage.route_settings.into_iter();
        Stage {
            access_log_settings: stage
                .access_log
                .map(|log| AccessLogSettings { destination_arn: log.destination_arn, format: log.format }),
            api_gateway_managed: stage.is_managed.then_some(true),
            auto_deploy: stage.auto_deploy,
            created_date: seconds(stage.created_ms),
            default_route_settings: stage.default_route_settings.into(),
            deployment_id: stage.deployment_id,
            description: stage.description,
            last_deployment_status_message: stage.last_deployment_status_message,
            last_updated_date: seconds(stage.updated_ms),
            route_settings: of_routes.map(|(key, settings)| (key, settings.into())).collect(),
            stage_name: stage.name,
            stage_variables: stage.variables,
            tags: stage.tags,
        }
    }
}

impl From<records::HttpRouteSettings> for RouteSettings {
    fn from(settings: records::HttpRouteSettings) -> RouteSettings {
        RouteSettings {
            detailed_metrics_enabled: settings.detailed_metrics_enabled.unwrap_or_default(),
            throttling_burst_limit: settings.throttling_burst_limit,
            throttling_rate_limit: settings.throttling_rate_limit,
        }
    }
}
