use std::sync::Arc;

use pitbird_records::prefix;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::target::start;
use crate::{Error, Rollout, State, page, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    status: Option<String>,
    target: Option<shape::Target>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    rollouts: Vec<shape::Rollout>,
    next_token: Option<String>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let claims = input.target.map(start::claims).transpose()?;
    let all = state.parts.store.list::<Rollout>(&prefix(&caller.scope, &[])).map_err(Error::from)?;
    let is_wanted = |rollout: &Rollout| {
        let of = rollout.target.claims();
        let is_on_target = claims.iter().flatten().all(|claim| of.contains(claim));
        is_on_target && input.status.as_deref().is_none_or(|wanted| wanted == shape::status(rollout))
    };
    let found = all.into_iter().map(|found| found.record).filter(is_wanted).collect();
    let name = |rollout: &Rollout| rollout.name.clone();
    let (found, next_token) = page::cut(found, name, input.next_token.as_deref(), input.max_results)?;
    let shaped = |rollout: &Rollout| shape::Rollout::new(rollout, &state.parts.prices);
    Ok(Output { rollouts: found.iter().map(shaped).collect(), next_token })
}
