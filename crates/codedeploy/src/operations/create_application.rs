use std::sync::Arc;

use pitbird_records::{DeployApplication, Texts, key, prefix};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::shape::tags::{self, Tag};
use crate::{Error, State, limits, name};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    application_name: String,
    compute_platform: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    application_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    name::application(&input.application_name)?;
    super::lambda_only(input.compute_platform.as_deref())?;
    let mut application = DeployApplication {
        scope: caller.scope,
        name: input.application_name,
        id: pitbird_names::uuid((state.parts.entropy)()),
        created_ms: now_ms,
        tags: Texts::new(),
    };
    tags::add(&mut application.tags, input.tags.unwrap_or_default())?;
    let create = move |tx: &mut Transaction<'_>| {
        let DeployApplication { scope, name, .. } = &application;
        if tx.exists::<DeployApplication>(&key(scope, &[name]))? {
            return Err(Error::ApplicationTaken(name.clone()));
        }
        if tx.count::<DeployApplication>(&prefix(scope, &[]))? >= limits::APPLICATIONS {
            let words =
                format!("There are {} applications; more than that there can't be.", limits::APPLICATIONS);
            return Err(Error::TooMany { code: "ApplicationLimitExceededException", words });
        }
        tx.put(&application)?;
        Ok(application.id)
    };
    Ok(Output { application_id: state.parts.store.write(create).await? })
}
