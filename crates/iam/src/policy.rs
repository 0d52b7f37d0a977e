//! Managed policies, the account's own and AWS's, and who uses them.

use std::collections::BTreeMap;

use pitbird_names::{Account, arn};
use pitbird_records::{ManagedPolicy, Role};

use crate::find::Records;
use crate::{Error, aws_managed, find};

/// A managed policy as an account sees it.
pub struct Policy {
    /// Is it AWS's rather than the account's own?
    pub is_aws: bool,
    pub record: ManagedPolicy,
}

impl Policy {
    pub fn own(record: ManagedPolicy) -> Policy {
        Policy { is_aws: false, record }
    }

    pub fn arn(&self) -> String {
        match self.is_aws {
            true => format!("arn:aws:iam::aws:policy{}{}", self.record.path, self.record.name),
            false => self.record.arn(),
        }
    }
}

/// The policy that an ARN names, if there is one.
pub fn find(records: &impl Records, account: &Account, text: &str) -> Result<Option<Policy>, Error> {
    let path_and_name = path_and_name(text)?;
    let name = path_and_name.rsplit('/').next().unwrap_or_default();
    let policy = if is_aws(text) {
        aws_managed::find(account, path_and_name).map(|record| Policy { is_aws: true, record })
    } else {
        records.get::<ManagedPolicy>(&ManagedPolicy::key_of(account, name))?.map(Policy::own)
    };
    Ok(policy.filter(|policy| policy.arn() == text))
}

/// The policy that an ARN names.
pub fn get(records: &impl Records, account: &Account, text: &str) -> Result<Policy, Error> {
    find(records, account, text)?.ok_or_else(|| Error::UnknownPolicy(text.to_owned()))
}

/// The policy that an ARN names, to be attached or made a boundary.
pub fn attachable(records: &impl Records, account: &Account, text: &str) -> Result<Policy, Error> {
    find(records, account, text)?.ok_or_else(|| Error::NotAttachable(text.to_owned()))
}

/// A policy's name, the end of its ARN.
pub fn name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

/// A policy's path, from its ARN.
pub fn path(arn: &str) -> &str {
    let resource = arn::parse(arn).and_then(|arn| arn.resource.strip_prefix("policy")).unwrap_or_default();
    &resource[..resource.rfind('/').map_or(0, |slash| slash + 1)]
}

fn is_aws(text: &str) -> bool {
    arn::parse(text).is_some_and(|arn| arn.account == "aws")
}

/// `/path/name`, from an ARN.
fn path_and_name(text: &str) -> Result<&str, Error> {
    let parsed = arn::parse(text).filter(|arn| arn.service == "iam" && arn.region.is_empty());
    let named = parsed.and_then(|arn| arn.resource.strip_prefix("policy"));
    let named = named.filter(|named| named.starts_with('/') && !named.ends_with('/'));
    named.ok_or_else(|| Error::Arn(text.to_owned()))
}

/// How many roles use a policy, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Use {
    pub attachments: usize,
    pub boundaries: usize,
}

/// The use of every policy of an account, by ARN.
#[derive(Default)]
pub struct Uses(BTreeMap<String, Use>);

impl Uses {
    pub fn read(records: &impl Records, account: &Account) -> Result<Uses, Error> {
        let mut uses = Uses::default();
        for role in find::roles(records, account)? {
            uses.count(role);
        }
        Ok(uses)
    }

    fn count(&mut self, role: Role) {
        for arn in role.attached {
            self.0.entry(arn).or_default().attachments += 1;
        }
        if let Some(arn) = role.permissions_boundary {
            self.0.entry(arn).or_default().boundaries += 1;
        }
    }

    pub fn of(&self, arn: &str) -> Use {
        self.0.get(arn).copied().unwrap_or_default()
    }
}

/// `v3` as a number. Other forms that the model allows name no version here.
pub fn version_number(text: &str) -> Option<u32> {
    text.strip_prefix('v')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_a_path_and_a_name() {
        for (arn, path_part, name_part) in [
            ("arn:aws:iam::000000000000:policy/p", "/", "p"),
            ("arn:aws:iam::aws:policy/service-role/AWSLambdaRole", "/service-role/", "AWSLambdaRole"),
            ("arn:aws:iam::000000000000:policy/a/b/c", "/a/b/", "c"),
        ] {
            assert_eq!((path(arn), name(arn)), (path_part, name_part));
        }
        for bad in
            ["x", "arn:aws:iam::000000000000:role/p", "arn:aws:s3:::policy/p", "arn:aws:iam::1:policy/"]
        {
            assert!(path_and_name(bad).is_err(), "{bad}");
        }
    }
}
