//! What can have tags: applications and deployment groups.

use pitbird_names::{Scope, arn};
use pitbird_records::{DeployApplication, DeployGroup, Texts};
use pitbird_store::Transaction;

use crate::Error;
use crate::find::{self, Records};

pub enum Tagged {
    Application(DeployApplication),
    Group(Box<DeployGroup>),
}

impl Tagged {
    pub fn find(records: &impl Records, scope: &Scope, text: &str) -> Result<Tagged, Error> {
        let invalid = || {
            Error::invalid(
                "InvalidArnException",
                format!("The specified ARN is not in a valid format: {text}"),
            )
        };
        let parts = arn::parse(text).filter(|parts| parts.service == "codedeploy").ok_or_else(invalid)?;
        if parts.account != scope.account.as_str() || parts.region != scope.region.as_str() {
            return Err(invalid());
        }
        match parts.resource.split_once(':') {
            Some(("application", name)) => Ok(Tagged::Application(find::application(records, scope, name)?)),
            Some(("deploymentgroup", names)) => {
                let (application, group) = names.split_once('/').ok_or_else(invalid)?;
                let application = find::application(records, scope, application)?;
                Ok(Tagged::Group(Box::new(find::group(records, &application, group)?)))
            }
            _ => {
                let words = format!("The specified ARN is not supported: {text}");
                Err(Error::invalid("ArnNotSupportedException", words))
            }
        }
    }

    pub fn tags(&self) -> &Texts {
        match self {
            Tagged::Application(application) => &application.tags,
            Tagged::Group(group) => &group.tags,
        }
    }

    pub fn tags_mut(&mut self) -> &mut Texts {
        match self {
            Tagged::Application(application) => &mut application.tags,
            Tagged::Group(group) => &mut group.tags,
        }
    }

    pub fn put(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        match self {
            Tagged::Application(application) => tx.put(application)?,
            Tagged::Group(group) => tx.put(&**group)?,
        };
        Ok(())
    }
}
