use std::sync::Arc;

use pitbird_names::Qualifier;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::routing::{self, RoutingConfig};
use crate::{Error, State, Target, find, provisioned, view};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    name: String,
    function_version: Option<String>,
    description: Option<String>,
    routing_config: Option<RoutingConfig>,
    revision_id: Option<String>,
}

/// Moves an alias. A routing that is left out stays, an empty one goes.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<view::Alias, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "UpdateAlias", &input.function_name)?;
    let version = input.function_version.as_deref();
    let version = version.map(|version| routing::parse_version(version, &target)).transpose()?;
    let routing = input.routing_config.as_ref();
    let additional = routing.map(|config| routing::parse(config, &target)).transpose()?;
    let revision_id = state.revision();
    let update = move |tx: &mut Transaction<'_>| {
        let named = target.with(Qualifier::Alias(input.name.clone()));
        let alias = find::alias(tx, &target, &input.name)?;
        let mut alias = alias.ok_or_else(|| Error::UnknownAliasToUpdate(named.arn()))?;
        super::check_revision(input.revision_id.as_deref(), &alias.revision_id)?;
        alias.version = version.unwrap_or(alias.version);
        alias.additional = additional.unwrap_or(alias.additional);
        alias.description = input.description.unwrap_or(alias.description);
        alias.revision_id = revision_id;
        routing::check(&alias, |version| find::version(tx, &target.with(Qualifier::Version(version))))?;
        if version.is_some() || additional.is_some() {
            provisioned::check_moved(&*tx, &alias, &target)?;
        }
        tx.put(&alias)?;
        Ok::<_, Error>(alias)
    };
    Ok(state.store.write(update).await?.into())
}
