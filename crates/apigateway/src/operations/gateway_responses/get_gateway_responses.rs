use std::sync::Arc;

use pitbird_records::GatewayResponse;
use pitbird_service::{Call, Fault, Harmless};
use serde::{Deserialize, Serialize};

use crate::gateway_response::{self, KINDS};
use crate::{State, find, shape};

/// The list has no pages, with AWS neither.
pub const HARMLESS: Harmless = &["position", "limit"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
}

/// There are few kinds, and AWS gives them all at once.
#[derive(Debug, Serialize)]
pub struct Output {
    items: Vec<shape::GatewayResponse>,
}

/// All kinds of answers, each as it was put or else the default.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let own: Vec<GatewayResponse> = find::children(&state.store, &caller.scope, &input.rest_api_id)?;
    let items = KINDS.iter().map(|(kind, _)| {
        let own = own.iter().find(|response| response.response_type == *kind).cloned();
        let is_default = own.is_none();
        let default = || gateway_response::default(&caller.scope, &input.rest_api_id, kind);
        shape::GatewayResponse::new(own.unwrap_or_else(default), is_default)
    });
    Ok(Output { items: items.collect() })
}
