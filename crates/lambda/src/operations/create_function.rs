use std::sync::Arc;

use pitbird_names::VersionId;
use pitbird_records::function::{
    Code, LastUpdate, LayerUse, Settings, State as FunctionState, WholeFunction,
};
use pitbird_records::{FunctionVersion, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use pitbird_wire::Blob;
use serde::Deserialize;

use crate::code;
use crate::settings::{
    self, DeadLetterConfig, Environment, EphemeralStorage, FileSystemConfig, Harmless, LoggingConfig,
    SnapStart, TracingConfig, VpcConfig, Wanted,
};
use crate::source::Source;
use crate::view::Configuration;
use crate::{Error, State, Target, layer, publishing, role, tags};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    function_name: String,
    role: String,
    code: FunctionCode,
    runtime: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<u32>,
    memory_size: Option<u32>,
    ephemeral_storage: Option<EphemeralStorage>,
    environment: Option<Environment>,
    logging_config: Option<LoggingConfig>,
    publish: Option<bool>,
    tags: Option<Texts>,
    architectures: Option<Vec<String>>,
    package_type: Option<String>,
    vpc_config: Option<VpcConfig>,
    dead_letter_config: Option<DeadLetterConfig>,
    #[serde(rename = "KMSKeyArn")]
    kms_key_arn: Option<String>,
    tracing_config: Option<TracingConfig>,
    layers: Option<Vec<String>>,
    file_system_configs: Option<Vec<FileSystemConfig>>,
    snap_start: Option<SnapStart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionCode {
    zip_file: Option<Blob>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
}

/// Makes a function; it becomes active once its code is ready.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Configuration, Fault> {
    let Call { caller, mut input, now_ms, .. } = call;
    let target = Target::whole(&state.store, &caller, "CreateFunction", &input.function_name)?;
    let exists = |exists: bool| {
        if exists { Err(Error::FunctionExists(target.name.clone())) } else { Ok(()) }
    };
    exists(state.store.get::<FunctionVersion>(&target.key("$LATEST")).map_err(Error::from)?.is_some())?;
    if input.package_type.as_deref() == Some("Image") {
        return Err(Error::unsupported("PackageType Image").into());
    }
    settings::check_architectures(input.architectures.as_deref())?;
    let tags = input.tags.take().unwrap_or_default();
    tags::check(&tags)?;
    let source = std::mem::take(&mut input.code).source();
    let publishes = input.publish == Some(true);
    let layers = input.layers.take().map(|arns| layer::resolve(&state.store, &caller, &arns)).transpose()?;
    let settings = settings::create(&target.name, input.wanted(layers))?;
    role::check(&state.store, &caller.scope, &settings.role)?;
    let upload = source.upload(&state, &target.scope).await?;
    code::check_room(&state, &target.scope, upload.code.size_bytes)?;
    let code = upload.store(&state).await?;
    layer::check_size(&code, &settings.layers)?;
    let mut head = new_function(&target, settings, code, state.revision(), now_ms, tags);
    let published = publishes.then(|| publishing::publish(&mut head, state.revision()));
    let create = {
        let (target, head, published) = (target.clone(), head.clone(), published.clone());
        move |tx: &mut Transaction<'_>| {
            if tx.exists::<FunctionVersion>(&target.key("$LATEST"))? {
                return Err(Error::FunctionExists(target.name));
            }
            tx.put(&head)?;
            published.map_or(Ok(()), |version| tx.put(&version).map(drop))?;
            Ok(())
        }
    };
    state.store.write(create).await?;
    state.preparations.start(&target);
    Ok(published.map_or_else(|| Configuration::of(head, None), Configuration::numbered))
}

fn new_function(
    target: &Target,
    settings: Settings,
    code: Code,
    revision_id: String,
    now_ms: i64,
    tags: Texts,
) -> FunctionVersion {
    FunctionVersion {
        scope: target.scope.clone(),
        name: target.name.clone(),
        version: VersionId::Latest,
        settings,
        code,
        revision_id,
        modified_ms: now_ms,
        state: FunctionState::Pending,
        last_update: LastUpdate::None,
        function: Some(WholeFunction {
            created_ms: now_ms,
            next_version: 1,
            tags,
            reserved_concurrency: None,
            allows_loops: false,
        }),
    }
}

impl FunctionCode {
    fn source(self) -> Source {
        let FunctionCode { zip_file, s3_bucket, s3_key, s3_object_version } = self;
        Source { zip_file, s3_bucket, s3_key, s3_object_version }
    }
}

impl Input {
    fn wanted(self, layers: Option<Vec<LayerUse>>) -> Wanted {
        Wanted {
            runtime: self.runtime,
            handler: self.handler,
            role: Some(self.role),
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
