//! Amounts added up by what somebody wants to tell apart.

use std::collections::BTreeMap;

use pitbird_prices::Quantity;
use pitbird_telemetry::usage::{LOG_GROUP, Used};
use serde::{Deserialize, Serialize};

use crate::owners::Owners;

/// What amounts are told apart by. A finer one tells the coarser, too: a stage has its API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum GroupBy {
    Api,
    Stage,
    /// Base and canary of a stage.
    Track,
    Function,
    Version,
    LogGroup,
    Namespace,
}

impl GroupBy {
    /// The names that a group has, of those that a subject has.
    fn names(self) -> &'static [&'static str] {
        match self {
            GroupBy::Api => &["Api"],
            GroupBy::Stage => &["Api", "Stage"],
            GroupBy::Track => &["Api", "Stage", "Track"],
            GroupBy::Function => &["FunctionName"],
            GroupBy::Version => &["FunctionName", "Version"],
            GroupBy::LogGroup => &[LOG_GROUP],
            GroupBy::Namespace => &["Namespace"],
        }
    }
}

/// What a group has used of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    group: Group,
    quantity: &'static str,
    amount: u64,
    /// What the amount counts.
    unit: &'static str,
}

/// What isn't there doesn't apply: all of it absent is everything that belongs to no group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    api: Option<String>,
    stage: Option<String>,
    track: Option<String>,
    function_name: Option<String>,
    version: Option<String>,
    log_group: Option<String>,
    namespace: Option<String>,
}

impl Row {
    /// Where it stands in the order of all rows. Names have no control characters.
    pub fn key(&self) -> String {
        let Group { api, stage, track, function_name, version, log_group, namespace } = &self.group;
        let names = [api, stage, track, function_name, version, log_group, namespace];
        let names: Vec<&str> = names.map(|name| name.as_deref().unwrap_or_default()).to_vec();
        format!("{}\t{}", names.join("\t"), self.quantity)
    }
}

impl Group {
    /// The names of a subject, or of whom a log group belongs to, as far as they are asked for.
    fn of(used: &Used, wanted: &[&str], owners: &Owners) -> Group {
        let names = &used.subject.names;
        let owner = names.get(LOG_GROUP).map(|group| owners.of(group)).unwrap_or_default();
        let name = |name: &str| {
            let found =
                names.get(name).or_else(|| owner.iter().find(|of| of.0 == name).map(|of| of.1.as_str()));
            found.filter(|_| wanted.contains(&name)).map(str::to_owned)
        };
        Group {
            api: name("Api"),
            stage: name("Stage"),
            track: name("Track"),
            function_name: name("FunctionName"),
            version: name("Version"),
            log_group: name(LOG_GROUP),
            namespace: name("Namespace"),
        }
    }
}

/// Amounts by group and quantity, in the order of [`Row::key`].
pub fn grouped(used: Vec<Used>, by: Option<GroupBy>, owners: &Owners) -> Vec<Row> {
    let wanted = by.map_or(&[][..], GroupBy::names);
    let mut sums: BTreeMap<(Group, Quantity), u64> = BTreeMap::new();
    for used in used {
        // What a later release counts.
        let Some(quantity) = Quantity::parse(&used.quantity) else { continue };
        let sum = sums.entry((Group::of(&used, wanted, owners), quantity)).or_default();
        // The largest that an answer's integers hold.
        *sum = sum.saturating_add(used.amount).min(i64::MAX as u64);
    }
    let mut rows: Vec<Row> = sums
        .into_iter()
        .map(|((group, quantity), amount)| Row {
            group,
            quantity: quantity.as_str(),
            amount,
            unit: quantity.counted_in(),
        })
        .collect();
    rows.sort_by_cached_key(Row::key);
    rows
}
