use std::sync::Arc;

use pitbird_records::{RestApi, key, rollout::Target};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::measured::{self, Measures, PairMeasures};
use crate::{Error, State, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    measures: Vec<Measures>,
    pairs: Option<Vec<PairMeasures>>,
}

/// What metrics say of both arms in the newest minute that has any, each for itself; and the last minutes' pairs.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let store = &state.parts.store;
    let rollout = find::rollout(store, &caller.scope, &input.name)?;
    // An API that is gone has no name, by which its metrics could be found.
    let api_name = match &rollout.target {
        Target::RestStage(target) => {
            let api = store.get::<RestApi>(&key(&rollout.scope, &[&target.api_id])).map_err(Error::from)?;
            api.map(|api| api.record.name).unwrap_or_default()
        }
        Target::LambdaAlias(_) | Target::LambdaAliases(_) => String::new(),
    };
    let now_ms = (state.parts.clock)();
    let wanted = measured::wanted(&rollout, &api_name, now_ms);
    let queries = wanted.queries();
    let found = (state.parts.samples)(queries).await.map_err(Error::Samples)?;
    Ok(Output { measures: wanted.measures(&found), pairs: measured::pairs(&rollout, now_ms) })
}
