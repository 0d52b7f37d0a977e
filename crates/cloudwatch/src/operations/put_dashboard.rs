use std::sync::Arc;

use pitbird_records::{Dashboard, Texts};
use pitbird_service::{Call, Fault};
use pitbird_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::dashboard::{self, Problem};
use crate::tags::{self, Tag};
use crate::{Error, State};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    dashboard_name: String,
    dashboard_body: String,
    /// Of a dashboard that is made; one that is there keeps its own. Source: PutDashboard.
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    dashboard_validation_messages: Vec<Told>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    data_path: String,
    message: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, .. } = call;
    dashboard::check_name(&input.dashboard_name)?;
    let passed_over = dashboard::check(&input.dashboard_body)?;
    let mut tags = Texts::new();
    tags::add(&mut tags, input.tags.unwrap_or_default())?;
    let mut dashboard = Dashboard {
        account: caller.scope.account,
        name: input.dashboard_name,
        body: input.dashboard_body,
        modified_ms: now_ms,
        tags,
    };
    let put = move |tx: &mut Transaction<'_>| {
        let key = Dashboard::key_of(&dashboard.account, &dashboard.name);
        if let Some(found) = tx.get::<Dashboard>(&key)? {
            dashboard.tags = found.record.tags;
        }
        tx.put(&dashboard)?;
        Ok::<_, Error>(())
    };
    state.store.write(put).await?;
    let told = |Problem { path, message }| Told { data_path: path, message };
    Ok(Output { dashboard_validation_messages: passed_over.into_iter().map(told).collect() })
}
