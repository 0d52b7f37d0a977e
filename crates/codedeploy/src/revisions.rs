//! What an application remembers of its revisions.

use pitbird_records::{DeployApplication, DeployRevision, Revision, key, prefix};
use pitbird_store::Transaction;
use sha2::{Digest, Sha256};

use crate::{Error, limits};

/// Lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a text takes all");
        hex
    })
}

/// The same for revisions that say the same.
pub fn digest(revision: &Revision) -> String {
    let same = match revision {
        // A checksum that was given beside it makes no other revision of a content.
        Revision::AppSpecContent { content, .. } => {
            Revision::AppSpecContent { content: content.clone(), sha256: None }
        }
        Revision::String { content, .. } => Revision::String { content: content.clone(), sha256: None },
        Revision::S3(_) => revision.clone(),
    };
    sha256_hex(serde_json::to_string(&same).expect("a revision is plain data").as_bytes())
}

/// The revision as it is remembered, or as it is to be.
fn known(
    tx: &Transaction<'_>,
    application: &DeployApplication,
    revision: Revision,
    now_ms: i64,
) -> Result<DeployRevision, Error> {
    let digest = digest(&revision);
    let found = tx.get::<DeployRevision>(&key(&application.scope, &[&application.id, &digest]))?;
    Ok(found.map(|found| found.record).unwrap_or_else(|| DeployRevision {
        scope: application.scope.clone(),
        application_id: application.id.clone(),
        digest,
        revision,
        description: None,
        groups: Vec::new(),
        first_used_ms: None,
        last_used_ms: None,
        registered_ms: now_ms,
    }))
}

/// Remembers a revision.
pub fn register(
    tx: &mut Transaction<'_>,
    application: &DeployApplication,
    revision: Revision,
    description: Option<String>,
    now_ms: i64,
) -> Result<(), Error> {
    let mut known = known(tx, application, revision, now_ms)?;
    known.description = description.or(known.description);
    make_room(tx, application, &known)?;
    tx.put(&known)?;
    Ok(())
}

/// Remembers that a group deploys a revision.
pub fn used(
    tx: &mut Transaction<'_>,
    application: &DeployApplication,
    revision: Revision,
    group: &str,
    now_ms: i64,
) -> Result<(), Error> {
    let mut known = known(tx, application, revision, now_ms)?;
    known.first_used_ms.get_or_insert(now_ms);
    known.last_used_ms = Some(now_ms);
    if !known.groups.iter().any(|known| known == group) {
        known.groups.push(group.to_owned());
    }
    make_room(tx, application, &known)?;
    tx.put(&known)?;
    Ok(())
}

/// The oldest goes where one more would be too many.
fn make_room(
    tx: &mut Transaction<'_>,
    application: &DeployApplication,
    coming: &DeployRevision,
) -> Result<(), Error> {
    use pitbird_records::Record;
    let all = prefix(&application.scope, &[&application.id]);
    if tx.exists::<DeployRevision>(&coming.key())? || tx.count::<DeployRevision>(&all)? < limits::REVISIONS {
        return Ok(());
    }
    let oldest = tx.list::<DeployRevision>(&all)?.into_iter().min_by_key(|found| found.record.registered_ms);
    if let Some(oldest) = oldest {
        tx.delete::<DeployRevision>(&oldest.record.key())?;
    }
    Ok(())
}
