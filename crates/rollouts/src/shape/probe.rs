use pitbird_records::Texts;
use pitbird_records::rollout::{Probe as ProbeRecord, Probes as ProbesRecord};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Of each rollout in a second, unless it says so, and at most.
const PER_SECOND: f64 = 5.0;
const PER_SECOND_MAX: f64 = 20.0;

/// Requests that the rollout sends to both arms by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Probes {
    per_second: Option<f64>,
    requests: Vec<Probe>,
}

/// The path may have a query.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Probe {
    method: Option<String>,
    path: String,
    headers: Option<Texts>,
    body: Option<String>,
}

impl Probes {
    pub fn parse(self) -> Result<ProbesRecord, Error> {
        let per_second = self.per_second.unwrap_or(PER_SECOND);
        if !(per_second > 0.0 && per_second <= PER_SECOND_MAX) {
            return Err(Error::invalid("Probes.PerSecond: must be more than 0 and at most 20."));
        }
        let request = |probe: Probe| ProbeRecord {
            method: probe.method.unwrap_or_else(|| "GET".to_owned()),
            path: probe.path,
            headers: probe.headers.unwrap_or_default(),
            body: probe.body,
        };
        Ok(ProbesRecord { per_second, requests: self.requests.into_iter().map(request).collect() })
    }
}

impl From<&ProbesRecord> for Probes {
    fn from(probes: &ProbesRecord) -> Probes {
        let request = |probe: &ProbeRecord| Probe {
            method: Some(probe.method.clone()),
            path: probe.path.clone(),
            headers: Some(probe.headers.clone()).filter(|headers| !headers.is_empty()),
            body: probe.body.clone(),
        };
        Probes {
            per_second: Some(probes.per_second),
            requests: probes.requests.iter().map(request).collect(),
        }
    }
}
