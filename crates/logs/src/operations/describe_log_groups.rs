use std::sync::Arc;

use pitbird_names::Scope;
use pitbird_service::{Call, Fault};
use serde::{Deserialize, Serialize};

use crate::group::Group;
use crate::{Error, State, group, identifier, page};

/// Groups on a page. Source: DescribeLogGroups.
const LIMIT: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    log_group_class: Option<String>,
    include_linked_accounts: Option<bool>,
    next_token: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    log_groups: Vec<Described>,
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    log_group_name: String,
    creation_time: i64,
    retention_in_days: Option<u32>,
    metric_filter_count: Option<usize>,
    arn: String,
    stored_bytes: Option<u64>,
    log_group_class: Option<&'static str>,
    log_group_arn: Option<String>,
    deletion_protection_enabled: Option<bool>,
}

pub async fn run(state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {
    let Call { caller, input, .. } = call;
    let choice = Choice::parse(&input, &caller.scope)?;
    let mut groups = group::all(&state, &caller.scope).await?;
    groups.retain(|group| choice.takes(&group.record.name));
    let limit = input.limit.map_or(LIMIT, |limit| limit as usize);
    let (groups, next_token) =
        page::cut(groups, input.next_token.as_deref(), limit, |group| group.record.name.as_str())?;
    let describe = if matches!(choice, Choice::Pattern(_)) { Described::brief } else { Described::whole };
    let describe = |group: Group| {
        let filters = state.filters.of(&caller.scope, &group.record.name);
        describe(group, filters.map_or(0, |filters| filters.counting.len()))
    };
    Ok(Output { log_groups: groups.into_iter().map(describe).collect(), next_token })
}

/// Which groups are asked for.
enum Choice {
    All,
    None,
    Prefix(String),
    /// Somewhere in the name; case counts.
    Pattern(String),
    Names(Vec<String>),
}

impl Choice {
    fn parse(input: &Input, scope: &Scope) -> Result<Choice, Error> {
        if input.include_linked_accounts == Some(true) {
            return Err(Error::unsupported("includeLinkedAccounts"));
        }
        let choice =
            match (&input.log_group_name_prefix, &input.log_group_name_pattern, &input.log_group_identifiers)
            {
                (Some(_), Some(_), _) => return Err(Error::PrefixAndPattern),
                (Some(_), _, Some(_)) => return Err(Error::IdentifiersAnd("logGroupNamePrefix")),
                (_, Some(_), Some(_)) => return Err(Error::IdentifiersAnd("logGroupNamePattern")),
                (Some(prefix), None, None) => Choice::Prefix(prefix.clone()),
                (None, Some(pattern), None) => Choice::Pattern(pattern.clone()),
                (None, None, Some(identifiers)) => Choice::Names(
                    identifiers.iter().map(|one| identifier::parse(one, scope)).collect::<Result<_, _>>()?,
                ),
                (None, None, None) => Choice::All,
            };
        // All groups here are of class STANDARD.
        let is_other = input.log_group_class.as_deref().is_some_and(|class| class != "STANDARD");
        Ok(if is_other { Choice::None } else { choice })
    }

    fn takes(&self, name: &str) -> bool {
        match self {
            Choice::All => true,
            Choice::None => false,
            Choice::Prefix(prefix) => name.starts_with(prefix),
            Choice::Pattern(pattern) => name.contains(pattern),
            Choice::Names(names) => names.iter().any(|known| known == name),
        }
    }
}

impl Described {
    fn whole(Group { record, stored_bytes }: Group, metric_filters: usize) -> Described {
        let arn = record.arn();
        Described {
            creation_time: record.created_ms,
            retention_in_days: record.retention_days,
            metric_filter_count: Some(metric_filters),
            arn: format!("{arn}:*"),
            stored_bytes: Some(stored_bytes),
            log_group_class: Some("STANDARD"),
            log_group_arn: Some(arn),
            deletion_protection_enabled: Some(record.is_protected),
            log_group_name: record.name,
        }
    }

    /// What an answer to a pattern has. Source: DescribeLogGroups.
    fn brief(group: Group, metric_filters: usize) -> Described {
        Described {
            retention_in_days: None,
            metric_filter_count: None,
            stored_bytes: None,
            log_group_class: None,
            log_group_arn: None,
            deletion_protection_enabled: None,
            ..Described::whole(group, metric_filters)
        }
    }
}
