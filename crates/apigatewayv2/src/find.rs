//! Finding what a call names, or saying in API Gateway's words that it isn't there.

use pitbird_names::Scope;
use pitbird_records::{
    HttpApi, HttpAuthorizer, HttpDeployment, HttpIntegration, HttpRoute, HttpStage, Record, key, prefix,
};
pub use pitbird_store::Records;

use crate::Error;

/// All records whose key starts with `prefix`.
pub fn all<R: Record>(records: &impl Records, prefix: &str) -> Result<Vec<R>, Error> {
    Ok(records.list(prefix)?)
}

pub fn api(records: &impl Records, scope: &Scope, id: &str) -> Result<HttpApi, Error> {
    let unknown = || Error::UnknownApi { account: scope.account.to_string(), id: id.to_owned() };
    records.get(&key(scope, &[id]))?.ok_or_else(unknown)
}

pub fn apis(records: &impl Records, scope: &Scope) -> Result<Vec<HttpApi>, Error> {
    Ok(records.list(&prefix(scope, &[]))?)
}

pub fn route(records: &impl Records, api: &HttpApi, id: &str) -> Result<HttpRoute, Error> {
    records.get(&key(&api.scope, &[&api.id, id]))?.ok_or_else(|| Error::UnknownRoute(id.to_owned()))
}

pub fn routes(records: &impl Records, api: &HttpApi) -> Result<Vec<HttpRoute>, Error> {
    Ok(records.list(&prefix(&api.scope, &[&api.id]))?)
}

pub fn integration(records: &impl Records, api: &HttpApi, id: &str) -> Result<HttpIntegration, Error> {
    records.get(&key(&api.scope, &[&api.id, id]))?.ok_or_else(|| Error::UnknownIntegration(id.to_owned()))
}

pub fn integrations(records: &impl Records, api: &HttpApi) -> Result<Vec<HttpIntegration>, Error> {
    Ok(records.list(&prefix(&api.scope, &[&api.id]))?)
}

pub fn authorizer(records: &impl Records, api: &HttpApi, id: &str) -> Result<HttpAuthorizer, Error> {
    records.get(&key(&api.scope, &[&api.id, id]))?.ok_or_else(|| Error::UnknownAuthorizer(id.to_owned()))
}

pub fn authorizers(records: &impl Records, api: &HttpApi) -> Result<Vec<HttpAuthorizer>, Error> {
    Ok(records.list(&prefix(&api.scope, &[&api.id]))?)
}

pub fn deployment(records: &impl Records, api: &HttpApi, id: &str) -> Result<HttpDeployment, Error> {
    records.get(&key(&api.scope, &[&api.id, id]))?.ok_or_else(|| Error::UnknownDeployment(id.to_owned()))
}

pub fn deployments(records: &impl Records, api: &HttpApi) -> Result<Vec<HttpDeployment>, Error> {
    Ok(records.list(&prefix(&api.scope, &[&api.id]))?)
}

pub fn stage(records: &impl Records, api: &HttpApi, name: &str) -> Result<HttpStage, Error> {
    records.get(&key(&api.scope, &[&api.id, name]))?.ok_or(Error::UnknownStage)
}

pub fn stages(records: &impl Records, api: &HttpApi) -> Result<Vec<HttpStage>, Error> {
    Ok(records.list(&prefix(&api.scope, &[&api.id]))?)
}
