//! The rules for what a document makes. What breaks one is told by its place, all at once; what pitbird can't obey is
//! refused by name.

use std::collections::{BTreeSet, HashMap};

use pitbird_names::Scope;
use pitbird_openapi::rest::Picture;
use pitbird_records::{Method, Model, Resource, RestApi};
use pitbird_snapshot::{BadSchema, Models, Schema};

use crate::authorizer::AUTHORIZERS_MAX;
use crate::documentation::PARTS_MAX;
use crate::gateway_response::KINDS;
use crate::method::Surroundings;
use crate::model::MODELS_MAX;
use crate::request_validator::VALIDATORS_MAX;
use crate::rest_api::{Endpoint, endpoint};
use crate::{
    Error, authorizer, documentation, gateway_response, integration, method, model, policy, resource,
    rest_api,
};

/// Broken rules that are told. A document is mended by less.
const LINES_MAX: usize = 200;

/// What was found wrong, a line each.
struct Complaints(Vec<String>);

impl Complaints {
    /// Notes a broken rule with its place; what isn't the document's fault ends all.
    fn note(&mut self, place: impl FnOnce() -> String, result: Result<(), Error>) -> Result<(), Error> {
        match result {
            Ok(()) => Ok(()),
            Err(error @ (Error::Unsupported(_) | Error::Store(_) | Error::TooMany { .. })) => Err(error),
            Err(error) => {
                if self.0.len() < LINES_MAX {
                    self.0.push(format!("{}: {error}", place()));
                }
                Ok(())
            }
        }
    }
}

/// Checks a picture as a whole and fills in what API Gateway fills in.
pub fn settle(
    mut picture: Picture,
    endpoint_types: Option<&Vec<String>>,
    ip_address_type: Option<&String>,
    errors: Vec<String>,
) -> Result<Picture, Error> {
    let mut complaints = Complaints(errors);
    settle_api(&mut picture.api, endpoint_types, ip_address_type)?;
    check_counts(&picture)?;
    check_models(&picture.models, &mut complaints)?;
    settle_authorizers(&mut picture, &mut complaints)?;
    for response in &picture.gateway_responses {
        let is_known = KINDS.iter().any(|(kind, _)| *kind == response.response_type);
        let unknown = || Error::GatewayResponseType(response.response_type.clone());
        let checked =
            is_known.then_some(()).ok_or_else(unknown).and_then(|()| gateway_response::check(response));
        complaints
            .note(|| format!("Unable to put gateway response '{}'", response.response_type), checked)?;
    }
    for part in &mut picture.documentation {
        let settled = documentation::settle(&mut part.location)
            .and_then(|()| documentation::check_properties(&part.properties));
        complaints
            .note(|| format!("Unable to create documentation part of '{}'", part.location.kind), settled)?;
    }
    check_tree(&picture.resources, &mut complaints)?;
    let around = Surroundings {
        authorizers: picture.authorizers.clone(),
        models: picture.models.clone(),
        validators: picture.validators.clone(),
    };
    for resource in &mut picture.resources {
        let (scope, path) = (resource.scope.clone(), resource.path.clone());
        for (verb, method) in &mut resource.methods {
            settle_method(method, &Spot { verb, path: &path, scope: &scope }, &around, &mut complaints)?;
        }
    }
    if complaints.0.is_empty() { Ok(picture) } else { Err(Error::Import(complaints.0)) }
}

fn settle_api(
    api: &mut RestApi,
    endpoint_types: Option<&Vec<String>>,
    ip_address_type: Option<&String>,
) -> Result<(), Error> {
    if api.name.is_empty() {
        return Err(Error::EmptyName);
    }
    if !api.vpc_endpoint_ids.is_empty() {
        return Err(Error::unsupported("endpointConfiguration.vpcEndpointIds"));
    }
    api.api_key_source = rest_api::api_key_source(&api.api_key_source)?;
    api.minimum_compression_size = rest_api::compression_size(api.minimum_compression_size)?;
    api.policy = api.policy.as_deref().map(policy::parse).transpose()?;
    if endpoint_types.is_some() || ip_address_type.is_some() {
        let types = endpoint_types.unwrap_or(&api.endpoint_types);
        let Endpoint { types, ip_address_type } = endpoint(Some(types.clone()), ip_address_type.cloned())?;
        (api.endpoint_types, api.ip_address_type) = (types, ip_address_type);
    }
    Ok(())
}

fn check_counts(picture: &Picture) -> Result<(), Error> {
    for (what, count, limit) in [
        ("models for this API", picture.models.len(), MODELS_MAX),
        ("request validators for this API", picture.validators.len(), VALIDATORS_MAX),
        ("authorizers for this API", picture.authorizers.len(), AUTHORIZERS_MAX),
        ("documentation parts for this API", picture.documentation.len(), PARTS_MAX),
    ] {
        if count > limit {
            return Err(Error::TooMany { what, limit });
        }
    }
    Ok(())
}

fn check_models(models: &[Model], complaints: &mut Complaints) -> Result<(), Error> {
    for it in models {
        let checked = model::check_name(&it.name).and_then(|()| model::check_text(it.schema.as_deref()));
        complaints.note(|| format!("Unable to create model for '{}'", it.name), checked)?;
    }
    Ok(())
}

/// What is wrong with the schemas of models that a document describes, as warnings: documents say more than draft 4 has words
/// for, and few of their schemas ever meet a body.
pub fn schemas(picture: &Picture, described: &BTreeSet<String>) -> Result<Vec<String>, Error> {
    let models = Models::of_api(&picture.api.id, &picture.models);
    let mut warnings = Vec::new();
    for it in picture.models.iter().filter(|it| described.contains(&it.name)) {
        // What is no schema at all is an error, and told as one.
        let Some(schema) = it.schema.as_deref().filter(|schema| model::check_text(Some(*schema)).is_ok())
        else {
            continue;
        };
        match Schema::check(schema, &models) {
            Ok(()) => {}
            Err(fault @ BadSchema::LookAround(_)) => return Err(model::refusal(&fault)),
            Err(fault) if warnings.len() < LINES_MAX => warnings.push(format!(
                "Invalid schema of model '{}': {fault}. Bodies that are validated by it will be refused.",
                it.name
            )),
            Err(_) => {}
        }
    }
    Ok(warnings)
}

fn settle_authorizers(picture: &mut Picture, complaints: &mut Complaints) -> Result<(), Error> {
    let others = picture.authorizers.clone();
    for it in &mut picture.authorizers {
        let ttl = it.result_ttl_s.map(|seconds| authorizer::ttl_s(seconds.into())).transpose();
        let settled = ttl.and_then(|_| authorizer::settle(it, &others));
        let place = || format!("Unable to create authorizer from security definition '{}'", it.name);
        complaints.note(place, settled)?;
    }
    Ok(())
}

/// Each resource below those before it.
fn check_tree(resources: &[Resource], complaints: &mut Complaints) -> Result<(), Error> {
    let places: HashMap<&str, usize> =
        resources.iter().enumerate().map(|(at, it)| (it.id.as_str(), at)).collect();
    for (at, it) in resources.iter().enumerate() {
        let (Some(parent), Some(part)) = (&it.parent_id, &it.path_part) else { continue };
        let Some(parent) = places.get(parent.as_str()) else { continue };
        let placed = resource::place(&resources[..at], &resources[*parent], part, None);
        complaints.note(|| format!("Unable to create resource at path '{}'", it.path), placed.map(|_| ()))?;
    }
    Ok(())
}

/// Where a method is.
struct Spot<'s> {
    verb: &'s str,
    path: &'s str,
    scope: &'s Scope,
}

fn settle_method(
    it: &mut Method,
    spot: &Spot<'_>,
    around: &Surroundings,
    complaints: &mut Complaints,
) -> Result<(), Error> {
    let Spot { verb, path, scope } = spot;
    let place = |what: &str| format!("Unable to put {what} '{verb}' for resource at path '{path}'");
    complaints.note(|| place("method"), method::settle(it, around))?;
    for (status, response) in &it.responses {
        let checked = check_status(status).and_then(|()| method::check_response(response, around));
        complaints.note(|| place(&format!("method response {status} on")), checked)?;
    }
    let Some(mut integration) = it.integration.take() else { return Ok(()) };
    let settled =
        check_kind(&integration.kind).and_then(|()| integration::settle(it, &mut integration, scope));
    complaints.note(|| place("integration on"), settled)?;
    for (status, response) in &integration.responses {
        let checked = check_status(status).and_then(|()| integration::check_response(it, status, response));
        complaints.note(|| place("integration response on"), checked)?;
    }
    it.integration = Some(integration);
    Ok(())
}

/// Calls are held against the service's model for these two; a document isn't.
fn check_kind(kind: &str) -> Result<(), Error> {
    match kind {
        "HTTP" | "HTTP_PROXY" | "AWS" | "AWS_PROXY" | "MOCK" => Ok(()),
        _ => Err(Error::IntegrationType),
    }
}

fn check_status(status: &str) -> Result<(), Error> {
    let fits = status.len() == 3
        && status.bytes().all(|b| b.is_ascii_digit())
        && matches!(status.as_bytes()[0], b'1'..=b'5');
    if fits { Ok(()) } else { Err(Error::StatusCode(status.to_owned())) }
}
