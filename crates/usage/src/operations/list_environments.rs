use std::sync::Arc;

use pitbird_names::FunctionRef;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::limit;
use crate::{Environments, Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    /// A function's name or ARN; without it those of all functions.
    function_name: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    environments: Vec<Environments>,
    next_token: Option<String>,
}

/// The environments of functions' versions at this moment, by name and version; those without any are left out.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let function =
        input.function_name.map(|name| FunctionRef::parse(&name).map_err(|_| Error::Function(name)));
    let function = function.transpose()?;
    let limit = limit(input.max_results)?;
    let is_wanted = |found: &Environments| {
        let is_it =
            |of: &FunctionRef| of.name == found.function_name && of.scope(&caller.scope) == caller.scope;
        function.as_ref().is_none_or(is_it)
    };
    let mut environments = (state.environments)(&caller.scope);
    environments.retain(is_wanted);
    environments.sort_by_key(Environments::key);
    if let Some(token) = &input.next_token {
        environments.retain(|found| found.key() > *token);
    }
    let is_last = environments.len() <= limit;
    environments.truncate(limit);
    let next_token = environments.last().filter(|_| !is_last).map(Environments::key);
    Ok(Output { environments, next_token })
}
