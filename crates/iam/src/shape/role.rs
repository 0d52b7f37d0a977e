use pitbird_records as records;
use serde::Serialize;

use super::{encoded, seconds};
use crate::tags::{self, Tag};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Role {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: i64,
    assume_role_policy_document: String,
    description: Option<String>,
    max_session_duration: Option<u32>,
    permissions_boundary: Option<Boundary>,
    tags: Option<Vec<Tag>>,
    role_last_used: Option<LastUsed>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Boundary {
    permissions_boundary_type: &'static str,
    permissions_boundary_arn: String,
}

/// Use isn't tracked; an empty structure says so, as for a role that was never used.
#[derive(Debug, Serialize)]
struct LastUsed {}

impl Role {
    /// By itself.
    pub fn whole(role: records::Role) -> Role {
        let session_s_max = role.session_s_max;
        Role {
            max_session_duration: Some(session_s_max),
            role_last_used: Some(LastUsed {}),
            ..Role::made(role)
        }
    }

    /// As one of a list.
    pub fn brief(role: records::Role) -> Role {
        let session_s_max = role.session_s_max;
        Role {
            max_session_duration: Some(session_s_max),
            permissions_boundary: None,
            tags: None,
            ..Role::made(role)
        }
    }

    /// As it was just created.
    pub fn made(role: records::Role) -> Role {
        let arn = role.arn();
        Role {
            path: role.path,
            role_name: role.name,
            role_id: role.id,
            arn,
            create_date: seconds(role.created_ms),
            assume_role_policy_document: encoded(&role.trust_document),
            description: role.description,
            max_session_duration: None,
            permissions_boundary: role.permissions_boundary.map(|permissions_boundary_arn| Boundary {
                permissions_boundary_type: "PermissionsBoundaryPolicy",
                permissions_boundary_arn,
            }),
            tags: Some(tags::shape(role.tags)).filter(|tags| !tags.is_empty()),
            role_last_used: None,
        }
    }
}
