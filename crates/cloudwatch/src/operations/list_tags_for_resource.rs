use std::sync::Arc;

use pitbird_records::Alarm;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::tags::{self, Tag};
use crate::{Error, State};

#[derive(Debug, Deserialize)]
pub struct Input {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tags: Vec<Tag>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let name = tags::alarm_name(&input.resource_arn, &caller.scope)?;
    let found = state.store.get::<Alarm>(&Alarm::key_of(&caller.scope, &name)).map_err(Error::from)?;
    let alarm = found.ok_or(Error::NoResource(input.resource_arn))?.record;
    Ok(Output { tags: alarm.tags.into_iter().map(|(key, value)| Tag { key, value }).collect() })
}
