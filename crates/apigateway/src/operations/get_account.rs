use std::sync::Arc;

use pitbird_records::GatewayAccount;
use pitbird_records::usage_plan::Throttle;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{State, find};

#[derive(Debug, Deserialize)]
pub struct Input {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    cloudwatch_role_arn: Option<String>,
    throttle_settings: Option<ThrottleSettings>,
    features: [&'static str; 1],
    api_key_version: &'static str,
}

/// An account's limits, where it has any here: what isn't obeyed isn't told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThrottleSettings {
    burst_limit: i64,
    rate_limit: f64,
}

impl Output {
    pub fn new(account: GatewayAccount, throttle: Option<Throttle>) -> Output {
        let limits = |Throttle { burst_limit, rate_limit }| ThrottleSettings { burst_limit, rate_limit };
        Output {
            cloudwatch_role_arn: account.cloudwatch_role_arn,
            throttle_settings: throttle.map(limits),
            features: ["UsagePlans"],
            api_key_version: "4",
        }
    }
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    Ok(Output::new(find::account(&state.store, &call.caller.scope)?, state.account_throttle))
}
