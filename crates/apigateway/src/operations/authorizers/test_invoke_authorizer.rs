use std::collections::BTreeMap;
use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_records::{Authorizer, Integration, Method, Resource, Texts};
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::trial::{self, Trial};
use crate::{Error, State, deployment, find};

/// The resource that stands for all those that an authorizer may be asked about. Source: recorded events of the service's test
/// console.
const RESOURCE_ID: &str = "test-invoke-resource-id";
const VERB: &str = "GET";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    rest_api_id: String,
    authorizer_id: String,
    headers: Option<Texts>,
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    path_with_query_string: Option<String>,
    body: Option<String>,
    stage_variables: Option<Texts>,
    additional_context: Option<Texts>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    client_status: u16,
    log: String,
    latency: u64,
    principal_id: Option<String>,
    policy: Option<String>,
    claims: Option<Texts>,
}

/// Asks an authorizer as it is now, whatever is known of its earlier answers.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let trial = prepare(&state, call)?;
    let judged = state.trials.authorizer(trial).await.map_err(Error::from)?;
    Ok(Output {
        client_status: judged.client_status,
        log: judged.log.to_text(),
        latency: judged.latency_ms,
        principal_id: judged.principal_id,
        policy: judged.policy,
        claims: judged.claims.map(|claims| claims.into_iter().collect()),
    })
}

fn prepare(state: &State, call: Call<Input>) -> Result<Trial, Error> {
    let Call { caller, input, now_ms, .. } = call;
    let (scope, unknown) = (&caller.scope, || Error::UnknownAuthorizer);
    let authorizer: Authorizer =
        find::child(&state.store, scope, &input.rest_api_id, &input.authorizer_id, unknown)?;
    let api = find::api(&state.store, scope, &input.rest_api_id)?;
    let mut picture = deployment::picture(&state.store, api, String::new(), None, now_ms)?;
    picture.resources = vec![guarded(scope, &authorizer)];
    let stage = trial::staged(picture, input.stage_variables.unwrap_or_default(), now_ms)?;
    let (path, query) = trial::path_and_query(input.path_with_query_string, "/");
    Ok(Trial {
        stage,
        resource_id: RESOURCE_ID.to_owned(),
        verb: VERB.to_owned(),
        path,
        query,
        headers: trial::headers(input.headers, input.multi_value_headers),
        body: input.body.unwrap_or_default(),
        caller,
        additional_context: input.additional_context.unwrap_or_default(),
    })
}

/// A resource with a method that asks an authorizer.
fn guarded(scope: &Scope, authorizer: &Authorizer) -> Resource {
    let kind = if authorizer.kind == "COGNITO_USER_POOLS" { "COGNITO_USER_POOLS" } else { "CUSTOM" };
    let method = Method {
        authorization_type: kind.to_owned(),
        authorizer_id: Some(authorizer.id.clone()),
        integration: Some(Integration { kind: "MOCK".to_owned(), ..Integration::default() }),
        ..Method::default()
    };
    Resource {
        scope: scope.clone(),
        api_id: authorizer.api_id.clone(),
        id: RESOURCE_ID.to_owned(),
        parent_id: None,
        path_part: None,
        path: "/".to_owned(),
        methods: BTreeMap::from([(VERB.to_owned(), method)]),
    }
}
