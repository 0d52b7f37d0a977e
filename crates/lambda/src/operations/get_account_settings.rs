use std::sync::Arc;

use pitbird_names::limits;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{State, code, concurrency};

#[derive(Debug, Deserialize)]
pub struct Input {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    account_limit: Limit,
    account_usage: Usage,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Limit {
    total_code_size: u64,
    code_size_unzipped: u64,
    code_size_zipped: usize,
    concurrent_executions: u32,
    unreserved_concurrent_executions: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Usage {
    total_code_size: u64,
    function_count: usize,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let scope = call.caller.scope;
    let snapshot = state.store.snapshot();
    let own = || snapshot.functions().filter(|function| function.scope == scope);
    let owned = concurrency::owned_total(&state.store, &scope)?;
    Ok(Output {
        account_limit: Limit {
            total_code_size: code::STORAGE_BYTES_MAX,
            code_size_unzipped: limits::UNZIPPED_BYTES,
            code_size_zipped: limits::ZIP_BYTES,
            concurrent_executions: concurrency::ACCOUNT_MAX,
            unreserved_concurrent_executions: concurrency::ACCOUNT_MAX.saturating_sub(owned),
        },
        account_usage: Usage {
            total_code_size: code::stored_bytes(&state, &scope)?,
            function_count: own().count(),
        },
    })
}
