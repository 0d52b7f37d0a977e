use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::location::Owner;
use crate::view::{Concurrency, Configuration};
use crate::{State, Target, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    configuration: Configuration,
    code: CodeLocation,
    tags: Option<Texts>,
    concurrency: Option<Concurrency>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CodeLocation {
    repository_type: &'static str,
    location: String,
}

/// A version with where its code can be had, and what belongs to the function as a whole.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, endpoint, now_ms, .. } = call;
    let target = Target::parse(
        &state.store,
        &caller,
        "GetFunction",
        &input.function_name,
        input.qualifier.as_deref(),
    )?;
    let version = find::version(&state.store, &target)?;
    let whole = find::head(&state.store, &target)?.function.unwrap_or_default();
    let (owner, sha256_hex) = (Owner::Function(&target.name), &version.code.sha256_hex);
    let location = state.locations.url(&endpoint, now_ms, &target.scope, owner, sha256_hex);
    let reserved = whole.reserved_concurrency;
    Ok(Output {
        configuration: Configuration::of(version, target.qualifier.as_ref()),
        code: CodeLocation { repository_type: "S3", location },
        tags: (!whole.tags.is_empty()).then_some(whole.tags),
        concurrency: reserved.map(|_| Concurrency { reserved_concurrent_executions: reserved }),
    })
}
