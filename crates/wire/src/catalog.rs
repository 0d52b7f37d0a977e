use crate::model::{self, Metadata, Model};
use pitbird_models::{SOURCES, Source};
use std::sync::{LazyLock, OnceLock};

/// All embedded services. Knowing who they are is cheap; a model is inflated and parsed when it is first asked for.
#[derive(Debug)]
pub struct Catalog {
    services: Vec<Service>,
}

/// One embedded service.
#[derive(Debug)]
pub struct Service {
    source: &'static Source,
    pub metadata: Metadata,
    model: OnceLock<Model>,
}

impl Service {
    /// Botocore's name of the service (`apigatewayv2`, `logs`), ours for our own.
    pub fn key(&self) -> &'static str {
        self.source.key
    }

    pub fn model(&self) -> &Model {
        self.model.get_or_init(|| {
            let Source { key, patch, .. } = *self.source;
            // What is parsed borrows from its text, for as long as the process lives.
            Model::parse(key, self.source.model().leak(), patch).expect("a test parses all embedded models")
        })
    }
}

impl Catalog {
    /// The one catalog of the process.
    pub fn embedded() -> &'static Catalog {
        static EMBEDDED: LazyLock<Catalog> = LazyLock::new(|| {
            let service = |source: &'static Source| Service {
                source,
                metadata: model::metadata(source.metadata, source.patch)
                    .expect("a test parses all embedded models"),
                model: OnceLock::new(),
            };
            Catalog { services: SOURCES.iter().map(service).collect() }
        });
        &EMBEDDED
    }

    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The model of the service with this key.
    pub fn model(&self, key: &str) -> Option<&Model> {
        self.services.iter().find(|service| service.key() == key).map(Service::model)
    }
}
