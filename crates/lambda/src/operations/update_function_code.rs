use std::sync::Arc;

use pitbird_records::FunctionVersion;
use pitbird_records::function::{Code, LastUpdate, State as FunctionState};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::Blob;
use serde::Deserialize;

use crate::code;
use crate::source::Source;
use crate::update::Update;
use crate::view::Configuration;
use crate::{Error, State, Target, find, layer, publishing, settings};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    zip_file: Option<Blob>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
    publish: Option<bool>,
    dry_run: Option<bool>,
    revision_id: Option<String>,
    architectures: Option<Vec<String>>,
}

/// What a change has to know beside the function's records.
struct Change {
    target: Target,
    code: Code,
    asked_revision: Option<String>,
    publishes: bool,
    revisions: [String; 2],
    now_ms: i64,
}

/// Gives `$LATEST` new code, and publishes it if asked to.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Configuration, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    let target = Target::whole(&state.store, &caller, "UpdateFunctionCode", &input.function_name)?;
    find::head(&state.store, &target)?;
    settings::check_architectures(input.architectures.as_deref())?;
    let source = Source {
        zip_file: input.zip_file,
        s3_bucket: input.s3_bucket,
        s3_key: input.s3_key,
        s3_object_version: input.s3_object_version,
    };
    let upload = source.upload(&state, &target.scope).await?;
    code::check_room(&state, &target.scope, upload.code.size_bytes)?;
    if input.dry_run == Some(true) {
        let head = find::settled_head(&state.store, &target)?;
        super::check_revision(input.revision_id.as_deref(), &head.revision_id)?;
        let head = FunctionVersion { code: upload.check(&state).await?, ..head };
        layer::check_size(&head.code, &head.settings.layers)?;
        return Ok(Configuration::of(head, None));
    }
    let change = Change {
        target: target.clone(),
        code: upload.store(&state).await?,
        asked_revision: input.revision_id,
        publishes: input.publish == Some(true),
        revisions: [state.revision(), state.revision()],
        now_ms,
    };
    let (shown, published) = state.store.write(|tx| change.write(tx)).await?;
    state.preparations.start(&target);
    Ok(published.map_or_else(|| Configuration::of(shown, None), Configuration::numbered))
}

impl Change {
    /// Answers `$LATEST` as callers see it, and the version that was published.
    fn write(self, tx: &mut Transaction<'_>) -> Result<(FunctionVersion, Option<FunctionVersion>), Error> {
        let mut head = find::settled_head(tx, &self.target)?;
        super::check_revision(self.asked_revision.as_deref(), &head.revision_id)?;
        layer::check_size(&self.code, &head.settings.layers)?;
        let [revision_id, published_revision_id] = self.revisions;
        let (scope, name, settings) = (head.scope.clone(), head.name.clone(), head.settings.clone());
        let update = Update { scope, name, settings, code: self.code, revision_id, modified_ms: self.now_ms };
        tx.put(&update)?;
        let mut next = update.clone().applied(head.clone());
        let published = match self.publishes {
            false => None,
            true => Some(match publishing::unchanged(&next, find::versions(tx, &self.target)?) {
                Some(version) => version,
                None => {
                    let version = FunctionVersion {
                        state: FunctionState::Pending,
                        last_update: LastUpdate::None,
                        ..publishing::publish(&mut next, published_revision_id)
                    };
                    tx.put(&version)?;
                    head.function = next.function;
                    tx.put(&head)?;
                    version
                }
            }),
        };
        Ok((update.shown(head), published))
    }
}
