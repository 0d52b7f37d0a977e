use std::sync::Arc;

use pitbird_records::function::LayerUse;
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::Deserialize;

use crate::settings::{
    self, DeadLetterConfig, Environment, EphemeralStorage, FileSystemConfig, Harmless, LoggingConfig,
    SnapStart, TracingConfig, VpcConfig, Wanted,
};
use crate::update::Update;
use crate::view::Configuration;
use crate::{Error, State, Target, find, layer, role};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    revision_id: Option<String>,
    role: Option<String>,
    runtime: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<u32>,
    memory_size: Option<u32>,
    ephemeral_storage: Option<EphemeralStorage>,
    environment: Option<Environment>,
    logging_config: Option<LoggingConfig>,
    vpc_config: Option<VpcConfig>,
    dead_letter_config: Option<DeadLetterConfig>,
    #[serde(rename = "KMSKeyArn")]
    kms_key_arn: Option<String>,
    tracing_config: Option<TracingConfig>,
    layers: Option<Vec<String>>,
    file_system_configs: Option<Vec<FileSystemConfig>>,
    snap_start: Option<SnapStart>,
}

/// Changes `$LATEST`'s settings.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Configuration, Fault> {
    let Call { caller, mut input, now_ms, .. } = call;
    let target = Target::whole(&state.store, &caller, "UpdateFunctionConfiguration", &input.function_name)?;
    if let Some(role) = &input.role {
        role::check(&state.store, &caller.scope, role)?;
    }
    let (revision_id, asked) = (state.revision(), input.revision_id.take());
    let layers = input.layers.take().map(|arns| layer::resolve(&state.store, &caller, &arns)).transpose()?;
    let wanted = input.wanted(layers);
    let change = {
        let target = target.clone();
        move |tx: &mut Transaction<'_>| {
            let head = find::settled_head(tx, &target)?;
            super::check_revision(asked.as_deref(), &head.revision_id)?;
            let mut settings = head.settings.clone();
            settings::change(&mut settings, wanted)?;
            layer::check_size(&head.code, &settings.layers)?;
            let (scope, name, code) = (head.scope.clone(), head.name.clone(), head.code.clone());
            let update = Update { scope, name, settings, code, revision_id, modified_ms: now_ms };
            tx.put(&update)?;
            Ok::<_, Error>(update.shown(head))
        }
    };
    let shown = state.store.write(change).await?;
    state.preparations.start(&target);
    Ok(Configuration::of(shown, None))
}

impl Input {
    fn wanted(self, layers: Option<Vec<LayerUse>>) -> Wanted {
        Wanted {
            runtime: self.runtime,
            handler: self.handler,
            role: self.role,
            description: self.description,
            timeout: self.timeout,
            memory_size: self.memory_size,
            ephemeral_storage: self.ephemeral_storage,
            environment: self.environment,
            logging_config: self.logging_config,
            layers,
            tracing_config: self.tracing_config,
            harmless: Harmless {
                vpc_config: self.vpc_config,
                dead_letter_config: self.dead_letter_config,
                kms_key_arn: self.kms_key_arn,
                file_system_configs: self.file_system_configs,
                snap_start: self.snap_start,
            },
        }
    }
}
