use std::sync::Arc;

use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::{State, domain_name, shape};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    domain_name: String,
    /// 1 to 100; the model has checked it.
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    next_token: Option<String>,
    routing_rules: Vec<shape::RoutingRule>,
}

/// A domain's rules in the order that they are asked in.
pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let limit = input.max_results.map(|limit| limit.to_string());
    let page = Page::parse(input.next_token.as_deref(), limit.as_deref())?;
    let domain = domain_name::find(&state.store, &caller.scope, &input.domain_name)?;
    let all = domain_name::rules(&state.store, &domain)?;
    let (rules, next_token) = page.cut(all, |rule| format!("{:07}", rule.priority));
    Ok(Output { next_token, routing_rules: rules.into_iter().map(shape::RoutingRule::from).collect() })
}
