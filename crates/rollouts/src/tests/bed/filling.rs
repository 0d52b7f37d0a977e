//! The API and the functions of a new store.

use pitbird_names::{Scope, VersionId};
use pitbird_records::function::{Code, LastUpdate, Logging, Settings};
use pitbird_records::{self as records, Alias, Deployment, FunctionVersion, Resource, RestApi, Stage, Texts};
use pitbird_store::Transaction;

use super::API;

pub fn fill(tx: &mut Transaction<'_>) -> Result<(), pitbird_store::Error> {
    let scope = Scope::default();
    let api = RestApi {
        scope: scope.clone(),
        id: API.into(),
        name: "pets".into(),
        description: None,
        version: None,
        created_ms: 0,
        binary_media_types: Vec::new(),
        minimum_compression_size: None,
        api_key_source: "HEADER".into(),
        endpoint_types: vec!["EDGE".into()],
        ip_address_type: "ipv4".into(),
        vpc_endpoint_ids: Vec::new(),
        policy: None,
        disable_execute_api_endpoint: false,
        root_resource_id: "root".into(),
        tags: Texts::new(),
    };
    tx.put(&api)?;
    for id in ["d1", "d2", "d3"] {
        tx.put(&Deployment {
            scope: scope.clone(),
            api_id: API.into(),
            id: id.into(),
            description: None,
            created_ms: 0,
            api: api.clone(),
            resources: ["/pets", "/dead"].map(resource).into(),
            models: Vec::new(),
            request_validators: Vec::new(),
            authorizers: Vec::new(),
            gateway_responses: Vec::new(),
        })?;
    }
    tx.put(&Stage {
        scope: scope.clone(),
        api_id: API.into(),
        name: "prod".into(),
        deployment_id: "d1".into(),
        description: None,
        created_ms: 0,
        updated_ms: 0,
        variables: [("colour".to_owned(), "red".to_owned()), ("alias".to_owned(), "live".to_owned())].into(),
        canary: None,
        method_settings: Default::default(),
        access_log: None,
        documentation_version: None,
        tracing_enabled: false,
        cache_cluster_enabled: false,
        cache_cluster_size: None,
        client_certificate_id: None,
        cache_flushed: 0,
        authorizers_flushed: 0,
        tags: Texts::new(),
    })?;
    for (name, base, others) in [("pets", 1, [2, 3]), ("toys", 6, [7, 2])] {
        let numbers = others.into_iter().chain([base]).map(VersionId::Number);
        for version in numbers.chain([VersionId::Latest]) {
            tx.put(&function(&scope, name, version))?;
        }
        tx.put(&Alias {
            scope: scope.clone(),
            function: name.into(),
            name: "live".into(),
            version: VersionId::Number(base),
            description: String::new(),
            revision_id: "before".into(),
            additional: None,
        })?;
    }
    Ok(())
}

fn resource(path: &str) -> Resource {
    Resource {
        scope: Scope::default(),
        api_id: API.into(),
        id: path.into(),
        parent_id: None,
        path_part: None,
        path: path.into(),
        methods: [("GET".to_owned(), Default::default())].into(),
    }
}

fn function(scope: &Scope, name: &str, version: VersionId) -> FunctionVersion {
    let role = if version == VersionId::Number(3) { "other" } else { "usual" };
    FunctionVersion {
        scope: scope.clone(),
        name: name.into(),
        version,
        settings: Settings {
            runtime: "provided.al2023".into(),
            handler: None,
            role: role.into(),
            description: String::new(),
            timeout_s: 3,
            memory_mib: 128,
            tmp_mib: 512,
            environment: None,
            architecture: "x86_64".into(),
            logging: Logging {
                group: format!("/aws/lambda/{name}"),
                format: "Text".into(),
                application_level: None,
                system_level: None,
            },
            tracing_mode: "PassThrough".into(),
            layers: Vec::new(),
        },
        code: Code { sha256_hex: "00".into(), size_bytes: 1, unpacked_bytes: 1 },
        revision_id: "r".into(),
        modified_ms: 0,
        state: records::function::State::Active,
        last_update: LastUpdate::Successful,
        function: None,
    }
}
