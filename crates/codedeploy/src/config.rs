//! Deployment configurations: the predefined ones of the Lambda platform, and those that were made.

use pitbird_names::Scope;
use pitbird_records::{DeployConfig, TrafficRouting, key};

use crate::find::Records;
use crate::{Error, name};

/// What a group has that names none.
pub const DEFAULT: &str = "CodeDeployDefault.LambdaAllAtOnce";

/// The predefined ones. Source: CodeDeploy user guide, "Predefined deployment configurations for an AWS Lambda compute
/// platform".
pub const PREDEFINED: [(&str, TrafficRouting); 9] = [
    (DEFAULT, TrafficRouting::AllAtOnce),
    ("CodeDeployDefault.LambdaCanary10Percent5Minutes", canary(5)),
    ("CodeDeployDefault.LambdaCanary10Percent10Minutes", canary(10)),
    ("CodeDeployDefault.LambdaCanary10Percent15Minutes", canary(15)),
    ("CodeDeployDefault.LambdaCanary10Percent30Minutes", canary(30)),
    ("CodeDeployDefault.LambdaLinear10PercentEvery1Minute", linear(1)),
    ("CodeDeployDefault.LambdaLinear10PercentEvery2Minutes", linear(2)),
    ("CodeDeployDefault.LambdaLinear10PercentEvery3Minutes", linear(3)),
    ("CodeDeployDefault.LambdaLinear10PercentEvery10Minutes", linear(10)),
];

const fn canary(interval_min: u32) -> TrafficRouting {
    TrafficRouting::Canary { percent: 10, interval_min }
}

const fn linear(interval_min: u32) -> TrafficRouting {
    TrafficRouting::Linear { percent: 10, interval_min }
}

/// The configuration of a name. Those of other platforms are refused.
pub fn find(records: &impl Records, scope: &Scope, named: &str) -> Result<DeployConfig, Error> {
    name::config(named)?;
    if let Some(at) = PREDEFINED.iter().position(|(known, _)| *known == named) {
        let (name, routing) = PREDEFINED[at];
        // The same in every account, as on AWS.
        let id = format!("00000000-0000-0000-0000-{:012}", at + 1);
        return Ok(DeployConfig { scope: scope.clone(), name: name.to_owned(), id, created_ms: 0, routing });
    }
    if named.starts_with(name::RESERVED) {
        return Err(Error::Unsupported(format!("The deployment configuration {named}")));
    }
    records.get(&key(scope, &[named]))?.ok_or_else(|| Error::UnknownConfig(named.to_owned()))
}
