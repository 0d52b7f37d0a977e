use serde_json::Value;

/// OpenAPI documents that others wrote for APIs of their own, by a name: Swagger 2.0 and OpenAPI 3.0, JSON and YAML, none with API
/// Gateway's extensions. The larger ones are a part of the whole, without most of their words. NOTICE says whose they are.
pub const DOCUMENTS: [(&str, &str); 5] = [
    ("github", include_str!("../documents/github-3.0.json")),
    ("petstore, Swagger", include_str!("../documents/petstore-2.0.json")),
    ("petstore", include_str!("../documents/petstore-3.0.json")),
    ("star trek", include_str!("../documents/star-trek-3.0.json")),
    ("uspto", include_str!("../documents/uspto-3.0.yaml")),
];

/// Gives each operation of a document an integration: as others write them they have none.
pub fn with_integrations(mut document: Value, integration: &Value) -> Value {
    for (_, _, operation) in operations(&mut document) {
        operation["x-amazon-apigateway-integration"] = integration.clone();
    }
    document
}

/// A document's operations, each with its path and its method in lower case.
///
/// # Panics
/// When the document has no paths.
pub fn operations(document: &mut Value) -> Vec<(String, String, &mut Value)> {
    let paths = document["paths"].as_object_mut().expect("paths");
    let mut all = Vec::new();
    for (path, item) in paths {
        for (verb, operation) in item.as_object_mut().into_iter().flatten() {
            if VERBS.contains(&verb.as_str()) {
                all.push((path.clone(), verb.clone(), operation));
            }
        }
    }
    all
}

const VERBS: [&str; 7] = ["delete", "get", "head", "options", "patch", "post", "put"];
