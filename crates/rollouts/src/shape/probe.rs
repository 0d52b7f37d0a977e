use pitbird_records::Texts;
use pitbird_records::rollout::{Probe as ProbeRecord, Probes as ProbesRecord, RequestProbe};
use serde::{Deserialize, Serialize};

use super::Target;
use crate::Error;

/// Of each rollout in a second, unless it says so, and at most.
const PER_SECOND: f64 = 5.0;
const PER_SECOND_MAX: f64 = 20.0;

/// What the rollout sends to both arms by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Probes {
    per_second: Option<f64>,
    requests: Vec<Probe>,
}

/// Of a stage a request, whose path may have a query; of an alias an event.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Probe {
    method: Option<String>,
    path: Option<String>,
    headers: Option<Texts>,
    body: Option<String>,
    payload: Option<String>,
}

impl Probes {
    pub fn parse(self, target: &Target) -> Result<ProbesRecord, Error> {
        let per_second = self.per_second.unwrap_or(PER_SECOND);
        if !(per_second > 0.0 && per_second <= PER_SECOND_MAX) {
            return Err(Error::invalid("Probes.PerSecond: must be more than 0 and at most 20."));
        }
        let parse = match target {
            Target { rest_stage: Some(_), .. } => Probe::request,
            Target { lambda_alias: Some(_), .. } => Probe::event,
            _ => {
                let words = "Probes goes with Target.RestStage and Target.LambdaAlias only.";
                return Err(Error::invalid(words));
            }
        };
        let requests = self.requests.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(ProbesRecord { per_second, requests })
    }
}

impl Probe {
    fn request(self) -> Result<ProbeRecord, Error> {
        let Probe { method, path, headers, body, payload } = self;
        if payload.is_some() {
            return Err(Error::invalid("Probes.Requests: Payload goes with Target.LambdaAlias only."));
        }
        Ok(ProbeRecord::Request(RequestProbe {
            method: method.unwrap_or_else(|| "GET".to_owned()),
            path: path.ok_or_else(|| Error::invalid("Probes.Requests: each needs a Path."))?,
            headers: headers.unwrap_or_default(),
            body,
        }))
    }

    fn event(self) -> Result<ProbeRecord, Error> {
        let Probe { method, path, headers, body, payload } = self;
        let of_stages = [
            ("Method", method.is_some()),
            ("Path", path.is_some()),
            ("Headers", headers.is_some()),
            ("Body", body.is_some()),
        ];
        if let Some((name, _)) = of_stages.iter().find(|(_, is_there)| *is_there) {
            let words = format!("Probes.Requests: {name} goes with Target.RestStage only.");
            return Err(Error::invalid(words));
        }
        let payload = payload.ok_or_else(|| Error::invalid("Probes.Requests: each needs a Payload."))?;
        if serde_json::from_str::<serde::de::IgnoredAny>(&payload).is_err() {
            return Err(Error::invalid("Probes.Requests: Payload must be JSON."));
        }
        Ok(ProbeRecord::Event { payload })
    }
}

impl From<&ProbesRecord> for Probes {
    fn from(probes: &ProbesRecord) -> Probes {
        let requests = probes.requests.iter().map(Probe::from).collect();
        Probes { per_second: Some(probes.per_second), requests }
    }
}

impl From<&ProbeRecord> for Probe {
    fn from(probe: &ProbeRecord) -> Probe {
        match probe {
            ProbeRecord::Request(RequestProbe { method, path, headers, body }) => Probe {
                method: Some(method.clone()),
                path: Some(path.clone()),
                headers: Some(headers.clone()).filter(|headers| !headers.is_empty()),
                body: body.clone(),
                payload: None,
            },
            ProbeRecord::Event { payload } => Probe { payload: Some(payload.clone()), ..Probe::default() },
        }
    }
}
