use std::collections::BTreeMap;

use pitbird_records as records;
use pitbird_records::Texts;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsagePlan {
    id: String,
    name: String,
    description: Option<String>,
    api_stages: Vec<ApiStage>,
    throttle: Option<Throttle>,
    quota: Option<Quota>,
    product_code: Option<String>,
    #[serde(skip_serializing_if = "Texts::is_empty")]
    tags: Texts,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiStage {
    api_id: String,
    stage: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    throttle: BTreeMap<String, Throttle>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Throttle {
    burst_limit: i64,
    rate_limit: f64,
}

#[derive(Debug, Serialize)]
struct Quota {
    limit: i64,
    offset: i64,
    period: String,
}

impl From<records::UsagePlan> for UsagePlan {
    fn from(plan: records::UsagePlan) -> UsagePlan {
        UsagePlan {
            id: plan.id,
            name: plan.name,
            description: plan.description,
            api_stages: plan.api_stages.into_iter().map(ApiStage::from).collect(),
            throttle: plan.throttle.map(Throttle::from),
            quota: plan.quota.map(|quota| Quota {
                limit: quota.limit,
                offset: quota.offset,
                period: quota.period,
            }),
            product_code: plan.product_code,
            tags: plan.tags,
        }
    }
}

impl From<records::ApiStage> for ApiStage {
    fn from(stage: records::ApiStage) -> ApiStage {
        let throttle = stage.throttle.into_iter();
        ApiStage {
            api_id: stage.api_id,
            stage: stage.stage,
            throttle: throttle.map(|(method, throttle)| (method, throttle.into())).collect(),
        }
    }
}

impl From<records::Throttle> for Throttle {
    fn from(throttle: records::Throttle) -> Throttle {
        Throttle { burst_limit: throttle.burst_limit, rate_limit: throttle.rate_limit }
    }
}

#[derive(Debug, Serialize)]
pub struct UsagePlanKey {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
    name: Option<String>,
}

impl From<records::ApiKey> for UsagePlanKey {
    fn from(key: records::ApiKey) -> UsagePlanKey {
        UsagePlanKey { id: key.id, kind: "API_KEY", value: key.value, name: key.name }
    }
}

/// By a key's id, for each day: requests used, requests left.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    pub usage_plan_id: String,
    pub start_date: String,
    pub end_date: String,
    pub position: Option<String>,
    pub items: BTreeMap<String, Vec<[i64; 2]>>,
}
