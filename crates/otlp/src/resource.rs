use pitbird_names::Scope;

use crate::message::{InstrumentationScope, KeyValue, Resource, attribute};

/// Whose telemetry it is: the server's name and what else it was told of itself.
#[derive(Debug, Clone)]
pub struct Origin(Vec<KeyValue>);

impl Origin {
    /// `more` are attributes that the user gave; they take the place of ours.
    pub fn new(service_name: &str, instance: &str, more: &[(String, String)]) -> Origin {
        let own = [
            ("service.name", service_name),
            ("service.version", env!("CARGO_PKG_VERSION")),
            ("service.instance.id", instance),
            ("telemetry.sdk.name", "pitbird"),
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ];
        let own = own.into_iter().filter(|(name, _)| !more.iter().any(|(given, _)| given == name));
        let own = own.map(|(name, value)| attribute(name, value));
        Origin(own.chain(more.iter().map(|(name, value)| attribute(name, value.as_str()))).collect())
    }

    pub fn resource(&self) -> Resource {
        Resource { attributes: self.0.clone() }
    }

    /// What was measured or said in an account and region.
    pub fn within(&self, scope: &Scope) -> Resource {
        let mut resource = self.resource();
        resource.attributes.push(attribute("cloud.account.id", scope.account.as_str()));
        resource.attributes.push(attribute("cloud.region", scope.region.as_str()));
        resource
    }
}

/// Who made the messages.
pub fn instrumentation() -> InstrumentationScope {
    InstrumentationScope { name: "pitbird".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}
