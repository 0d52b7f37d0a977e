use std::sync::Arc;

use pitbird_records::FunctionUrl;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::view::Nothing;
use crate::{Error, State, url};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    qualifier: Option<String>,
}

/// Takes a URL away; its id is never given again.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Nothing, Fault> {
    let Call { caller, input, .. } = call;
    let delete = move |tx: &mut Transaction<'_>| {
        let operation = "DeleteFunctionUrlConfig";
        let target = url::target(tx, &caller, operation, &input.function_name, input.qualifier.as_deref())?;
        url::find(&*tx, &target)?;
        tx.delete::<FunctionUrl>(&url::key(&target))?;
        Ok::<_, Error>(())
    };
    state.store.write(delete).await?;
    Ok(Nothing {})
}
