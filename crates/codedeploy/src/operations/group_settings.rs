//! Settings of deployment groups that belong to other platforms. What means nothing is taken, whatever else is refused.

use serde_json::Value;

use crate::Error;

pub struct Elsewhere {
    pub ec2_tag_filters: Option<Vec<Value>>,
    pub on_premises_instance_tag_filters: Option<Vec<Value>>,
    pub auto_scaling_groups: Option<Vec<Value>>,
    pub ecs_services: Option<Vec<Value>>,
    pub termination_hook_enabled: Option<bool>,
}

impl Elsewhere {
    pub fn check(&self) -> Result<(), Error> {
        let has = |list: &Option<Vec<Value>>| list.as_ref().is_some_and(|list| !list.is_empty());
        for (is_given, name) in [
            (has(&self.ec2_tag_filters), "ec2TagFilters"),
            (has(&self.on_premises_instance_tag_filters), "onPremisesInstanceTagFilters"),
            (has(&self.auto_scaling_groups), "autoScalingGroups"),
            (has(&self.ecs_services), "ecsServices"),
            (self.termination_hook_enabled == Some(true), "terminationHookEnabled"),
        ] {
            if is_given {
                return Err(Error::Unsupported(format!("{name} of a Lambda deployment group")));
            }
        }
        Ok(())
    }
}
