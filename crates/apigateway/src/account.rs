//! API Gateway's settings of an account in a region.

use pitbird_names::arn;
use pitbird_records::GatewayAccount;

use crate::Error;
use crate::patch::{Op, Patch};

/// Applies one patch operation.
pub fn apply(account: &mut GatewayAccount, patch: &Patch<'_>) -> Result<(), Error> {
    match (patch.op, patch.path) {
        (Op::Replace, "/cloudwatchRoleArn") => {
            account.cloudwatch_role_arn = patch.text().map(role_arn).transpose()?;
            Ok(())
        }
        // Usage plans are always on; older tools still ask for them.
        (Op::Add, "/features") if patch.value == Some("UsagePlans") => Ok(()),
        _ => Err(patch.not_one_of("/cloudwatchRoleArn")),
    }
}

fn role_arn(text: &str) -> Result<String, Error> {
    let is_role =
        arn::parse(text).is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("role/"));
    if is_role { Ok(text.to_owned()) } else { Err(Error::RoleArn) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logging_role_is_set_and_taken_back() {
        let mut account = GatewayAccount { scope: Default::default(), cloudwatch_role_arn: None };
        let mut run = |op, path, value| {
            apply(&mut account, &Patch { op, path, value, from: None }).map_err(|error| error.to_string())?;
            Ok::<_, String>(account.cloudwatch_role_arn.clone())
        };
        let role = "arn:aws:iam::000000000000:role/logs";
        assert_eq!(run(Op::Replace, "/cloudwatchRoleArn", Some(role)), Ok(Some(role.to_owned())));
        let refused = Err("The role ARN is not well formed".to_owned());
        assert_eq!(run(Op::Replace, "/cloudwatchRoleArn", Some("role")), refused);
        assert_eq!(run(Op::Replace, "/cloudwatchRoleArn", Some("arn:aws:iam::000000000000:user/u")), refused);
        assert_eq!(run(Op::Add, "/features", Some("UsagePlans")), Ok(Some(role.to_owned())));
        assert_eq!(
            run(Op::Replace, "/throttleSettings", Some("1")).expect_err("no such path"),
            "Invalid patch path  '/throttleSettings' specified for op 'replace'. Must be one of: [/cloudwatchRoleArn]"
        );
        assert_eq!(run(Op::Replace, "/cloudwatchRoleArn", Some("")), Ok(None));
    }
}
