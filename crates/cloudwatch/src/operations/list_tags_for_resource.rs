use std::sync::Arc;

use pitbird_records::{Alarm, CompositeAlarm};
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
    let key = Alarm::key_of(&caller.scope, &name);
    let tags = match state.store.get::<Alarm>(&key).map_err(Error::from)? {
        Some(found) => found.record.head.tags,
        None => {
            let found = state.store.get::<CompositeAlarm>(&key).map_err(Error::from)?;
            found.ok_or(Error::NoResource(input.resource_arn))?.record.head.tags
        }
    };
    Ok(Output { tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect() })
}
