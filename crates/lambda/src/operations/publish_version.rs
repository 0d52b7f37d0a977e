use std::sync::Arc;

use pitbird_records::FunctionVersion;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::view::{self, Configuration};
use crate::{Error, State, Target, find, publishing};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    code_sha256: Option<String>,
    description: Option<String>,
    revision_id: Option<String>,
}

/// Makes an immutable copy of `$LATEST`, or answers the one that was made before if nothing has changed since.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Configuration, Fault> {
    let Call { caller, input, .. } = call;
    let target = Target::whole(&state.store, &caller, "PublishVersion", &input.function_name)?;
    let revisions = [state.revision(), state.revision()];
    let publish = move |tx: &mut Transaction<'_>| publish(tx, &target, input, revisions);
    Ok(Configuration::numbered(state.store.write(publish).await?))
}

fn publish(
    tx: &mut Transaction<'_>,
    target: &Target,
    input: Input,
    [revision_id, head_revision_id]: [String; 2],
) -> Result<FunctionVersion, Error> {
    let mut head = find::settled_head(tx, target)?;
    super::check_revision(input.revision_id.as_deref(), &head.revision_id)?;
    let found = view::base64_of_hex(&head.code.sha256_hex);
    if let Some(asked) = input.code_sha256.filter(|asked| !asked.is_empty() && *asked != found) {
        return Err(Error::CodeSha256 { asked, found });
    }
    if let Some(version) = publishing::unchanged(&head, find::versions(tx, target)?) {
        return Ok(version);
    }
    let mut version = publishing::publish(&mut head, revision_id);
    version.settings.description = input.description.unwrap_or(version.settings.description);
    head.revision_id = head_revision_id;
    tx.put(&version)?;
    tx.put(&head)?;
    Ok(version)
}
