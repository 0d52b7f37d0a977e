use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_records::Texts;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::trial::{self, Trial, Tried};
use crate::{Error, State, deployment, find};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    path_with_query_string: Option<String>,
    body: Option<String>,
    headers: Option<Texts>,
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    client_certificate_id: Option<String>,
    stage_variables: Option<Texts>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    status: u16,
    body: String,
    headers: Texts,
    multi_value_headers: BTreeMap<String, Vec<String>>,
    log: String,
    latency: u64,
}

/// Runs a method as the API has it now, deployed or not. Nobody is asked for a key, a token or a signature.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let trial = prepare(&state, call)?;
    let tried = state.trials.method(trial).await.map_err(Error::from)?;
    Ok(Output::from(tried))
}

fn prepare(state: &State, call: Call<Input>) -> Result<Trial, Error> {
    let Call { caller, input, now_ms, .. } = call;
    let api = find::api(&state.store, &caller.scope, &input.rest_api_id)?;
    let resource = find::resource(&state.store, &caller.scope, &api.id, &input.resource_id)?;
    let verb = input.http_method;
    let method = resource.methods.get(&verb).or_else(|| resource.methods.get("ANY"));
    let method = method.ok_or(Error::UnknownMethod)?;
    if method.integration.is_none() {
        return Err(Error::NoIntegration);
    }
    let certificate = input.client_certificate_id.filter(|id| !id.is_empty());
    if let Some(id) = &certificate {
        find::client_certificate(&state.store, &caller.scope, id)?;
    }
    let picture = deployment::picture(&state.store, api, String::new(), None, now_ms)?;
    let mut stage = trial::staged(picture, input.stage_variables.unwrap_or_default(), now_ms)?;
    stage.record.client_certificate_id = certificate;
    let (path, query) = trial::path_and_query(input.path_with_query_string, &resource.path);
    Ok(Trial {
        stage,
        resource_id: resource.id,
        verb,
        path,
        query,
        headers: trial::headers(input.headers, input.multi_value_headers),
        body: input.body.unwrap_or_default(),
        caller,
        additional_context: Texts::new(),
    })
}

impl From<Tried> for Output {
    fn from(tried: Tried) -> Output {
        let Tried { status, headers, body, latency_ms, log } = tried;
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in headers {
            all.entry(name).or_default().push(value);
        }
        let last = all.iter().filter_map(|(name, values)| Some((name.clone(), values.last()?.clone())));
        Output {
            status,
            body: String::from_utf8_lossy(&body).into_owned(),
            headers: last.collect(),
            multi_value_headers: all,
            log: log.to_text(),
            latency: latency_ms,
        }
    }
}
