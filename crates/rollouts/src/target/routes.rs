//! What a rollout watches apart: routes of the stage's two deployments, if it names any, or each of several functions.

use std::collections::BTreeSet;

use pitbird_analysis::routes::ROUTES_MAX;
use pitbird_names::Scope;
use pitbird_records::rollout::{StageTarget, Target};
use pitbird_records::{Deployment, key};
use pitbird_store::Transaction;

use crate::Error;

/// Stands for all routes that the canary has.
pub const ALL: &str = "*";

/// The routes by their names, `GET /pets/{id}`, if there are such. A misspelt one would never see a request.
pub fn find(
    tx: &Transaction<'_>,
    scope: &Scope,
    target: &Target,
    routes: Vec<String>,
) -> Result<Vec<String>, Error> {
    if let Target::LambdaAliases(aliases) = target {
        return match routes.is_empty() {
            true => Ok(aliases.iter().map(|alias| alias.function.clone()).collect()),
            false => Err(Error::invalid(
                "Routes goes with Target.RestStage only: of several functions each is watched apart.",
            )),
        };
    }
    if routes.is_empty() {
        return Ok(routes);
    }
    let Target::RestStage(target) = target else {
        return Err(Error::invalid("Routes goes with Target.RestStage only."));
    };
    let StageTarget { api_id, base, canary, .. } = target.as_ref();
    let of = |deployment: &str| -> Result<BTreeSet<String>, Error> {
        let found = tx.get::<Deployment>(&key(scope, &[api_id, deployment]))?;
        Ok(found.map(|found| names(&found.record)).unwrap_or_default())
    };
    let of_canary = of(canary)?;
    if routes == [ALL] {
        if of_canary.len() > ROUTES_MAX {
            let words =
                format!("Deployment {canary} has {} routes; name at most {ROUTES_MAX}.", of_canary.len());
            return Err(Error::invalid(words));
        }
        return Ok(of_canary.into_iter().collect());
    }
    let of_base = of(base)?;
    match routes.iter().find(|route| !of_canary.contains(*route) && !of_base.contains(*route)) {
        Some(route) => {
            Err(Error::invalid(format!("Route {route:?} is neither in deployment {canary} nor in {base}.")))
        }
        None => Ok(routes),
    }
}

fn names(deployment: &Deployment) -> BTreeSet<String> {
    let verbs = deployment
        .resources
        .iter()
        .flat_map(|resource| resource.methods.keys().map(|verb| format!("{verb} {}", resource.path)));
    verbs.collect()
}
