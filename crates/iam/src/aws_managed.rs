//! AWS's own managed policies: those that functions, deployments and the tools around them are commonly given.
//!
//! `data/aws_managed.json` has them as AWS publishes them (AWS managed policy reference guide), each with the version that
//! is the default one; earlier versions are not known. Their unique ids are made from their names: AWS's own are opaque.

use std::sync::LazyLock;

use pitbird_names::Account;
use pitbird_records::ManagedPolicy;
use pitbird_records::managed_policy::PolicyVersion;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::id;

const TEXT: &str = include_str!("../data/aws_managed.json");

#[derive(Deserialize)]
struct Known<'a> {
    name: String,
    path: String,
    version: u32,
    created_s: i64,
    updated_s: i64,
    #[serde(borrow)]
    document: &'a RawValue,
}

static POLICIES: LazyLock<Vec<Known<'static>>> =
    LazyLock::new(|| serde_json::from_str(TEXT).expect("a test reads the embedded policies"));

/// All of them as an account sees them, in the order of their names.
pub fn all(account: &Account) -> impl Iterator<Item = ManagedPolicy> {
    POLICIES.iter().map(|known| record(known, account))
}

/// The one with this path and name.
pub fn find(account: &Account, path_and_name: &str) -> Option<ManagedPolicy> {
    let is_it = |known: &&Known<'_>| path_and_name.strip_prefix(known.path.as_str()) == Some(&known.name);
    POLICIES.iter().find(is_it).map(|known| record(known, account))
}

fn record(known: &Known<'_>, account: &Account) -> ManagedPolicy {
    let updated_ms = known.updated_s * 1000;
    let document = known.document.get().to_owned();
    ManagedPolicy {
        account: account.clone(),
        path: known.path.clone(),
        name: known.name.clone(),
        id: id::policy(spread(&known.name)),
        description: None,
        created_ms: known.created_s * 1000,
        updated_ms,
        default_version: known.version,
        next_version: known.version + 1,
        versions: vec![PolicyVersion { number: known.version, document, created_ms: updated_ms }],
        tags: Default::default(),
    }
}

/// 128 bits from a name, the same in every process (FNV-1a).
fn spread(name: &str) -> u128 {
    name.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_policy_is_a_valid_one() {
        let policies: Vec<ManagedPolicy> = all(&Account::default()).collect();
        assert!(policies.len() >= 30);
        assert!(policies.is_sorted_by_key(|policy| policy.name.to_lowercase()));
        for policy in &policies {
            crate::document::check_managed(&policy.versions[0].document).expect(&policy.name);
            let found = find(&policy.account, &format!("{}{}", policy.path, policy.name)).expect("found");
            assert_eq!(found, *policy);
        }
        let mut ids: Vec<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), policies.len());
    }

    #[test]
    fn what_functions_are_commonly_given_is_there() {
        for name in [
            "/service-role/AWSLambdaBasicExecutionRole",
            "/service-role/AWSLambdaVPCAccessExecutionRole",
            "/service-role/AWSCodeDeployRoleForLambda",
            "/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
            "/AWSXRayDaemonWriteAccess",
            "/AdministratorAccess",
        ] {
            assert!(find(&Account::default(), name).is_some(), "{name}");
        }
        assert!(find(&Account::default(), "/AWSLambdaBasicExecutionRole").is_none());
    }
}
