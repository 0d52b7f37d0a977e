//! APIs from OpenAPI documents: what a caller asks for, and what becomes of an API's records.
//!
//! A document's parts go through the settings that single calls go through, so that they are held against the same rules.
//! What mustn't be missing and is wrong fails the import as a whole; what an HTTP API has no use for is told.

mod authorize;

use std::collections::{HashMap, HashSet};

use pitbird_names::short_id;
use pitbird_openapi::document::{self, BasePath, Document, Form, Operation};
use pitbird_openapi::read;
use pitbird_records::{HttpApi, HttpAuthorizer, HttpIntegration, HttpRoute, prefix};
use pitbird_store::Transaction;
use serde_json::Value;

use crate::route::ROUTES_MAX;
use crate::{Error, api, find, integration, route, tags};

/// How a document is to be taken.
#[derive(Debug)]
pub struct Asked {
    base_path: BasePath,
    fails_on_warnings: bool,
}

/// Reads what a caller asks for beside the document.
pub fn asked(base_path: Option<String>, fails_on_warnings: Option<bool>) -> Result<Asked, Error> {
    let base_path = match base_path.as_deref() {
        None | Some("ignore") => BasePath::Ignore,
        Some("prepend") => BasePath::Prepend,
        Some("split") => BasePath::Split,
        Some(odd) => return Err(Error::BasePath(odd.to_owned())),
    };
    Ok(Asked { base_path, fails_on_warnings: fails_on_warnings.unwrap_or_default() })
}

/// Reads a document.
pub fn document(body: &str) -> Result<Document, Error> {
    use pitbird_openapi::Error::*;
    let document = read::http_api(body.as_bytes()).map_err(|error| match error {
        Unreadable(_) | Version => Error::OpenApi,
        TooLong(_) | Twice(_) | Documents | TooDeep(_) | Expands(_) => {
            Error::OpenApiBounds(error.to_string())
        }
    })?;
    match document.form {
        Form::OpenApi30 => Ok(document),
        Form::Swagger2 => Err(Error::OpenApiVersion),
    }
}

/// Makes an API what a document says, whatever it was before. The API keeps what of the document was left out.
pub fn take(
    tx: &mut Transaction<'_>,
    document: &Document,
    mut api: HttpApi,
    asked: &Asked,
    entropy: fn() -> u128,
) -> Result<HttpApi, Error> {
    if !document.errors.is_empty() {
        return Err(Error::Import(document.errors.clone()));
    }
    let mut left_out = document.warnings.clone();
    settings(document, &mut api, &mut left_out)?;
    let known = Known::clear(tx, &api)?;
    tx.put(&api)?;
    let mut taking = Taking { tx, api, known, entropy, left_out, routes: 0, ids: HashSet::new() };
    let authorizers = taking.authorizers(document)?;
    let base = asked.base_path.of(&document.base_path);
    for path in &document.paths {
        for operation in &path.operations {
            let key = route_key(&base, &path.template, &operation.verb);
            taking.operation(document, &authorizers, operation, &key)?;
        }
    }
    if asked.fails_on_warnings && !taking.left_out.is_empty() {
        return Err(Error::ImportWarnings(taking.left_out));
    }
    taking.api.import_info = taking.left_out;
    taking.tx.put(&taking.api)?;
    Ok(taking.api)
}

/// `/$default` with any method stands for the route of all other requests, wherever the paths are put.
fn route_key(base: &str, template: &str, verb: &str) -> String {
    match (template, verb) {
        ("/$default", "ANY") => "$default".to_owned(),
        ("/", _) if !base.is_empty() => format!("{verb} {base}"),
        _ => format!("{verb} {base}{template}"),
    }
}

fn settings(document: &Document, api: &mut HttpApi, left_out: &mut Vec<String>) -> Result<(), Error> {
    let settings = &document.settings;
    if settings.policy.is_some() {
        return Err(Error::unsupported("x-amazon-apigateway-policy of an HTTP API"));
    }
    let title = document.title.clone().unwrap_or_default();
    api::check_name(&title)?;
    api.name = title;
    api.description = document.description.clone().map_or(Ok(None), api::description)?;
    api.version = document.version.clone().map_or(Ok(None), api::version)?;
    api.cors = None;
    if let Some(cors) = &settings.cors {
        match api::Cors::of_document(cors) {
            Some(cors) => api.cors = Some(cors.parse()?),
            None => left_out.push("CORS Scheme is malformed, ignoring.".to_owned()),
        }
    }
    if !settings.tags.is_empty() {
        tags::check(&settings.tags)?;
        api.tags.clone_from(&settings.tags);
    }
    api.disable_execute_api_endpoint =
        settings.disable_execute_api_endpoint.unwrap_or(api.disable_execute_api_endpoint);
    match settings.ip_address_type.as_deref() {
        None => {}
        Some(kind @ ("ipv4" | "dualstack")) => kind.clone_into(&mut api.ip_address_type),
        Some(_) => return Err(Error::SettingValue("ipAddressType")),
    }
    let of_rest_apis = [
        (settings.api_key_source.is_some(), "api-key-source"),
        (settings.binary_media_types.is_some(), "binary-media-types"),
        (settings.minimum_compression_size.is_some(), "minimum-compression-size"),
        (!settings.validators.is_empty(), "request-validators"),
        (!settings.gateway_responses.is_empty(), "gateway-responses"),
        (!settings.documentation.is_empty(), "documentation"),
    ];
    for (_, name) in of_rest_apis.iter().filter(|(is_given, _)| *is_given) {
        left_out.push(format!("x-amazon-apigateway-{name} is not supported for HTTP APIs. Ignoring."));
    }
    Ok(())
}

/// The ids of what an API had, for those that come again.
struct Known {
    routes: HashMap<String, String>,
    authorizers: HashMap<String, String>,
}

impl Known {
    fn clear(tx: &mut Transaction<'_>, api: &HttpApi) -> Result<Known, Error> {
        let routes = find::routes(tx, api)?.into_iter().map(|it| (it.route_key, it.id)).collect();
        let authorizers = find::authorizers(tx, api)?.into_iter().map(|it| (it.name, it.id)).collect();
        let below = prefix(&api.scope, &[&api.id]);
        tx.delete_all::<HttpRoute>(&below)?;
        tx.delete_all::<HttpIntegration>(&below)?;
        tx.delete_all::<HttpAuthorizer>(&below)?;
        Ok(Known { routes, authorizers })
    }
}

/// A document on its way into the records.
struct Taking<'a, 'tx> {
    tx: &'a mut Transaction<'tx>,
    api: HttpApi,
    known: Known,
    entropy: fn() -> u128,
    left_out: Vec<String>,
    /// Made so far; there are no more integrations than routes.
    routes: usize,
    /// Of routes and integrations.
    ids: HashSet<String>,
}

impl Taking<'_, '_> {
    fn operation(
        &mut self,
        document: &Document,
        authorizers: &HashMap<String, HttpAuthorizer>,
        operation: &Operation,
        key: &str,
    ) -> Result<(), Error> {
        let at_route = |error| located(error, &format!("Unable to create route '{key}'"));
        let Some(mut settings) =
            authorize::settings(document, authorizers, operation, key, &mut self.left_out)?
        else {
            return Ok(());
        };
        if self.routes >= ROUTES_MAX {
            return Err(Error::TooMany { what: "routes for this API", limit: ROUTES_MAX });
        }
        self.routes += 1;
        let known = self.known.routes.remove(key);
        let id = self.unused_id(known);
        if let Some(asked) = &operation.integration {
            let made = self.integration(asked);
            let made =
                made.map_err(|error| located(error, &format!("Unable to put integration on '{key}'")))?;
            settings.target = Some(format!("integrations/{}", made.id));
        }
        if operation.validator.is_some() {
            self.leave_out("x-amazon-apigateway-request-validator is not supported for HTTP APIs. Ignoring.");
        }
        settings.route_key = Some(key.to_owned());
        settings.operation_name.clone_from(&operation.id);
        let mut route = route::fresh(&self.api, id, String::new());
        settings.apply(self.tx, &self.api, &mut route).map_err(at_route)?;
        Ok(self.tx.put(&route).map(drop)?)
    }

    /// Tells what is of no use, once.
    fn leave_out(&mut self, line: &str) {
        if !self.left_out.iter().any(|told| told == line) {
            self.left_out.push(line.to_owned());
        }
    }

    /// An id that nothing of the document has; the known one unless it was drawn for another by chance.
    fn unused_id(&mut self, known: Option<String>) -> String {
        let mut id = known.unwrap_or_else(|| short_id((self.entropy)(), 7));
        while !self.ids.insert(id.clone()) {
            id = short_id((self.entropy)(), 7);
        }
        id
    }

    fn integration(&mut self, asked: &document::Integration) -> Result<HttpIntegration, Error> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let unsupported = [
            (given(&asked.credentials).is_some(), "credentials of an integration"),
            (given(&asked.connection_id).is_some(), "connectionId"),
            (asked.subtype.is_some(), "integrationSubtype"),
            (asked.skips_tls_verification == Some(true), "tlsConfig.insecureSkipVerification true"),
            (asked.server_name.is_some(), "tlsConfig.serverNameToVerify"),
        ];
        if let Some((_, name)) = unsupported.iter().find(|(is_given, _)| *is_given) {
            return Err(Error::unsupported(*name));
        }
        let of_rest_apis = [
            (!asked.request_templates.is_empty(), "requestTemplates"),
            (asked.content_handling.is_some(), "contentHandling"),
            (asked.cache_namespace.is_some(), "cacheNamespace"),
            (!asked.cache_key_parameters.is_empty(), "cacheKeyParameters"),
            (!asked.responses.is_empty(), "responses"),
            (asked.response_transfer_mode.is_some(), "responseTransferMode"),
            (asked.passthrough_behavior.is_some(), "passthroughBehavior"),
        ];
        for (_, name) in of_rest_apis.iter().filter(|(is_given, _)| *is_given) {
            self.leave_out(&format!("{name} of an integration is not supported for HTTP APIs. Ignoring."));
        }
        let id = self.unused_id(None);
        let settings = integration::Settings {
            kind: Some(asked.kind.clone()),
            uri: asked.uri.clone(),
            method: given(&asked.http_method),
            payload_format_version: given(&asked.payload_format_version),
            timeout_ms: asked.timeout_ms,
            description: None,
            connection_type: given(&asked.connection_type),
            request_parameters: Some(asked.request_parameters.clone()),
            response_parameters: Some(asked.response_parameters.clone()),
        };
        let mut made = integration::fresh(&self.api, id);
        settings.apply(&mut made)?;
        if !integration::TIMEOUTS_MS.contains(&made.timeout_ms) {
            return Err(Error::SettingValue("timeoutInMillis"));
        }
        self.tx.put(&made)?;
        Ok(made)
    }
}

/// Says where something is wrong, unless it is refused by its name or isn't the document's fault.
fn located(error: Error, place: &str) -> Error {
    match error {
        Error::Unsupported(_) | Error::Store(_) | Error::TooMany { .. } => error,
        error => Error::Import(vec![format!("{place}: {error}")]),
    }
}

/// Members in the service's own spelling, of one that documents write in camel case.
pub fn respelled(at: &Value) -> Option<Value> {
    let members = at.as_object()?.iter().map(|(name, value)| {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        (first.into_iter().chain(letters).collect(), value.clone())
    });
    Some(Value::Object(members.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_make_route_keys() {
        for (base, template, verb, key) in [
            ("", "/pets/{id}", "GET", "GET /pets/{id}"),
            ("/v1", "/pets", "POST", "POST /v1/pets"),
            ("", "/", "GET", "GET /"),
            ("/v1", "/", "GET", "GET /v1"),
            ("/v1", "/$default", "ANY", "$default"),
        ] {
            assert_eq!(route_key(base, template, verb), key);
        }
    }

    #[test]
    fn base_paths_are_taken_as_asked() {
        let of = |word: &str| asked(Some(word.to_owned()), None).map(|asked| asked.base_path.of("/a/b"));
        assert_eq!(of("ignore").expect("known"), "");
        assert_eq!(of("prepend").expect("known"), "/a/b");
        assert_eq!(of("split").expect("known"), "/b");
        assert!(of("Split").is_err() && of("").is_err());
        assert_eq!(asked(None, None).expect("nothing").base_path, BasePath::Ignore);
    }
}
