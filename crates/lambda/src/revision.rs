//! The revision of what a call names, which every change of it renews, that of its policy too.

use pitbird_names::Qualifier;
use pitbird_records::FunctionVersion;
use pitbird_store::Transaction;

use crate::find::{self, Records};
use crate::{Error, Target};

/// The alias's own revision, or the version's; that of an update of `$LATEST` while it is in progress.
pub fn of(records: &impl Records, target: &Target) -> Result<String, Error> {
    match &target.qualifier {
        Some(Qualifier::Alias(name)) => {
            let alias = find::alias(records, target, name)?.ok_or_else(|| target.not_found())?;
            Ok(alias.revision_id)
        }
        None | Some(Qualifier::Version(_)) => Ok(find::version(records, target)?.revision_id),
    }
}

/// Gives what is named, and is there, a new revision. Neither its environments nor an update in progress mind.
pub fn renew(tx: &mut Transaction<'_>, target: &Target, revision_id: String) -> Result<(), Error> {
    let part = match &target.qualifier {
        Some(Qualifier::Alias(name)) => {
            let mut alias = find::alias(tx, target, name)?.ok_or_else(|| target.not_found())?;
            alias.revision_id = revision_id;
            tx.put(&alias)?;
            return Ok(());
        }
        None => Qualifier::LATEST.to_string(),
        Some(version) => version.to_string(),
    };
    let update = find::update(tx, target)?.filter(|_| part == Qualifier::LATEST.to_string());
    if let Some(mut update) = update {
        update.revision_id = revision_id;
        tx.put(&update)?;
        return Ok(());
    }
    let version: Option<FunctionVersion> = Records::get(&*tx, &target.key(&part))?;
    let mut version = version.ok_or_else(|| target.not_found())?;
    version.revision_id = revision_id;
    tx.put(&version)?;
    Ok(())
}
