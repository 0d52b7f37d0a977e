//! What a release may be given a share of on AWS: an alias, or a stage.

use std::collections::BTreeMap;

use pitbird_wire::Fault;
use serde_json::{Value as Json, json};

use crate::tests::bed::API;

/// The alias `live` of a function.
pub struct Alias {
    pub version: String,
    canary: &'static str,
    share: Option<f64>,
    description: String,
    revision: u64,
}

/// The stage `prod` of the API `pets`.
#[derive(Default)]
pub struct Stage {
    pub deployment: String,
    canary: Option<Canary>,
    tags: BTreeMap<String, Json>,
}

#[derive(Default)]
struct Canary {
    deployment: String,
    percent: f64,
}

impl Alias {
    pub fn new(base: &str, canary: &'static str) -> Alias {
        let (version, description) = (base.to_owned(), "the live one".to_owned());
        Alias { version, canary, share: None, description, revision: 1 }
    }

    /// Somebody puts another version there.
    pub fn put(&mut self, version: &str) {
        (self.version, self.share) = (version.to_owned(), None);
        self.revision += 1;
    }

    /// Is it as nobody's rollout left it?
    pub fn is_unsigned(&self) -> bool {
        self.description == "the live one"
    }

    pub fn shown(&self) -> Json {
        let routing = self.share.map(|share| json!({"AdditionalVersionWeights": {self.canary: share}}));
        json!({
            "Name": "live",
            "FunctionVersion": self.version,
            "Description": self.description,
            "RoutingConfig": routing,
            "RevisionId": self.revision.to_string(),
        })
    }

    pub fn update(&mut self, input: &Json) -> Result<(), Fault> {
        if input["RevisionId"] != json!(self.revision.to_string()) {
            return Err(Fault::new("PreconditionFailedException", "the alias is another by now"));
        }
        self.version = input["FunctionVersion"].as_str().expect("a version").to_owned();
        self.description = input["Description"].as_str().expect("text").to_owned();
        self.share = input["RoutingConfig"]["AdditionalVersionWeights"][self.canary].as_f64();
        self.revision += 1;
        Ok(())
    }

    /// The canary's share of what comes, 0 to 1.
    pub fn share(&self) -> f64 {
        self.share.unwrap_or(if self.version == self.canary { 1.0 } else { 0.0 })
    }
}

impl Stage {
    pub fn new() -> Stage {
        Stage { deployment: "d1".to_owned(), ..Stage::default() }
    }

    pub fn shown(&self) -> Json {
        let canary = self.canary.as_ref().map(|canary| {
            json!({"deploymentId": canary.deployment, "percentTraffic": canary.percent, "stageVariableOverrides": {}})
        });
        json!({
            "stageName": "prod",
            "deploymentId": self.deployment,
            "canarySettings": canary,
            "variables": {},
            "tags": self.tags,
        })
    }

    pub fn update(&mut self, input: &Json) {
        for patch in input["patchOperations"].as_array().expect("patches") {
            let text = |name: &str| patch[name].as_str().unwrap_or_default();
            match (text("op"), text("path")) {
                ("replace", "/canarySettings/percentTraffic") => {
                    let percent = text("value").parse().expect("a number");
                    self.canary.get_or_insert_default().percent = percent;
                }
                ("replace", "/canarySettings/deploymentId") => {
                    self.canary.get_or_insert_default().deployment = text("value").to_owned();
                }
                ("copy", "/deploymentId") => {
                    assert_eq!(text("from"), "/canarySettings/deploymentId");
                    self.deployment = self.canary.as_ref().expect("a canary").deployment.clone();
                }
                ("remove", "/canarySettings") => self.canary = None,
                other => panic!("{other:?} isn't needed for a release"),
            }
        }
    }

    pub fn tag(&mut self, input: &Json) {
        let tags = input["tags"].as_object().expect("tags");
        self.tags.extend(tags.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    pub fn untag(&mut self, input: &Json) {
        let names = input["tagKeys"].as_array().expect("names");
        self.tags.retain(|tag, _| names.iter().all(|name| name != tag));
    }

    pub fn api() -> Json {
        json!({"id": API, "name": "pets"})
    }

    /// The canary's share of what comes, 0 to 1.
    pub fn share(&self) -> f64 {
        let all = if self.deployment == "d2" { 1.0 } else { 0.0 };
        let canary = self.canary.as_ref().filter(|_| self.deployment == "d1");
        canary.map_or(all, |canary| canary.percent / 100.0)
    }
}
