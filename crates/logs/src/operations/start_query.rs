use std::sync::Arc;

use pitbird_insights::{CompileError, Options, Query, ROWS_MAX};
use pitbird_names::Scope;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::queries::{self, Start};
use crate::{Error, State, group, identifier};

/// Groups of one query. Source: StartQuery.
const GROUPS_MAX: usize = 50;
/// What one thread of a query may hold, bytes.
const BYTES_MAX: usize = 64 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    query_language: Option<String>,
    log_group_name: Option<String>,
    log_group_names: Option<Vec<String>>,
    log_group_identifiers: Option<Vec<String>>,
    /// Seconds since 1970.
    start_time: i64,
    /// Seconds since 1970, inclusive.
    end_time: i64,
    query_string: String,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    query_id: String,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, now_ms, request_id, .. } = call;
    check_language(input.query_language.as_deref())?;
    let limit = input.limit.map_or(ROWS_MAX, |limit| limit as usize);
    if limit > ROWS_MAX {
        return Err(Error::unsupported(format!("limit above {ROWS_MAX}")).into());
    }
    if input.end_time < input.start_time {
        return Err(Error::QueryTime.into());
    }
    let scope = caller.scope;
    let groups = groups(input.log_group_name, input.log_group_names, input.log_group_identifiers, &scope)?;
    let options = Options { limit, now_ms, bytes_max: BYTES_MAX };
    let query = Query::compile(&input.query_string, options).map_err(|error| match error {
        CompileError::Malformed { message, at } => {
            Error::Query { message, at, request_id: request_id.clone() }
        }
        CompileError::Unsupported(what) => Error::Unsupported(what),
    })?;
    for name in &groups {
        group::kept(&state, &scope, name).await.map_err(|error| match error {
            Error::NoGroup => Error::NoGroupToQuery {
                group: name.clone(),
                account: scope.account.as_str().to_owned(),
                request_id: request_id.clone(),
            },
            error => error,
        })?;
    }
    let id = pitbird_names::uuid((state.entropy)());
    let start = Start {
        scope,
        id: id.clone(),
        principal: caller.principal,
        text: input.query_string,
        query,
        groups,
        start_ms: input.start_time.saturating_mul(1000),
        // The second that is named is still in.
        end_ms: input.end_time.saturating_add(1).saturating_mul(1000),
        now_ms,
    };
    queries::start(&state, start)?;
    Ok(Output { query_id: id })
}

/// Only Insights' own language is run.
pub(super) fn check_language(language: Option<&str>) -> Result<(), Error> {
    match language {
        None | Some("CWLI") => Ok(()),
        Some(other) => Err(Error::unsupported(format!("queryLanguage {other}"))),
    }
}

/// The groups that are named in exactly one of three ways, each once.
fn groups(
    name: Option<String>,
    names: Option<Vec<String>>,
    identifiers: Option<Vec<String>>,
    scope: &Scope,
) -> Result<Vec<String>, Error> {
    let mut groups = match (name, names, identifiers) {
        (Some(name), None, None) => vec![name],
        (None, Some(names), None) if !names.is_empty() => names,
        (None, None, Some(identifiers)) if !identifiers.is_empty() => {
            identifiers.iter().map(|text| identifier::parse(text, scope)).collect::<Result<_, _>>()?
        }
        _ => return Err(Error::QueryGroups),
    };
    if groups.len() > GROUPS_MAX {
        return Err(Error::TooManyQueryGroups { limit: GROUPS_MAX });
    }
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}
