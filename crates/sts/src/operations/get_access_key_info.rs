use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::{Error, State, key_id};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    access_key_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    account: String,
}

/// The account that the id itself names, whether such a key was ever given out or not; the caller's own key is the caller's
/// account's, whatever its form.
pub async fn run(_: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let account = match caller.access_key_id {
        Some(own) if own == input.access_key_id => caller.scope.account,
        _ => key_id::account(&input.access_key_id).ok_or(Error::KeyId(input.access_key_id))?,
    };
    Ok(Output { account: account.to_string() })
}
