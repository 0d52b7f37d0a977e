use std::collections::HashMap;
use std::sync::Arc;

use pitbird_names::{FunctionRef, Scope};
use pitbird_paths::{Match, Router, Template};
use pitbird_records::{self as records, HttpAuthorizerKind, HttpCors, Texts};

use crate::target::substitute;
use crate::{Found, FunctionKey, LambdaTarget, Slot, Source, Unrenderable};

/// An HTTP API with the stages that it is reached under.
#[derive(Debug)]
pub struct HttpApi {
    pub scope: Scope,
    pub id: String,
    pub name: String,
    pub disable_execute_api_endpoint: bool,
    /// Live: no deployment freezes it.
    pub cors: Option<HttpCors>,
    pub stages: Found<String, Arc<HttpStage>>,
}

/// A stage of an HTTP API. The same `Arc` stays until the stage's record changes.
#[derive(Debug)]
pub struct HttpStage {
    /// The store's revision of the record.
    pub rev: u64,
    pub scope: Scope,
    pub api_id: String,
    pub record: records::HttpStage,
    pub deployment: Arc<HttpDeployment>,
    /// By the index of [`HttpIntegration::index`]: what integrations lead to with the stage's variables.
    pub targets: Vec<HttpApiTarget>,
    /// By the index of [`HttpAuthorizer::index`].
    pub authorizer_targets: Vec<Option<Result<LambdaTarget, Unrenderable>>>,
    /// Belongs to `edge`: metric handles, parsed log formats, token buckets, what authorizers have decided.
    pub slot: Slot,
}

/// A deployment's routes. Immutable, and so shared by every snapshot that has a stage on it.
#[derive(Debug)]
pub struct HttpDeployment {
    pub id: String,
    paths: Router<HttpPath>,
    default: Option<HttpRoute>,
    integrations: Vec<Arc<HttpIntegration>>,
    authorizers: Vec<Arc<HttpAuthorizer>>,
}

/// A template's routes by method; those that end in a slash are others.
#[derive(Debug, Default)]
struct HttpPath {
    is_greedy: bool,
    /// Does the template end in a variable, which takes a path with or without a slash at its end?
    ends_in_variable: bool,
    plain: HashMap<String, HttpRoute>,
    slashed: HashMap<String, HttpRoute>,
}

#[derive(Debug)]
pub struct HttpRoute {
    /// `GET /pets/{id}`, `$default`.
    pub key: String,
    pub integration: Arc<HttpIntegration>,
    pub access: HttpAccess,
    /// The names of the path's variables, which other routes of the same paths may call otherwise.
    names: Vec<String>,
}

/// Who may make a route's requests.
#[derive(Debug, Clone)]
pub enum HttpAccess {
    Anybody,
    /// Who signed, and may.
    Signed,
    /// Who brings a token with one of these scopes, if there are any.
    Jwt {
        authorizer: Arc<HttpAuthorizer>,
        scopes: Vec<String>,
    },
    /// Whom a function lets in.
    Function(Arc<HttpAuthorizer>),
    /// Nobody: the authorizer is gone.
    Nobody,
}

#[derive(Debug)]
pub struct HttpAuthorizer {
    pub index: usize,
    pub record: records::HttpAuthorizer,
}

#[derive(Debug)]
pub struct HttpIntegration {
    pub index: usize,
    pub record: records::HttpIntegration,
    /// Does the function get events of payload format 2.0?
    pub is_format_2: bool,
}

/// What an integration leads to.
#[derive(Debug)]
pub enum HttpApiTarget {
    Function(Result<LambdaTarget, Unrenderable>),
    /// A backend's URL.
    Url(String),
}

/// The route of one request, with what its variables captured: names and raw texts.
#[derive(Debug)]
pub struct HttpMatch<'r, 'p> {
    pub route: &'r HttpRoute,
    pub captures: Vec<(&'r str, &'p str)>,
}

impl HttpApi {
    /// The stage of a request and its path below it, for a path below the API: the stage that the first segment names, else
    /// `$default` at the root.
    pub fn stage<'p>(&self, path: &'p str) -> Option<(&Arc<HttpStage>, &'p str)> {
        let first = path.strip_prefix('/').unwrap_or(path);
        let (name, rest) = first.split_at(first.find('/').unwrap_or(first.len()));
        if name != DEFAULT
            && let Some(stage) = self.stages.get(name)
        {
            return Some((stage, if rest.is_empty() { "/" } else { rest }));
        }
        Some((self.stages.get(DEFAULT)?, if path.is_empty() { "/" } else { path }))
    }
}

/// The stage at an API's root, and the route for what no other takes.
const DEFAULT: &str = "$default";
/// The methods that `ANY` stands for. Source: API Gateway developer guide, "Create routes for HTTP APIs".
const ANY: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl HttpDeployment {
    /// The route of a request: one that takes method and path in full, else the greedy one with the most specific prefix, else
    /// `$default`. A path whose method doesn't fit is passed over.
    pub fn route<'r, 'p>(&'r self, method: &str, path: &'p str) -> Option<HttpMatch<'r, 'p>> {
        let is_slashed = path.len() > 1 && path.ends_with('/');
        let serves = |found: &HttpPath| found.route(method, is_slashed).is_some();
        let in_full = self.paths.find_where(path, |found| !found.is_greedy && serves(found));
        let found = in_full.or_else(|| self.paths.find_where(path, serves));
        match found {
            Some(found) => HttpMatch::new(&found, found.value.route(method, is_slashed)?),
            None => self.default.as_ref().map(|route| HttpMatch { route, captures: Vec::new() }),
        }
    }

    /// Its integrations and authorizers with a stage's variables put in.
    fn targets(
        &self,
        variables: &Texts,
        scope: &Scope,
    ) -> (Vec<HttpApiTarget>, Vec<Option<Result<LambdaTarget, Unrenderable>>>) {
        let integration = |integration: &Arc<HttpIntegration>| {
            let uri = substitute(&integration.record.uri, variables);
            match integration.record.kind.as_str() {
                "AWS_PROXY" => HttpApiTarget::Function(function(uri, scope)),
                _ => HttpApiTarget::Url(uri),
            }
        };
        let authorizer = |authorizer: &Arc<HttpAuthorizer>| match &authorizer.record.kind {
            HttpAuthorizerKind::Request { uri, .. } => Some(function(substitute(uri, variables), scope)),
            HttpAuthorizerKind::Jwt { .. } => None,
        };
        (
            self.integrations.iter().map(integration).collect(),
            self.authorizers.iter().map(authorizer).collect(),
        )
    }

    pub(crate) fn compile(record: records::HttpDeployment) -> HttpDeployment {
        let integrations: Vec<_> =
            record.integrations.into_iter().enumerate().map(HttpIntegration::compile).collect();
        let authorizers: Vec<_> = record
            .authorizers
            .into_iter()
            .enumerate()
            .map(|(index, record)| Arc::new(HttpAuthorizer { index, record }))
            .collect();
        let mut deployment =
            HttpDeployment { id: record.id, paths: Router::new(), default: None, integrations, authorizers };
        for route in record.routes {
            deployment.add(route);
        }
        deployment
    }

    /// Adds a route. One without an integration, or with a path that can't be read, answers like none.
    fn add(&mut self, record: records::HttpRoute) {
        let id = record.integration_id.as_deref();
        let integration = self.integrations.iter().find(|known| Some(known.record.id.as_str()) == id);
        let Some(integration) = integration.cloned() else { return };
        let access = self.access(&record);
        let mut route = HttpRoute { key: record.route_key, integration, access, names: Vec::new() };
        if route.key == DEFAULT {
            self.default = Some(route);
            return;
        }
        let Some((method, path)) = route.key.split_once(' ') else { return };
        let Ok(template) = Template::parse(path) else { return };
        let (method, is_slashed) = (method.to_owned(), path.len() > 1 && path.ends_with('/'));
        route.names = template.names().map(str::to_owned).collect();
        let last = template.segments().last();
        let shared = self.paths.get_or_insert_with(&template, || HttpPath {
            is_greedy: matches!(last, Some(pitbird_paths::Segment::Greedy(_))),
            ends_in_variable: matches!(
                last,
                Some(pitbird_paths::Segment::Param(_) | pitbird_paths::Segment::Greedy(_))
            ),
            ..HttpPath::default()
        });
        let routes = if is_slashed { &mut shared.slashed } else { &mut shared.plain };
        routes.insert(method, route);
    }

    fn access(&self, route: &records::HttpRoute) -> HttpAccess {
        let id = route.authorizer_id.as_deref();
        let authorizer = self.authorizers.iter().find(|known| Some(known.record.id.as_str()) == id).cloned();
        match (route.authorization_type.as_str(), authorizer) {
            ("NONE", _) => HttpAccess::Anybody,
            ("AWS_IAM", _) => HttpAccess::Signed,
            ("JWT", Some(authorizer)) => {
                HttpAccess::Jwt { authorizer, scopes: route.authorization_scopes.clone() }
            }
            ("CUSTOM", Some(authorizer)) => HttpAccess::Function(authorizer),
            _ => HttpAccess::Nobody,
        }
    }
}

impl HttpIntegration {
    fn compile((index, record): (usize, records::HttpIntegration)) -> Arc<HttpIntegration> {
        let is_format_2 = record.payload_format_version == "2.0";
        Arc::new(HttpIntegration { index, record, is_format_2 })
    }
}

impl HttpPath {
    /// The method's own route before `ANY`. A slash at the end makes another path, unless a variable takes it.
    fn route(&self, method: &str, is_slashed: bool) -> Option<&HttpRoute> {
        let (own, other) =
            if is_slashed { (&self.slashed, &self.plain) } else { (&self.plain, &self.slashed) };
        let of = |routes| of_method(routes, method);
        of(own).or_else(|| if self.ends_in_variable { of(other) } else { None })
    }
}

fn of_method<'r>(routes: &'r HashMap<String, HttpRoute>, method: &str) -> Option<&'r HttpRoute> {
    let any = || ANY.contains(&method).then(|| routes.get("ANY")).flatten();
    routes.get(method).or_else(any)
}

impl<'r, 'p> HttpMatch<'r, 'p> {
    fn new(found: &Match<'r, 'p, HttpPath>, route: &'r HttpRoute) -> Option<HttpMatch<'r, 'p>> {
        let names = route.names.iter().map(String::as_str);
        Some(HttpMatch { route, captures: names.zip(found.captures().map(|(_, text)| text)).collect() })
    }
}

/// The function that a URI names, by its ARN or within an invocation's path.
fn function(uri: String, scope: &Scope) -> Result<LambdaTarget, Unrenderable> {
    let named = match uri.split_once(":lambda:path/") {
        Some((_, rest)) => rest
            .trim_start_matches('/')
            .strip_prefix("2015-03-31/functions/")
            .and_then(|rest| rest.strip_suffix("/invocations")),
        None => Some(uri.as_str()).filter(|uri| uri.starts_with("arn:aws:lambda:")),
    };
    let Some(parsed) = named.and_then(|named| FunctionRef::parse(named).ok()) else {
        return Err(Unrenderable(uri));
    };
    let scope = parsed.scope(scope);
    Ok(LambdaTarget { function: FunctionKey { scope, name: parsed.name }, qualifier: parsed.qualifier })
}

/// An HTTP API as a source has it, with what of `previous` is still the same.
pub(crate) fn compile<S: Source>(
    previous: Option<&Arc<HttpApi>>,
    scope: &Scope,
    id: &str,
    source: &S,
) -> Result<Option<HttpApi>, S::Error> {
    let Some((_, record)) = source.get::<records::HttpApi>(&records::key(scope, &[id]))? else {
        return Ok(None);
    };
    let known_stages = || previous.into_iter().flat_map(|api| api.stages.values());
    let mut deployments: HashMap<String, Arc<HttpDeployment>> =
        known_stages().map(|stage| (stage.deployment.id.clone(), stage.deployment.clone())).collect();
    let mut stages = Found::default();
    for (rev, stage) in source.list::<records::HttpStage>(&records::prefix(scope, &[id]))? {
        let name = stage.name.clone();
        if let Some(known) = previous.and_then(|api| api.stages.get(&name)).filter(|known| known.rev == rev) {
            stages.insert(name, known.clone());
            continue;
        }
        // A stage that serves nothing isn't reached.
        let Some(deployment_id) = stage.deployment_id.clone() else { continue };
        let deployment = match deployments.get(&deployment_id) {
            Some(known) => known.clone(),
            None => {
                let key = records::key(scope, &[id, &deployment_id]);
                let Some((_, record)) = source.get::<records::HttpDeployment>(&key)? else { continue };
                let compiled = Arc::new(HttpDeployment::compile(record));
                deployments.insert(deployment_id, compiled.clone());
                compiled
            }
        };
        let (targets, authorizer_targets) = deployment.targets(&stage.variables, scope);
        let compiled = HttpStage {
            rev,
            scope: scope.clone(),
            api_id: id.to_owned(),
            record: stage,
            deployment,
            targets,
            authorizer_targets,
            slot: Slot::default(),
        };
        stages.insert(name, Arc::new(compiled));
    }
    Ok(Some(HttpApi {
        scope: record.scope,
        id: record.id,
        name: record.name,
        disable_execute_api_endpoint: record.disable_execute_api_endpoint,
        cors: record.cors,
        stages,
    }))
}

#[cfg(test)]
mod tests;
