use std::sync::Arc;

use pitbird_names::Qualifier;
use pitbird_records::FunctionUrl;
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
    auth_type: String,
    cors: Option<WantedCors>,
    invoke_mode: Option<String>,
}

/// Gives a function or an alias a URL.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<View, Fault> {
    let Call { caller, input, now_ms, endpoint, .. } = call;
    let is_mode_given = input.invoke_mode.is_some();
    let url_id = url::id([(state.entropy)(), (state.entropy)()]);
    let create = move |tx: &mut Transaction<'_>| {
        let operation = "CreateFunctionUrlConfig";
        let target = url::target(tx, &caller, operation, &input.function_name, input.qualifier.as_deref())?;
        if tx.exists::<FunctionUrl>(&url::key(&target))? {
            return Err(Error::UrlExists(target.arn()));
        }
        let url = FunctionUrl {
            scope: target.scope,
            function: target.name,
            alias: target.qualifier.as_ref().map(Qualifier::to_string),
            url_id,
            is_signed: url::is_signed(&input.auth_type),
            cors: input.cors.map(Into::into),
            is_streamed: input.invoke_mode.as_deref().is_some_and(url::is_streamed),
            created_ms: now_ms,
            modified_ms: now_ms,
        };
        tx.put(&url)?;
        Ok(url)
    };
    Ok(View::created(state.store.write(create).await?, &endpoint, is_mode_given))
}
