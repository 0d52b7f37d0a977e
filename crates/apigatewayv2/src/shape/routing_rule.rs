use pitbird_records as records;
use serde::Serialize;

use crate::routing_rule::{Action, Condition};

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoutingRule {
    actions: [Action; 1],
    conditions: Vec<Condition>,
    priority: i64,
    routing_rule_arn: String,
    routing_rule_id: String,
}

impl From<records::RoutingRule> for RoutingRule {
    fn from(rule: records::RoutingRule) -> RoutingRule {
        let (account, region) = (&rule.scope.account, &rule.scope.region);
        let place = format!("/domainnames/{}/routingrules/{}", rule.domain_name, rule.id);
        RoutingRule {
            actions: [Action::from(&rule)],
            routing_rule_arn: format!("arn:aws:apigateway:{region}:{account}:{place}"),
            conditions: rule.conditions.into_iter().map(Condition::from).collect(),
            priority: rule.priority,
            routing_rule_id: rule.id,
        }
    }
}
