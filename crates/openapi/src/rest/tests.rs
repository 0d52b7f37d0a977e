use pitbird_names::Scope;
use serde_json::json;

use super::*;
use crate::read;

/// A new API's records.
pub fn fresh() -> Picture {
    let api = RestApi {
        scope: Scope::default(),
        id: "api".to_owned(),
        name: "old".to_owned(),
        description: Some("old".to_owned()),
        version: None,
        created_ms: 0,
        binary_media_types: vec!["a/b".to_owned()],
        minimum_compression_size: None,
        api_key_source: "HEADER".to_owned(),
        endpoint_types: vec!["EDGE".to_owned()],
        ip_address_type: "ipv4".to_owned(),
        vpc_endpoint_ids: Vec::new(),
        policy: None,
        disable_execute_api_endpoint: false,
        root_resource_id: "root".to_owned(),
        tags: Default::default(),
    };
    let root = Resource {
        scope: api.scope.clone(),
        api_id: api.id.clone(),
        id: "root".to_owned(),
        parent_id: None,
        path_part: None,
        path: "/".to_owned(),
        methods: Default::default(),
    };
    Picture {
        api,
        resources: vec![root],
        models: Vec::new(),
        validators: Vec::new(),
        authorizers: Vec::new(),
        gateway_responses: Vec::new(),
        documentation: Vec::new(),
    }
}

pub fn over(document: &Document, over: Picture, mode: Mode, base_path: BasePath) -> Laid {
    let mut next = over.resources.len() * 1000;
    let mut fresh_id = |_: usize| {
        next += 1;
        format!("id{next}")
    };
    let options = Options { mode, base_path, ignores_documentation: false, resources_max: 300 };
    lay(document, over, &options, &mut fresh_id)
}

pub fn laid(document: &Document, mode: Mode) -> Laid {
    over(document, fresh(), mode, BasePath::Ignore)
}

fn paths(picture: &Picture) -> Vec<&str> {
    picture.resources.iter().map(|resource| resource.path.as_str()).collect()
}

fn document(tree: &serde_json::Value) -> Document {
    read::document(tree.to_string().as_bytes()).expect("a document")
}

fn swagger(paths: &[&str]) -> Document {
    let paths: serde_json::Map<String, Value> =
        paths.iter().map(|path| ((*path).to_owned(), json!({"get": {}}))).collect();
    document(&json!({"swagger": "2.0", "info": {"title": "new"}, "basePath": "/a/b/c", "paths": paths}))
}

#[test]
fn merging_keeps_and_overwriting_takes_away() {
    let first = laid(&swagger(&["/x", "/y/z"]), Mode::Merge).picture;
    assert_eq!(paths(&first), ["/", "/x", "/y", "/y/z"]);
    let second = swagger(&["/x", "/w"]);
    let merged = over(&second, first.clone(), Mode::Merge, BasePath::Ignore).picture;
    assert_eq!(paths(&merged), ["/", "/x", "/y", "/y/z", "/w"]);
    assert_eq!(merged.api.description.as_deref(), Some("old"));
    let overwritten = over(&second, first.clone(), Mode::Overwrite, BasePath::Ignore).picture;
    assert_eq!(paths(&overwritten), ["/", "/x", "/w"]);
    assert_eq!((overwritten.api.name.as_str(), overwritten.api.description.as_deref()), ("new", None));
    assert!(overwritten.api.binary_media_types.is_empty());
    for picture in [&merged, &overwritten] {
        let id =
            |of: &Picture, path: &str| of.resources.iter().find(|it| it.path == path).map(|it| it.id.clone());
        assert_eq!(id(picture, "/x"), id(&first, "/x"));
        assert_eq!(id(picture, "/"), Some("root".to_owned()));
    }
}

#[test]
fn a_base_path_is_ignored_prepended_or_split() {
    let document = swagger(&["/e"]);
    for (asked, path) in
        [(BasePath::Ignore, "/e"), (BasePath::Prepend, "/a/b/c/e"), (BasePath::Split, "/b/c/e")]
    {
        let picture = over(&document, fresh(), Mode::Merge, asked).picture;
        assert_eq!(paths(&picture).last(), Some(&path));
    }
}

#[test]
fn resources_end_at_their_limit() {
    let most = format!("/{}", vec!["a"; 299].join("/"));
    let laid_at = |path: &str| laid(&swagger(&[path]), Mode::Merge);
    assert!(!laid_at(&most).is_full);
    let beyond = laid_at(&format!("{most}/a"));
    assert!(beyond.is_full && beyond.picture.resources.len() == 300);
}

#[test]
fn a_method_whose_scheme_is_none_is_not_made() {
    let tree = json!({"swagger": "2.0", "info": {"title": "a"},
        "securityDefinitions": {"broken": {"type": "apiKey", "x-amazon-apigateway-authtype": "custom"},
            "key": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        "paths": {"/a": {"get": {"security": [{"broken": []}]}, "put": {"security": [{"unknown": []}]},
            "post": {"security": [{"key": []}]}, "delete": {}}}});
    let laid = laid(&document(&tree), Mode::Merge);
    let methods = &laid.picture.resources[1].methods;
    assert_eq!(methods.keys().collect::<Vec<_>>(), ["DELETE", "POST"]);
    assert!(methods["POST"].api_key_required && !methods["DELETE"].api_key_required);
    assert_eq!(laid.warnings.iter().filter(|it| it.contains("'unknown'")).count(), 1);
}

#[test]
fn inline_schemas_become_models_that_stay() {
    let pets = json!({"type": "array", "items": {"$ref": "#/definitions/Pet"}});
    let tree = json!({"swagger": "2.0", "info": {"title": "a"}, "definitions": {"Pet": {"type": "object"}},
        "paths": {"/a": {"get": {"responses": {"200": {"schema": pets}}}, "put": {"responses": {"200": {"schema": pets}}}}}});
    let document = document(&tree);
    let first = laid(&document, Mode::Merge).picture;
    assert_eq!(first.models.len(), 2);
    let made = first.models.iter().find(|model| model.name.starts_with("MODEL")).expect("a model");
    let schema = made.schema.as_deref().expect("a schema");
    assert!(
        schema.contains("\"$ref\" : \"https://apigateway.amazonaws.com/restapis/api/models/Pet\""),
        "{schema}"
    );
    let again = over(&document, first.clone(), Mode::Overwrite, BasePath::Ignore).picture;
    assert_eq!(again.models, first.models);
}
