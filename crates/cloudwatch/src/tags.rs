//! Tags of alarms, and the ARNs that name these.

use pitbird_names::{Scope, arn};
use pitbird_records::{Alarm, CompositeAlarm, Texts};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::{Error, State};

/// Tags of one alarm. Source: CloudWatch API reference.
const TAGS_MAX: usize = 50;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// Adds tags, of which a later value replaces an earlier one.
pub fn add(present: &mut Texts, more: Vec<Tag>) -> Result<(), Error> {
    if let Some(tag) = more.iter().find(|tag| tag.key.starts_with("aws:")) {
        return Err(Error::value("Tags", &tag.key));
    }
    present.extend(more.into_iter().map(|tag| (tag.key, tag.value)));
    if present.len() > TAGS_MAX {
        return Err(Error::TooMany { parameter: "Tags".to_owned(), limit: TAGS_MAX });
    }
    Ok(())
}

/// The name in `arn:aws:cloudwatch:{region}:{account}:alarm:{name}`, which may have colons itself.
pub fn alarm_name(text: &str, scope: &Scope) -> Result<String, Error> {
    let parts = arn::parse(text).filter(|parts| parts.service == "cloudwatch");
    let parts = parts.ok_or_else(|| Error::value("ResourceARN", text))?;
    let is_own = parts.region == scope.region.as_str() && parts.account == scope.account.as_str();
    let name = parts.resource.strip_prefix("alarm:").filter(|_| is_own);
    name.map(str::to_owned).ok_or_else(|| Error::NoResource(text.to_owned()))
}

/// Changes the tags of the alarm with this ARN.
pub async fn change(
    state: &State,
    scope: Scope,
    arn: String,
    change: impl FnOnce(&mut Texts) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let name = alarm_name(&arn, &scope)?;
    let write = move |tx: &mut Transaction<'_>| {
        let key = Alarm::key_of(&scope, &name);
        if let Some(mut alarm) = tx.get::<Alarm>(&key)?.map(|found| found.record) {
            change(&mut alarm.head.tags)?;
            tx.put(&alarm)?;
        } else if let Some(mut alarm) = tx.get::<CompositeAlarm>(&key)?.map(|found| found.record) {
            change(&mut alarm.head.tags)?;
            tx.put(&alarm)?;
        } else {
            return Err(Error::NoResource(arn));
        }
        Ok(())
    };
    state.store.write(write).await
}
