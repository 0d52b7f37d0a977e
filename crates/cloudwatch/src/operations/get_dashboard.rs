use std::sync::Arc;

use pitbird_records::Dashboard;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    dashboard_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    dashboard_arn: String,
    dashboard_body: String,
    dashboard_name: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let key = Dashboard::key_of(&caller.scope.account, &input.dashboard_name);
    let found = state.store.get::<Dashboard>(&key).map_err(Error::from)?;
    let dashboard = found.ok_or(Error::NoDashboard(input.dashboard_name))?.record;
    Ok(Output {
        dashboard_arn: dashboard.arn(),
        dashboard_body: dashboard.body,
        dashboard_name: dashboard.name,
    })
}
