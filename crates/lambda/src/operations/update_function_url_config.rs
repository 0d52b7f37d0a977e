use std::sync::Arc;

use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::url::{self, View, WantedCors};
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
    auth_type: Option<String>,
    cors: Option<WantedCors>,
    invoke_mode: Option<String>,
}

/// Changes a URL; what isn't given stays.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<View, Fault> {
    let Call { caller, input, now_ms, endpoint, .. } = call;
    let update = move |tx: &mut Transaction<'_>| {
        let operation = "UpdateFunctionUrlConfig";
        let target = url::target(tx, &caller, operation, &input.function_name, input.qualifier.as_deref())?;
        let mut url = url::find(&*tx, &target)?;
        url.is_signed = input.auth_type.map_or(url.is_signed, |auth_type| url::is_signed(&auth_type));
        url.cors = input.cors.map(Into::into).or(url.cors);
        url.is_streamed = input.invoke_mode.map_or(url.is_streamed, |mode| url::is_streamed(&mode));
        url.modified_ms = now_ms;
        tx.put(&url)?;
        Ok::<_, Error>(url)
    };
    Ok(View::of(state.store.write(update).await?, &endpoint))
}
