//! Finding what is kept.

use pitbird_names::Scope;
use pitbird_records::{DeployApplication, DeployGroup, FunctionDeployment, Record, key};
use pitbird_store::{Store, Transaction};

use crate::{Error, name};

/// Where records are read: as of the last commit, or as a change sees them.
pub trait Records {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, pitbird_store::Error>;
    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, pitbird_store::Error>;
}

impl Records for Store {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, pitbird_store::Error> {
        Ok(Store::get(self, key)?.map(|found| found.record))
    }

    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, pitbird_store::Error> {
        Ok(Store::list(self, prefix)?.into_iter().map(|found| found.record).collect())
    }
}

impl Records for Transaction<'_> {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, pitbird_store::Error> {
        Ok(Transaction::get(self, key)?.map(|found| found.record))
    }

    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, pitbird_store::Error> {
        Ok(Transaction::list(self, prefix)?.into_iter().map(|found| found.record).collect())
    }
}

pub fn application(records: &impl Records, scope: &Scope, named: &str) -> Result<DeployApplication, Error> {
    name::application(named)?;
    records.get(&key(scope, &[named]))?.ok_or_else(|| Error::UnknownApplication(named.to_owned()))
}

pub fn group(
    records: &impl Records,
    application: &DeployApplication,
    named: &str,
) -> Result<DeployGroup, Error> {
    name::group(named)?;
    let key = key(&application.scope, &[&application.id, named]);
    records.get(&key)?.ok_or_else(|| Error::UnknownGroup(named.to_owned()))
}

pub fn deployment(
    records: &impl Records,
    scope: &Scope,
    id: Option<&str>,
) -> Result<FunctionDeployment, Error> {
    let id = name::deployment(id)?;
    records.get(&key(scope, &[id]))?.ok_or_else(|| Error::UnknownDeployment(id.to_owned()))
}

/// `arn:aws:codedeploy:{region}:{account}:deploymentgroup:{application}/{group}`.
pub fn group_arn(scope: &Scope, application: &str, group: &str) -> String {
    format!("arn:aws:codedeploy:{}:{}:deploymentgroup:{application}/{group}", scope.region, scope.account)
}
