use pitbird_records::managed_policy as records;
use serde::Serialize;

use super::{encoded, seconds};
use crate::policy::{self, Use};
use crate::tags::{self, Tag};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    policy_name: String,
    policy_id: String,
    arn: String,
    path: String,
    default_version_id: String,
    attachment_count: usize,
    permissions_boundary_usage_count: usize,
    is_attachable: bool,
    description: Option<String>,
    create_date: i64,
    update_date: i64,
    tags: Option<Vec<Tag>>,
}

impl Policy {
    /// By itself: tags are told even when there are none.
    pub fn whole(policy: policy::Policy, found: Use) -> Policy {
        let description = policy.record.description.clone();
        let tags = tags::shape(policy.record.tags.clone());
        Policy { description, tags: Some(tags), ..Policy::brief(policy, found) }
    }

    /// As it was just created.
    pub fn made(policy: policy::Policy) -> Policy {
        let tags = tags::shape(policy.record.tags.clone());
        let tags = Some(tags).filter(|tags| !tags.is_empty());
        Policy { tags, ..Policy::brief(policy, Use::default()) }
    }

    /// As one of a list.
    pub fn brief(policy: policy::Policy, found: Use) -> Policy {
        let arn = policy.arn();
        let record = policy.record;
        Policy {
            policy_name: record.name,
            policy_id: record.id,
            arn,
            path: record.path,
            default_version_id: format!("v{}", record.default_version),
            attachment_count: found.attachments,
            permissions_boundary_usage_count: found.boundaries,
            is_attachable: true,
            description: None,
            create_date: seconds(record.created_ms),
            update_date: seconds(record.updated_ms),
            tags: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyVersion {
    document: Option<String>,
    version_id: String,
    is_default_version: bool,
    create_date: i64,
}

impl PolicyVersion {
    /// As one of a list, or as it was just made: without its document.
    pub fn brief(version: &records::PolicyVersion, default_version: u32) -> PolicyVersion {
        PolicyVersion {
            document: None,
            version_id: format!("v{}", version.number),
            is_default_version: version.number == default_version,
            create_date: seconds(version.created_ms),
        }
    }

    pub fn whole(version: &records::PolicyVersion, default_version: u32) -> PolicyVersion {
        let document = Some(encoded(&version.document));
        PolicyVersion { document, ..PolicyVersion::brief(version, default_version) }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedPolicy {
    policy_name: String,
    policy_arn: String,
}

impl AttachedPolicy {
    pub fn new(policy_arn: String) -> AttachedPolicy {
        AttachedPolicy { policy_name: policy::name(&policy_arn).to_owned(), policy_arn }
    }
}
