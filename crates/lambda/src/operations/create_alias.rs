use std::sync::Arc;

use pitbird_names::Qualifier;
use pitbird_records::Alias;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::routing::{self, RoutingConfig};
use crate::{Error, State, Target, find, view};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    name: String,
    function_version: String,
    description: Option<String>,
    routing_config: Option<RoutingConfig>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<view::Alias, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "CreateAlias", &input.function_name)?;
    let routing = input.routing_config.as_ref();
    let additional = routing.map(|config| routing::parse(config, &target)).transpose()?;
    let alias = Alias {
        scope: target.scope.clone(),
        function: target.name.clone(),
        name: input.name,
        version: routing::parse_version(&input.function_version, &target)?,
        description: input.description.unwrap_or_default(),
        revision_id: state.revision(),
        additional: additional.flatten(),
    };
    let create = move |tx: &mut Transaction<'_>| {
        find::head(tx, &target)?;
        if find::alias(tx, &target, &alias.name)?.is_some() {
            return Err(Error::AliasExists(view::alias_arn(&alias)));
        }
        routing::check(&alias, |version| find::version(tx, &target.with(Qualifier::Version(version))))?;
        tx.put(&alias)?;
        Ok(alias)
    };
    Ok(state.store.write(create).await?.into())
}
