use std::sync::Arc;

use pitbird_records::session::user_id;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::own_session;
use crate::State;

#[derive(Debug, Deserialize)]
pub struct Input {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    user_id: String,
    account: String,
    arn: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let session = own_session(&state, &call.caller)?;
    let arn = call.caller.principal;
    let user_id = session.map_or_else(|| user_id(&arn), |session| session.user_id);
    Ok(Output { user_id, account: call.caller.scope.account.to_string(), arn })
}
