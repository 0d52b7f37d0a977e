use std::sync::Arc;

use pitbird_records::{LogGroup, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use super::Nothing;
use crate::{Error, State, group, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name: String,
    tags: Option<Texts>,
    log_group_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    if let Some(class) = input.log_group_class.filter(|class| class != "STANDARD") {
        return Err(Error::unsupported(format!("logGroupClass {class}")).into());
    }
    let (scope, name) = (caller.scope, input.log_group_name);
    let mut texts = Texts::new();
    tags::add(&mut texts, input.tags.unwrap_or_default(), &scope, &name)?;
    if group::made_by_telemetry(&state, &scope, &name).await?.is_some() {
        return Err(Error::GroupExists.into());
    }
    let group = LogGroup {
        scope,
        name,
        created_ms: now_ms,
        retention_days: None,
        is_protected: input.deletion_protection_enabled.unwrap_or(false),
        tags: texts,
    };
    let create = move |tx: &mut Transaction<'_>| {
        if tx.exists::<LogGroup>(&LogGroup::key_of(&group.scope, &group.name))? {
            return Err(Error::GroupExists);
        }
        tx.put(&group)?;
        Ok(())
    };
    state.store.write(create).await?;
    Ok(Nothing {})
}
