use std::sync::Arc;

use pitbird_records::Dashboard;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::shape::seconds;
use crate::{Error, State, page};

/// Dashboards on a page. Source: ListDashboards.
const LIMIT: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    dashboard_name_prefix: Option<String>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    dashboard_entries: Vec<Entry>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    dashboard_name: String,
    dashboard_arn: String,
    last_modified: f64,
    /// Of the body, bytes.
    size: usize,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let below = Dashboard::prefix_of(&caller.scope.account);
    let prefix = input.dashboard_name_prefix.unwrap_or_default();
    let list = move |store: &pitbird_store::Store| store.list::<Dashboard>(&format!("{below}{prefix}"));
    let found = state.read(list).await.map_err(Error::from)?.into_iter().map(|found| found.record).collect();
    let token = input.next_token.as_deref();
    let (found, next_token) = page::cut(found, token, LIMIT, |found: &Dashboard| found.name.clone())
        .map_err(|error| match error {
            Error::Token => Error::value("NextToken", token.unwrap_or_default()),
            error => error,
        })?;
    let entries = found.into_iter().map(|dashboard| Entry {
        dashboard_arn: dashboard.arn(),
        dashboard_name: dashboard.name,
        last_modified: seconds(dashboard.modified_ms),
        size: dashboard.body.len(),
    });
    Ok(Output { dashboard_entries: entries.collect(), next_token })
}
