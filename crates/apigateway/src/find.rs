//! Finding what a call names, or saying in API Gateway's words that it isn't there.

use pitbird_names::{Scope, short_id};
use pitbird_records::{
    ApiKey, ClientCertificate, Deployment, GatewayAccount, Integration, Method, Record, Resource, RestApi,
    Stage, key, prefix,
};
pub use pitbird_store::Records;
use pitbird_store::Transaction;

use crate::Error;

/// All records whose key starts with `prefix`.
pub fn all<R: Record>(records: &impl Records, prefix: &str) -> Result<Vec<R>, Error> {
    Ok(records.list(prefix)?)
}

pub fn api(records: &impl Records, scope: &Scope, id: &str) -> Result<RestApi, Error> {
    let unknown = || Error::UnknownApi { account: scope.account.to_string(), id: id.to_owned() };
    records.get(&key(scope, &[id]))?.ok_or_else(unknown)
}

pub fn apis(records: &impl Records, scope: &Scope) -> Result<Vec<RestApi>, Error> {
    Ok(records.list(&prefix(scope, &[]))?)
}

/// A resource. That its API isn't there is told as a resource that isn't.
pub fn resource(records: &impl Records, scope: &Scope, api_id: &str, id: &str) -> Result<Resource, Error> {
    records.get(&key(scope, &[api_id, id]))?.ok_or(Error::UnknownResource)
}

pub fn resources(records: &impl Records, scope: &Scope, api_id: &str) -> Result<Vec<Resource>, Error> {
    Ok(records.list(&prefix(scope, &[api_id]))?)
}

pub fn deployment(
    records: &impl Records,
    scope: &Scope,
    api_id: &str,
    id: &str,
) -> Result<Deployment, Error> {
    records.get(&key(scope, &[api_id, id]))?.ok_or(Error::UnknownDeployment)
}

pub fn stage(records: &impl Records, scope: &Scope, api_id: &str, name: &str) -> Result<Stage, Error> {
    records.get(&key(scope, &[api_id, name]))?.ok_or(Error::UnknownStage)
}

pub fn stages(records: &impl Records, scope: &Scope, api_id: &str) -> Result<Vec<Stage>, Error> {
    Ok(records.list(&prefix(scope, &[api_id]))?)
}

pub fn api_key(records: &impl Records, scope: &Scope, id: &str) -> Result<ApiKey, Error> {
    records.get(&key(scope, &[id]))?.ok_or(Error::UnknownApiKey)
}

pub fn client_certificate(
    records: &impl Records,
    scope: &Scope,
    id: &str,
) -> Result<ClientCertificate, Error> {
    records.get(&key(scope, &[id]))?.ok_or(Error::UnknownClientCertificate)
}

/// One thing of an API, by the last part of its key; `unknown` is told when it isn't there.
pub fn child<R: Record>(
    records: &impl Records,
    scope: &Scope,
    api_id: &str,
    id: &str,
    unknown: impl FnOnce() -> Error,
) -> Result<R, Error> {
    api(records, scope, api_id)?;
    records.get(&key(scope, &[api_id, id]))?.ok_or_else(unknown)
}

/// All things of one kind that an API has.
pub fn children<R: Record>(records: &impl Records, scope: &Scope, api_id: &str) -> Result<Vec<R>, Error> {
    api(records, scope, api_id)?;
    Ok(records.list(&prefix(scope, &[api_id]))?)
}

/// An id of so many letters under which no record of this kind is kept; `parts` are those of its key before the id.
pub fn unused_id<R: Record>(
    tx: &Transaction<'_>,
    scope: &Scope,
    parts: &[&str],
    length: usize,
    entropy: fn() -> u128,
) -> Result<String, Error> {
    loop {
        let id = short_id(entropy(), length);
        if !tx.exists::<R>(&key(scope, &[parts, &[&id]].concat()))? {
            return Ok(id);
        }
    }
}

/// The account's settings, those of a new account when nothing was ever set.
pub fn account(records: &impl Records, scope: &Scope) -> Result<GatewayAccount, Error> {
    let fresh = GatewayAccount { scope: scope.clone(), cloudwatch_role_arn: None };
    Ok(records.get(&fresh.key())?.unwrap_or(fresh))
}

pub fn method<'r>(resource: &'r mut Resource, verb: &str) -> Result<&'r mut Method, Error> {
    resource.methods.get_mut(verb).ok_or(Error::UnknownMethod)
}

pub fn integration(method: &mut Method) -> Result<&mut Integration, Error> {
    method.integration.as_mut().ok_or(Error::UnknownIntegration)
}
