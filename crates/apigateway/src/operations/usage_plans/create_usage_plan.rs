use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_records::{self as records, Texts, UsagePlan, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::usage_plan::{self, PLANS_MAX};
use crate::{Error, State, find, shape, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    name: String,
    description: Option<String>,
    api_stages: Option<Vec<ApiStage>>,
    throttle: Option<Throttle>,
    quota: Option<Quota>,
    tags: Option<Texts>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiStage {
    api_id: Option<String>,
    stage: Option<String>,
    throttle: Option<BTreeMap<String, Throttle>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Throttle {
    burst_limit: Option<i64>,
    rate_limit: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Quota {
    limit: Option<i64>,
    offset: Option<i64>,
    period: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<shape::UsagePlan, Fault> {
    let Call { caller, input, .. } = call;
    let entropy = state.entropy;
    let create = move |tx: &mut Transaction<'_>| {
        if tx.count::<UsagePlan>(&prefix(&caller.scope, &[]))? >= PLANS_MAX {
            return Err(Error::TooMany { what: "usage plans for this account", limit: PLANS_MAX });
        }
        let plan = UsagePlan {
            id: find::unused_id::<UsagePlan>(tx, &caller.scope, &[], 6, entropy)?,
            scope: caller.scope,
            name: input.name,
            description: input.description.filter(|text| !text.is_empty()),
            api_stages: input.api_stages.unwrap_or_default().into_iter().map(ApiStage::record).collect(),
            throttle: input.throttle.map(Throttle::record),
            quota: input.quota.map(Quota::record),
            product_code: None,
            tags: input.tags.unwrap_or_default(),
        };
        usage_plan::check(&plan, tx)?;
        tags::check(&plan.tags)?;
        tx.put(&plan)?;
        Ok(plan)
    };
    Ok(state.store.write(create).await?.into())
}

impl ApiStage {
    fn record(self) -> records::ApiStage {
        let throttle = self.throttle.unwrap_or_default().into_iter();
        records::ApiStage {
            api_id: self.api_id.unwrap_or_default(),
            stage: self.stage.unwrap_or_default(),
            throttle: throttle.map(|(method, throttle)| (method, throttle.record())).collect(),
        }
    }
}

impl Throttle {
    fn record(self) -> records::Throttle {
        records::Throttle {
            burst_limit: self.burst_limit.unwrap_or_default(),
            rate_limit: self.rate_limit.unwrap_or_default(),
        }
    }
}

impl Quota {
    fn record(self) -> records::Quota {
        records::Quota {
            limit: self.limit.unwrap_or_default(),
            offset: self.offset.unwrap_or_default(),
            period: self.period.unwrap_or_default(),
        }
    }
}
