use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_telemetry::metrics::{DimensionFilter, ListQuery};
use serde::{Deserialize, Serialize};

use crate::shape::Dimension;
use crate::{Error, State};

/// Metrics on a page. Source: ListMetrics.
const LIMIT: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    namespace: Option<String>,
    metric_name: Option<String>,
    dimensions: Option<Vec<Filter>>,
    next_token: Option<String>,
    /// `PT3H` or nothing.
    recently_active: Option<String>,
    include_linked_accounts: Option<bool>,
    /// Nobody but the caller's own account has metrics to show.
    owning_account: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    name: String,
    value: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    metrics: Vec<Listed>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    namespace: String,
    metric_name: String,
    dimensions: Vec<Dimension>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    if input.include_linked_accounts == Some(true) {
        return Err(Error::unsupported("IncludeLinkedAccounts").into());
    }
    if input.owning_account.as_deref().is_some_and(|account| account != caller.scope.account.as_str()) {
        return Err(Error::unsupported("OwningAccount of another account").into());
    }
    let filters = input.dimensions.unwrap_or_default().into_iter();
    let query = ListQuery {
        scope: caller.scope,
        namespace: input.namespace,
        name: input.metric_name,
        dimensions: filters.map(|Filter { name, value }| DimensionFilter { name, value }).collect(),
        recently_active: input.recently_active.is_some(),
        token: input.next_token.clone(),
        limit: LIMIT,
        now_ms,
    };
    let page = state.telemetry.metrics(query).await.map_err(|error| match error {
        pitbird_telemetry::Error::InvalidToken => {
            Error::value("NextToken", input.next_token.unwrap_or_default())
        }
        error => Error::from(error),
    })?;
    let metrics = page.metrics.into_iter().map(|metric| Listed {
        dimensions: metric
            .dimensions
            .iter()
            .map(|(name, value)| Dimension { name: name.to_owned(), value: value.to_owned() })
            .collect(),
        namespace: metric.namespace,
        metric_name: metric.name,
    });
    Ok(Output { metrics: metrics.collect(), next_token: page.token })
}
