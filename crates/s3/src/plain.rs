//! Settings of an object that only have one value here.

use crate::Error;

/// The encryption that AWS gives every object unless another is asked for.
pub const ENCRYPTION: &str = "AES256";
pub const STORAGE_CLASS: &str = "STANDARD";

/// What a caller asks of an object beside its content.
#[derive(Debug, Default)]
pub struct Asked {
    pub acl: Option<String>,
    pub encryption: Option<String>,
    pub storage_class: Option<String>,
}

impl Asked {
    /// Refuses what isn't done anyway. Only owners see their objects, so the ACLs that say so are granted.
    pub fn check(&self) -> Result<(), Error> {
        match self.acl.as_deref() {
            None | Some("private" | "bucket-owner-full-control") => {}
            Some(_) => return Err(Error::Acl),
        }
        let unsupported = |name: &str, value: &Option<String>, only: &str| match value.as_deref() {
            Some(value) if value != only => Err(Error::Unsupported(format!("{name} {value}"))),
            _ => Ok(()),
        };
        unsupported("ServerSideEncryption", &self.encryption, ENCRYPTION)?;
        unsupported("StorageClass", &self.storage_class, STORAGE_CLASS)
    }
}

/// Whether a version id means the only version that there is.
pub fn check_version(version_id: Option<&str>) -> Result<(), Error> {
    match version_id {
        None | Some("null" | "") => Ok(()),
        Some(other) => Err(Error::NoSuchVersion(other.to_owned())),
    }
}
