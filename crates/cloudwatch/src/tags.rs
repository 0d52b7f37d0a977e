//! Tags of alarms and dashboards, and the ARNs that name these.

use pitbird_names::{Scope, arn};
use pitbird_records::{Alarm, CompositeAlarm, Dashboard, Texts};
use pitbird_store::{Store, Transaction};
use serde::{Deserialize, Serialize};

use crate::{Error, State};

/// Tags of one alarm or dashboard. Source: CloudWatch API reference.
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

/// What an ARN of CloudWatch's names.
enum Named {
    /// By the name, which may have colons itself.
    Alarm(String),
    Dashboard(String),
}

/// Reads `arn:aws:cloudwatch:{region}:{account}:alarm:{name}` and `arn:aws:cloudwatch::{account}:dashboard/{name}`.
fn named(text: &str, scope: &Scope) -> Result<Named, Error> {
    let parts = arn::parse(text).filter(|parts| parts.service == "cloudwatch");
    let parts = parts.ok_or_else(|| Error::value("ResourceARN", text))?;
    let foreign = || Error::NoResource(text.to_owned());
    if parts.account != scope.account.as_str() {
        return Err(foreign());
    }
    if let (Some(name), true) = (parts.resource.strip_prefix("alarm:"), parts.region == scope.region.as_str())
    {
        return Ok(Named::Alarm(name.to_owned()));
    }
    let name = parts.resource.strip_prefix("dashboard/").filter(|_| parts.region.is_empty());
    name.map(|name| Named::Dashboard(name.to_owned())).ok_or_else(foreign)
}

/// The tags of what has this ARN.
pub fn of(store: &Store, scope: &Scope, arn: &str) -> Result<Texts, Error> {
    let tags = match named(arn, scope)? {
        Named::Alarm(name) => {
            let key = Alarm::key_of(scope, &name);
            match store.get::<Alarm>(&key)? {
                Some(found) => Some(found.record.head.tags),
                None => store.get::<CompositeAlarm>(&key)?.map(|found| found.record.head.tags),
            }
        }
        Named::Dashboard(name) => {
            let key = Dashboard::key_of(&scope.account, &name);
            store.get::<Dashboard>(&key)?.map(|found| found.record.tags)
        }
    };
    tags.ok_or_else(|| Error::NoResource(arn.to_owned()))
}

/// Changes the tags of what has this ARN.
pub async fn change(
    state: &State,
    scope: Scope,
    arn: String,
    change: impl FnOnce(&mut Texts) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let named = named(&arn, &scope)?;
    let write = move |tx: &mut Transaction<'_>| {
        match named {
            Named::Alarm(name) => {
                let key = Alarm::key_of(&scope, &name);
                if let Some(mut alarm) = tx.get::<Alarm>(&key)?.map(|found| found.record) {
                    change(&mut alarm.head.tags)?;
                    tx.put(&alarm)?;
                    return Ok(());
                }
                if let Some(mut alarm) = tx.get::<CompositeAlarm>(&key)?.map(|found| found.record) {
                    change(&mut alarm.head.tags)?;
                    tx.put(&alarm)?;
                    return Ok(());
                }
            }
            Named::Dashboard(name) => {
                let key = Dashboard::key_of(&scope.account, &name);
                if let Some(mut dashboard) = tx.get::<Dashboard>(&key)?.map(|found| found.record) {
                    change(&mut dashboard.tags)?;
                    tx.put(&dashboard)?;
                    return Ok(());
                }
            }
        }
        Err(Error::NoResource(arn))
    };
    state.store.write(write).await
}
