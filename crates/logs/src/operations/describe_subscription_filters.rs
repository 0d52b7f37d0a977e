use std::sync::Arc;

use pitbird_records::SubscriptionFilter;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{Error, State, group, page};

/// Filters on a page. Source: DescribeSubscriptionFilters.
const LIMIT: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
    filter_name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    subscription_filters: Vec<Described>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    filter_name: String,
    log_group_name: String,
    filter_pattern: String,
    destination_arn: String,
    distribution: String,
    apply_on_transformed_logs: bool,
    creation_time: i64,
}

/// Filters of a group, by name.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    group::kept(&state, &caller.scope, &input.log_group_name).await?;
    let prefix = input.filter_name_prefix.as_deref().unwrap_or_default();
    let key = SubscriptionFilter::key_of(&caller.scope, &input.log_group_name, prefix);
    let found = state.store.list::<SubscriptionFilter>(&key).map_err(Error::from)?;
    let filters: Vec<SubscriptionFilter> = found.into_iter().map(|found| found.record).collect();
    let limit = input.limit.map_or(LIMIT, |limit| limit as usize);
    let (filters, next_token) =
        page::cut(filters, input.next_token.as_deref(), limit, |filter| &filter.name)?;
    let described = filters.into_iter().map(|filter| Described {
        filter_name: filter.name,
        log_group_name: filter.group,
        filter_pattern: filter.pattern,
        destination_arn: filter.destination_arn,
        distribution: filter.distribution,
        apply_on_transformed_logs: false,
        creation_time: filter.created_ms,
    });
    Ok(Output { subscription_filters: described.collect(), next_token })
}
