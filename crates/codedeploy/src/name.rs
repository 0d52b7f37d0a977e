//! Names of applications, groups and configurations. Source: CodeDeploy quotas (length and characters).

use crate::Error;

const LENGTH_MAX: usize = 100;
/// What predefined configurations' names begin with.
pub const RESERVED: &str = "CodeDeployDefault";

pub fn application(name: &str) -> Result<(), Error> {
    check(name, "ApplicationNameRequiredException", "InvalidApplicationNameException", "Application name")
}

pub fn group(name: &str) -> Result<(), Error> {
    let invalid = "InvalidDeploymentGroupNameException";
    check(name, "DeploymentGroupNameRequiredException", invalid, "Deployment group name")
}

pub fn config(name: &str) -> Result<(), Error> {
    let invalid = "InvalidDeploymentConfigNameException";
    check(name, "DeploymentConfigNameRequiredException", invalid, "Deployment configuration name")
}

/// A deployment's id: `d-` and 9 of `[A-Z0-9]`.
pub fn deployment(id: Option<&str>) -> Result<&str, Error> {
    let required =
        || Error::invalid("DeploymentIdRequiredException", "At least one deployment ID must be specified.");
    let id = id.filter(|id| !id.is_empty()).ok_or_else(required)?;
    let is_id = id.strip_prefix("d-").is_some_and(|rest| {
        rest.len() == 9 && rest.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    });
    let words = || Error::invalid("InvalidDeploymentIdException", format!("Invalid deployment ID: {id}"));
    is_id.then_some(id).ok_or_else(words)
}

fn check(name: &str, required: &'static str, invalid: &'static str, what: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::invalid(required, format!("{what} is required.")));
    }
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._+=,@-".contains(&byte);
    if name.len() > LENGTH_MAX {
        return Err(Error::invalid(invalid, format!("{what} is longer than {LENGTH_MAX} characters.")));
    }
    if !name.bytes().all(is_fine) {
        let words = format!("{what} {name} has other characters than letters, digits and ._+=,@-");
        return Err(Error::invalid(invalid, words));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_length_and_an_alphabet() {
        for (name, is_fine) in [
            ("a", true),
            ("A.b_c+d=e,f@g-9", true),
            (&*"x".repeat(100), true),
            ("", false),
            ("a/b", false),
            ("a b", false),
        ] {
            assert_eq!(application(name).is_ok(), is_fine, "{name}");
        }
        assert!(group(&"x".repeat(101)).is_err());
    }

    #[test]
    fn a_deployments_id_has_its_form() {
        assert!(deployment(Some("d-UPQ98180K")).is_ok());
        for id in [None, Some(""), Some("d-"), Some("d-upq98180k"), Some("x-UPQ98180K"), Some("d-UPQ98180KK")]
        {
            assert!(deployment(id).is_err(), "{id:?}");
        }
    }
}
