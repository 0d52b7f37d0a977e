use std::sync::Arc;

use pitbird_records::session::user_id;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use super::own_session;
use crate::credentials::{self, Credentials, Grant};
use crate::{Error, State};

/// Seconds, for a user. Source: STS API reference.
const DURATION_S: u32 = 43_200;
/// Seconds at most for the account's root, and what it gets when it asks for more. Source: STS API reference.
const ROOT_DURATION_S: u32 = 3600;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    duration_seconds: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    credentials: Credentials,
}

/// Credentials that stand for the caller himself.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    if own_session(&state, &caller)?.is_some() {
        return Err(Error::SessionOfSession.into());
    }
    let user_id = user_id(&caller.principal);
    let is_root = caller.principal.ends_with(":root");
    let duration_s = match input.duration_seconds {
        asked if is_root => asked.map_or(ROOT_DURATION_S, |asked| asked.min(ROOT_DURATION_S)),
        asked => asked.unwrap_or(DURATION_S),
    };
    let grant = Grant {
        account: caller.scope.account,
        principal: caller.principal,
        user_id,
        source_identity: None,
        duration_s,
        now_ms,
    };
    Ok(Output { credentials: credentials::make(&state, grant).await?.into() })
}
