use std::sync::Arc;

use pitbird_names::{Qualifier, VersionId};
use pitbird_records::{
    Alias, EventInvokeConfig, FunctionPolicy, FunctionUrl, FunctionVersion, ProvisionedConcurrency, key,
};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::update::Update;
use crate::view::Nothing;
use crate::{Error, State, Target, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
}

/// Deletes a function with all that is its own, or one published version.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::parse(
        &state.store,
        &caller,
        "DeleteFunction",
        &input.function_name,
        input.qualifier.as_deref(),
    )?;
    let delete = move |tx: &mut Transaction<'_>| match &target.qualifier {
        None => whole(tx, &target),
        Some(Qualifier::Version(VersionId::Latest)) => Err(Error::LatestNotDeletable),
        Some(Qualifier::Version(version)) => one_version(tx, &target, *version),
        Some(Qualifier::Alias(_)) => Err(Error::AliasNotDeletable),
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}

fn whole(tx: &mut Transaction<'_>, target: &Target) -> Result<(), Error> {
    if tx.delete_all::<FunctionVersion>(&target.prefix())? == 0 {
        return Err(target.not_found());
    }
    tx.delete_all::<Alias>(&target.prefix())?;
    tx.delete_all::<FunctionPolicy>(&target.prefix())?;
    tx.delete_all::<EventInvokeConfig>(&target.prefix())?;
    tx.delete_all::<FunctionUrl>(&target.prefix())?;
    tx.delete_all::<ProvisionedConcurrency>(&target.prefix())?;
    tx.delete::<Update>(&key(&target.scope, &[&target.name]))?;
    Ok(())
}

/// Deleting a version that isn't there succeeds; deleting one that an alias leads to would cut the alias off.
fn one_version(tx: &mut Transaction<'_>, target: &Target, version: VersionId) -> Result<(), Error> {
    find::head(tx, &Target { qualifier: None, ..target.clone() })?;
    let uses = |alias: &Alias| {
        alias.version == version || alias.additional.is_some_and(|additional| additional.version == version)
    };
    let aliases = find::aliases(tx, target)?;
    let users: Vec<&str> =
        aliases.iter().filter(|alias| uses(alias)).map(|alias| alias.name.as_str()).collect();
    if !users.is_empty() {
        return Err(Error::VersionInUse { arn: target.arn(), aliases: users.join(", ") });
    }
    let key = target.key(&version.to_string());
    tx.delete::<FunctionVersion>(&key)?;
    tx.delete::<FunctionPolicy>(&key)?;
    tx.delete::<EventInvokeConfig>(&key)?;
    tx.delete::<ProvisionedConcurrency>(&key)?;
    Ok(())
}
