//! Changing what hangs below a resource: read it, let the caller change it, write it back, all in one transaction.

use pitbird_names::Scope;
use pitbird_records::{Method, Resource};

use crate::method::Surroundings;
use crate::{Error, State, find};

/// Which resource is meant.
pub struct At {
    pub scope: Scope,
    pub api_id: String,
    pub resource_id: String,
}

/// Changes a resource and answers what the change makes of it.
pub async fn resource<T: Send + 'static>(
    state: &State,
    at: At,
    change: impl FnOnce(&mut Resource) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let change = move |tx: &mut pitbird_store::Transaction<'_>| {
        let mut resource = find::resource(tx, &at.scope, &at.api_id, &at.resource_id)?;
        let answer = change(&mut resource)?;
        tx.put(&resource)?;
        Ok(answer)
    };
    state.store.write(change).await
}

/// Changes one method of a resource.
pub async fn method<T: Send + 'static>(
    state: &State,
    at: At,
    verb: String,
    change: impl FnOnce(&mut Method) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    resource(state, at, move |resource| change(find::method(resource, &verb)?)).await
}

/// Changes a resource, with a look at what its methods may name.
pub async fn resource_among<T: Send + 'static>(
    state: &State,
    at: At,
    change: impl FnOnce(&mut Resource, &Surroundings) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let change = move |tx: &mut pitbird_store::Transaction<'_>| {
        let mut resource = find::resource(tx, &at.scope, &at.api_id, &at.resource_id)?;
        let around = Surroundings::read(tx, &at.scope, &at.api_id)?;
        let answer = change(&mut resource, &around)?;
        tx.put(&resource)?;
        Ok(answer)
    };
    state.store.write(change).await
}

/// Changes one method of a resource, with a look at what it may name.
pub async fn method_among<T: Send + 'static>(
    state: &State,
    at: At,
    verb: String,
    change: impl FnOnce(&mut Method, &Surroundings) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    resource_among(state, at, move |resource, around| change(find::method(resource, &verb)?, around)).await
}
