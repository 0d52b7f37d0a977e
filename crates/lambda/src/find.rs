//! Finding what a call names, or saying in Lambda's words that it isn't there.

use pitbird_names::{Qualifier, Scope, VersionId};
use pitbird_records::function::State;
use pitbird_records::{Alias, FunctionPolicy, FunctionVersion, Record, prefix};
use pitbird_store::{Store, Transaction};

use crate::update::Update;
use crate::{Error, Target};

/// Where records are read: from the store, or within a change.
pub trait Records {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error>;

    /// All records whose key starts with `prefix`, in the order of their keys.
    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, Error>;
}

impl Records for Store {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error> {
        Ok(Store::get(self, key)?.map(|found| found.record))
    }

    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, Error> {
        Ok(Store::list(self, prefix)?.into_iter().map(|found| found.record).collect())
    }
}

impl Records for Transaction<'_> {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, Error> {
        Ok(Transaction::get(self, key)?.map(|found| found.record))
    }

    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, Error> {
        Ok(Transaction::list(self, prefix)?.into_iter().map(|found| found.record).collect())
    }
}

/// `$LATEST` as it is served; no update in progress shows.
pub fn head(records: &impl Records, target: &Target) -> Result<FunctionVersion, Error> {
    records.get(&target.key("$LATEST"))?.ok_or_else(|| target.not_found())
}

/// `$LATEST`, ready to be changed: created, and with no update in progress.
pub fn settled_head(records: &impl Records, target: &Target) -> Result<FunctionVersion, Error> {
    let head = head(records, target)?;
    if head.state == State::Pending || update(records, target)?.is_some() {
        let whole = Target { qualifier: None, ..target.clone() };
        return Err(Error::InProgress(whole.arn()));
    }
    Ok(head)
}

pub fn update(records: &impl Records, target: &Target) -> Result<Option<Update>, Error> {
    records.get(&pitbird_records::key(&target.scope, &[&target.name]))
}

/// The version that a target means, an alias's own where it names one; `$LATEST` with its update in progress.
pub fn version(records: &impl Records, target: &Target) -> Result<FunctionVersion, Error> {
    let version = match &target.qualifier {
        None => VersionId::Latest,
        Some(Qualifier::Version(version)) => *version,
        Some(Qualifier::Alias(name)) => {
            let alias: Option<Alias> = records.get(&target.key(name))?;
            alias.ok_or_else(|| target.not_found())?.version
        }
    };
    let record = records.get(&target.key(&version.to_string()))?.ok_or_else(|| target.not_found())?;
    match version {
        VersionId::Latest => Ok(shown(record, update(records, target)?)),
        VersionId::Number(_) => Ok(record),
    }
}

/// `$LATEST` as callers see it.
pub fn shown(head: FunctionVersion, update: Option<Update>) -> FunctionVersion {
    match update {
        Some(update) => update.shown(head),
        None => head,
    }
}

/// The versions of a function, `$LATEST` first, then by number.
pub fn versions(records: &impl Records, target: &Target) -> Result<Vec<FunctionVersion>, Error> {
    let mut versions: Vec<FunctionVersion> = records.list(&target.prefix())?;
    if versions.is_empty() {
        return Err(target.not_found());
    }
    versions.sort_by_key(|version| version.version);
    Ok(versions)
}

/// The alias with this name, if there is one.
pub fn alias(records: &impl Records, target: &Target, name: &str) -> Result<Option<Alias>, Error> {
    records.get(&target.key(name))
}

/// The aliases of a function by their names; none when there is no function.
pub fn aliases(records: &impl Records, target: &Target) -> Result<Vec<Alias>, Error> {
    records.list(&target.prefix())
}

/// The policy of what a target names exactly, and not of what its alias leads to.
pub fn policy(records: &impl Records, target: &Target) -> Result<Option<FunctionPolicy>, Error> {
    let part = target.qualifier.as_ref().map_or_else(|| "$".to_owned(), Qualifier::to_string);
    records.get(&target.key(&part))
}

/// All functions' `$LATEST` of an account in a region.
pub fn heads(records: &impl Records, scope: &Scope) -> Result<Vec<FunctionVersion>, Error> {
    let mut all: Vec<FunctionVersion> = records.list(&prefix(scope, &[]))?;
    all.retain(|version| version.version == VersionId::Latest);
    Ok(all)
}
