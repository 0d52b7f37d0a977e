use std::sync::Arc;

use pitbird_records::GatewayAccount;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{State, find};

#[derive(Debug, Deserialize)]
pub struct Input {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    cloudwatch_role_arn: Option<String>,
    throttle_settings: ThrottleSettings,
    features: [&'static str; 1],
    api_key_version: &'static str,
}

/// An account's limits as API Gateway gives them to new accounts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThrottleSettings {
    burst_limit: i64,
    rate_limit: f64,
}

impl From<GatewayAccount> for Output {
    fn from(account: GatewayAccount) -> Output {
        Output {
            cloudwatch_role_arn: account.cloudwatch_role_arn,
            throttle_settings: ThrottleSettings { burst_limit: 5_000, rate_limit: 10_000.0 },
            features: ["UsagePlans"],
            api_key_version: "4",
        }
    }
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    Ok(find::account(&state.store, &call.caller.scope)?.into())
}
