use std::sync::Arc;

use pitbird_records::{FunctionDeployment, prefix};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::find::Records;
use crate::{Error, State, find, page};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: Option<String>,
    deployment_group_name: Option<String>,
    include_only_statuses: Option<Vec<String>>,
    create_time_range: Option<TimeRange>,
    next_token: Option<String>,
}

/// Epoch seconds; an end that is left out is open.
#[derive(Debug, Deserialize)]
struct TimeRange {
    start: Option<f64>,
    end: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    deployments: Vec<String>,
    next_token: Option<String>,
}

/// The newest first.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let store = &state.parts.store;
    let (application, group) = match (&input.application_name, &input.deployment_group_name) {
        (None, Some(_)) => {
            let words = "An application name is required where a deployment group is given.";
            return Err(Error::invalid("ApplicationNameRequiredException", words).into());
        }
        (Some(_), None) => {
            let words = "A deployment group name is required where an application is given.";
            return Err(Error::invalid("DeploymentGroupNameRequiredException", words).into());
        }
        (None, None) => (None, None),
        (Some(application), Some(group)) => {
            let application = find::application(store, &caller.scope, application)?;
            let group = find::group(store, &application, group)?;
            (Some(application.id), Some(group.id))
        }
    };
    let range = range(input.create_time_range)?;
    let statuses = input.include_only_statuses.filter(|statuses| !statuses.is_empty());
    let all = Records::list::<FunctionDeployment>(store, &prefix(&caller.scope, &[]));
    let mut found: Vec<FunctionDeployment> = all.map_err(Error::from)?;
    found.retain(|deployment| {
        application.as_ref().is_none_or(|id| *id == deployment.application_id)
            && group.as_ref().is_none_or(|id| *id == deployment.group_id)
            && statuses.as_ref().is_none_or(|wanted| wanted.iter().any(|it| it == deployment.status.as_str()))
            && range.contains(&deployment.created_ms)
    });
    let place =
        |deployment: &FunctionDeployment| page::timed(Some(deployment.created_ms), true, &deployment.id);
    found.sort_by_cached_key(place);
    let (found, next_token) = page::cut(found, place, input.next_token.as_deref())?;
    Ok(Output { deployments: found.into_iter().map(|deployment| deployment.id).collect(), next_token })
}

/// Epoch milliseconds.
fn range(given: Option<TimeRange>) -> Result<std::ops::RangeInclusive<i64>, Error> {
    let (start, end) = given.map_or((None, None), |range| (range.start, range.end));
    let ms = |seconds: f64| (seconds * 1000.0) as i64;
    let (start, end) = (start.map_or(i64::MIN, ms), end.map_or(i64::MAX, ms));
    if start > end {
        let words = "The specified time range was specified in an invalid format.";
        return Err(Error::invalid("InvalidTimeRangeException", words));
    }
    Ok(start..=end)
}
