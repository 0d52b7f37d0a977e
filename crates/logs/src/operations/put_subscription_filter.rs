use std::sync::Arc;

use pitbird_names::arn;
use pitbird_records::{Record, SubscriptionFilter};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::filters::{self, Subscription};
use crate::{Error, State, group, subscriber};

/// Subscription filters of one group. Source: PutSubscriptionFilter.
const FILTERS_MAX: usize = 2;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
    filter_name: String,
    filter_pattern: String,
    destination_arn: String,
    role_arn: Option<String>,
    distribution: Option<String>,
    apply_on_transformed_logs: Option<bool>,
}

/// Makes a filter or changes it. From the answer on each event that is filed and that its pattern takes goes to its
/// function. That the function can be run is asked of its policy; no event is sent to try it.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    if input.apply_on_transformed_logs == Some(true) {
        return Err(Error::unsupported("applyOnTransformedLogs").into());
    }
    check_role(&input)?;
    let filter = SubscriptionFilter {
        scope: caller.scope,
        group: input.log_group_name,
        name: input.filter_name,
        created_ms: now_ms,
        pattern: input.filter_pattern,
        destination_arn: input.destination_arn,
        // Events of one stream stay together either way: each message to a function is of one stream.
        distribution: input.distribution.unwrap_or_else(|| "ByLogStream".to_owned()),
    };
    // AWS looks at the destination's account before the group.
    let subscription = Subscription::compile(&filter)?;
    group::kept(&state, &filter.scope, &filter.group).await?;
    subscriber::check(&state, &filter.scope, &subscription)?;
    let regexes = subscription.regexes();
    let put = move |tx: &mut Transaction<'_>| {
        let prefix = SubscriptionFilter::prefix_of(&filter.scope, &filter.group);
        let is_new = !tx.exists::<SubscriptionFilter>(&filter.key())?;
        if is_new && tx.count::<SubscriptionFilter>(&prefix)? >= FILTERS_MAX {
            return Err(Error::Limit);
        }
        if regexes > 0 {
            filters::check_regexes(tx, &filter.scope, &filter.group, None, Some(&filter.name))?;
        }
        tx.put(&filter)?;
        Ok(())
    };
    state.store.write(put).await?;
    state.filters.read(&state.store).map_err(Error::from)?;
    Ok(Nothing {})
}

/// Streams are written to in a role's name, functions are not.
fn check_role(input: &Input) -> Result<(), Error> {
    let vendor = arn::parse(&input.destination_arn).map(|arn| arn.service);
    match (vendor, &input.role_arn) {
        (Some(vendor @ ("kinesis" | "firehose")), None) => Err(Error::NoRole(vendor.to_owned())),
        (Some("lambda"), Some(_)) => Err(Error::LambdaWithRole),
        _ => Ok(()),
    }
}
