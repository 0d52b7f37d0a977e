use pitbird_names::Account;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Who owns a bucket and what is in it.
#[derive(Debug, Clone, Serialize)]
pub struct Owner {
    #[serde(rename = "ID")]
    id: String,
}

impl Owner {
    /// AWS gives every account a canonical id of 64 hex digits that says nothing; ours is made from its number.
    pub fn of(account: &Account) -> Owner {
        let hash = Sha256::digest(format!("canonical user of {account}"));
        Owner { id: hash.iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

/// A grant of everything to the owner, the only one that there is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Grant {
    grantee: Grantee,
    permission: &'static str,
}

#[derive(Debug, Serialize)]
struct Grantee {
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(rename = "ID")]
    id: String,
}

impl Grant {
    pub fn to(owner: &Owner) -> Grant {
        let grantee = Grantee { kind: "CanonicalUser", id: owner.id.clone() };
        Grant { grantee, permission: "FULL_CONTROL" }
    }
}
