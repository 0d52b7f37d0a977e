use std::collections::HashMap;

use pitbird_mapping::parameter::{Direction, Source};
use pitbird_paths::{Router, Template};
use pitbird_records as records;

use crate::Integration;
use crate::target::TargetTemplate;

/// A deployment's routes. Immutable, and so shared by every snapshot that has a stage on it.
#[derive(Debug)]
pub struct Deployment {
    pub id: String,
    pub router: Router<Resource>,
    pub binary_media_types: Vec<String>,
    /// From how many bytes on answers are compressed; requests are taken compressed then too.
    pub compression_minimum: Option<u64>,
    /// What integrations call, in the order that they count it.
    pub(crate) targets: Vec<TargetTemplate>,
}

#[derive(Debug)]
pub struct Resource {
    pub id: String,
    /// The template: `/pets/{id}`.
    pub path: String,
    methods: HashMap<String, Method>,
}

#[derive(Debug)]
pub struct Method {
    /// As configured: `GET` … or `ANY`.
    pub name: String,
    pub operation_name: Option<String>,
    pub cache_key: CacheKey,
    pub integration: Integration,
}

/// What a method's answers differ by in a stage's cache.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CacheKey {
    /// Methods of the same one share their answers; usually the resource's id.
    pub namespace: String,
    pub parameters: Vec<Source>,
}

impl CacheKey {
    /// Parameters are named as the method's (`method.request.querystring.page`) or as the integration's, which are mapped from the
    /// method's.
    fn compile(integration: Option<&records::Integration>, resource_id: &str) -> CacheKey {
        let Some(integration) = integration else { return CacheKey::default() };
        let source = |name: &String| {
            let of_method = integration.request_parameters.get(name).unwrap_or(name);
            Source::parse(of_method, Direction::Request).ok()
        };
        CacheKey {
            namespace: integration.cache_namespace.clone().unwrap_or_else(|| resource_id.to_owned()),
            parameters: integration.cache_key_parameters.iter().filter_map(source).collect(),
        }
    }
}

impl Resource {
    /// The method for an HTTP verb: the verb's own before `ANY`. `ANY` stands for DELETE, GET, HEAD, OPTIONS, PATCH,
    /// POST and PUT only.
    pub fn method(&self, verb: &str) -> Option<&Method> {
        const ANY: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];
        self.methods.get(verb).or_else(|| ANY.contains(&verb).then(|| self.methods.get("ANY")).flatten())
    }
}

impl Deployment {
    pub(crate) fn compile(record: records::Deployment) -> Deployment {
        let mut router = Router::new();
        let mut targets = Vec::new();
        for resource in record.resources {
            let methods: HashMap<String, Method> = resource
                .methods
                .into_iter()
                .map(|(name, method)| {
                    let integration = Integration::compile(&method, &mut targets);
                    let cache_key = CacheKey::compile(method.integration.as_ref(), &resource.id);
                    let operation_name = method.operation_name;
                    (name.clone(), Method { name, operation_name, cache_key, integration })
                })
                .collect();
            if methods.is_empty() {
                continue;
            }
            let path = resource.path;
            let compiled = Resource { id: resource.id, path: path.clone(), methods };
            // Creating a resource refuses paths that can't be parsed or that clash; one that slipped through answers
            // like a path that doesn't exist, and takes nothing else with it.
            if let Ok(template) = Template::parse(&path) {
                let _unrouted = router.insert(&template, compiled);
            }
        }
        Deployment {
            id: record.id,
            router,
            binary_media_types: record.api.binary_media_types,
            compression_minimum: record.api.minimum_compression_size.and_then(|size| size.try_into().ok()),
            targets,
        }
    }
}
