//! Log groups: what the store keeps of them and what telemetry knows of them, joined.

use std::collections::BTreeMap;

use pitbird_names::Scope;
use pitbird_records::LogGroup;
use pitbird_store::Transaction;
use pitbird_telemetry::logs::{StreamOrder, StreamQuery};

use crate::{Error, State};

/// A group with the bytes that its streams have taken.
pub struct Group {
    pub record: LogGroup,
    pub stored_bytes: u64,
}

/// A group that the data plane has made: nobody has set anything on it.
fn bare(scope: &Scope, name: &str, created_ms: i64) -> LogGroup {
    LogGroup {
        scope: scope.clone(),
        name: name.to_owned(),
        created_ms,
        retention_days: None,
        is_protected: false,
        tags: BTreeMap::new(),
    }
}

/// All groups of a scope by their names.
pub async fn all(state: &State, scope: &Scope) -> Result<Vec<Group>, Error> {
    let recorded = state.store.list::<LogGroup>(&LogGroup::prefix_of(scope))?;
    let mut groups: BTreeMap<String, Group> = recorded
        .into_iter()
        .map(|found| (found.record.name.clone(), Group { record: found.record, stored_bytes: 0 }))
        .collect();
    for found in state.telemetry.groups(scope).await? {
        let record = || Group { record: bare(scope, &found.name, found.created_ms), stored_bytes: 0 };
        groups.entry(found.name.clone()).or_insert_with(record).stored_bytes = found.stored_bytes;
    }
    Ok(groups.into_values().collect())
}

/// The record of a group that must exist; `None` for one that nobody has set anything on.
pub async fn kept(state: &State, scope: &Scope, name: &str) -> Result<Option<LogGroup>, Error> {
    if let Some(found) = state.store.get::<LogGroup>(&LogGroup::key_of(scope, name))? {
        return Ok(Some(found.record));
    }
    // Most groups have a stream, and looking for one is cheaper than adding up what all of them have taken.
    let query = StreamQuery {
        scope: scope.clone(),
        group: name.to_owned(),
        prefix: None,
        order: StreamOrder::Name,
        descending: false,
        limit: 1,
        token: None,
    };
    let has_stream = !state.telemetry.streams(query).await?.streams.is_empty();
    if has_stream || made_by_telemetry(state, scope, name).await?.is_some() {
        return Ok(None);
    }
    Err(Error::NoGroup)
}

/// A group that must exist.
pub async fn find(state: &State, scope: &Scope, name: &str) -> Result<LogGroup, Error> {
    match state.store.get::<LogGroup>(&LogGroup::key_of(scope, name))? {
        Some(found) => Ok(found.record),
        None => made_by_telemetry(state, scope, name).await?.ok_or(Error::NoGroup),
    }
}

/// A group as telemetry knows it; `None` if it doesn't.
pub async fn made_by_telemetry(state: &State, scope: &Scope, name: &str) -> Result<Option<LogGroup>, Error> {
    let groups = state.telemetry.groups(scope).await?;
    let found = groups.into_iter().find(|group| group.name == name);
    Ok(found.map(|group| bare(scope, &group.name, group.created_ms)))
}

/// Changes a group that must exist; one without a record gets one.
pub async fn change<F>(state: &State, scope: &Scope, name: &str, change: F) -> Result<(), Error>
where
    F: FnOnce(&mut LogGroup) -> Result<(), Error> + Send + 'static,
{
    let seen = find(state, scope, name).await?;
    let write = move |tx: &mut Transaction<'_>| {
        let key = LogGroup::key_of(&seen.scope, &seen.name);
        let mut group = tx.get::<LogGroup>(&key)?.map_or(seen, |found| found.record);
        change(&mut group)?;
        tx.put(&group)?;
        Ok(())
    };
    state.store.write(write).await
}
