use pitbird_rollout::{GuardrailFindings, plan};
use serde::{Deserialize, Serialize};

use super::evidence::cut;

/// What the canary may not exceed, whatever the base does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Guardrails {
    error_rate: Option<f64>,
    latency: Option<Vec<LatencyCeiling>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LatencyCeiling {
    quantile: f64,
    above_ms: u64,
}

/// What to do where evidence is missing.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum WhenBlind {
    Hold,
}

/// How a guardrail stands: requests that count for it, and those of them beyond the limit.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GuardrailEvidence {
    guardrail: String,
    limit: f64,
    #[serde(rename = "LogE")]
    log_e: f64,
    threshold: f64,
    broken: bool,
    base_requests: u64,
    base_beyond: u64,
    canary_requests: u64,
    canary_beyond: u64,
}

impl Guardrails {
    pub fn parse(self) -> plan::Guardrails {
        let ceiling = |given: LatencyCeiling| {
            let LatencyCeiling { quantile, above_ms } = given;
            plan::LatencyCeiling { quantile, above_ms }
        };
        let latency = self.latency.unwrap_or_default().into_iter().map(ceiling).collect();
        plan::Guardrails { error_rate: self.error_rate, latency }
    }

    /// None where there is none.
    pub fn shown(guardrails: &plan::Guardrails) -> Option<Guardrails> {
        let ceiling = |known: &plan::LatencyCeiling| {
            let plan::LatencyCeiling { quantile, above_ms } = *known;
            LatencyCeiling { quantile, above_ms }
        };
        let latency = guardrails.latency.iter().map(ceiling).collect();
        let shown = Guardrails { error_rate: guardrails.error_rate, latency: Some(latency) };
        (!guardrails.is_empty()).then_some(shown)
    }
}

impl From<GuardrailFindings> for GuardrailEvidence {
    fn from(found: GuardrailFindings) -> GuardrailEvidence {
        GuardrailEvidence {
            guardrail: found.guardrail.to_string(),
            limit: found.guardrail.limit(),
            log_e: cut(found.log_e),
            threshold: cut(found.threshold),
            broken: found.is_broken(),
            base_requests: found.base.requests(),
            base_beyond: found.base.events(),
            canary_requests: found.canary.requests(),
            canary_beyond: found.canary.events(),
        }
    }
}

impl From<plan::WhenBlind> for WhenBlind {
    fn from(when: plan::WhenBlind) -> WhenBlind {
        match when {
            plan::WhenBlind::Hold => WhenBlind::Hold,
        }
    }
}

impl From<WhenBlind> for plan::WhenBlind {
    fn from(when: WhenBlind) -> plan::WhenBlind {
        match when {
            WhenBlind::Hold => plan::WhenBlind::Hold,
        }
    }
}
