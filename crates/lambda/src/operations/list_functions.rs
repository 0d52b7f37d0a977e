use std::collections::HashMap;
use std::sync::Arc;

use pitbird_names::VersionId;
use pitbird_records::{FunctionVersion, prefix};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::State;
use crate::find::{self, Records};
use crate::page::Page;
use crate::update::Update;
use crate::view::Configuration;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    /// `ALL`: every version, not only `$LATEST`.
    function_version: Option<String>,
    marker: Option<String>,
    max_items: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    functions: Vec<Configuration>,
    next_marker: Option<String>,
}

/// The functions by their names.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let page = Page::parse(input.marker.as_deref(), input.max_items)?;
    let wants_all = input.function_version.is_some();
    // The snapshot has them all in memory; pages must not read every function's record each.
    let snapshot = state.store.snapshot();
    let own = snapshot.functions().filter(|function| function.scope == caller.scope);
    let versions = own.flat_map(|function| function.versions.values()).map(|version| &version.record);
    let mut versions: Vec<&FunctionVersion> =
        versions.filter(|version| wants_all || version.version == VersionId::Latest).collect();
    versions.sort_by(|one, other| (&one.name, one.version).cmp(&(&other.name, other.version)));
    let (versions, next_marker) =
        page.cut(versions, |version| format!("{}/{}", version.name, super::version_key(version.version)));
    let updates: Vec<Update> = Records::list(&state.store, &prefix(&caller.scope, &[]))?;
    let mut updates: HashMap<String, Update> =
        updates.into_iter().map(|update| (update.name.clone(), update)).collect();
    let shown = |version: &FunctionVersion| match version.version {
        VersionId::Latest => find::shown(version.clone(), updates.remove(&version.name)),
        VersionId::Number(_) => version.clone(),
    };
    let functions = versions.into_iter().map(shown).map(|version| Configuration::listed(version, wants_all));
    Ok(Output { functions: functions.collect(), next_marker })
}
