//! All services, each around its state.

use std::sync::Arc;

use anyhow::Result;
use pitbird_invoke::Invoker;
use pitbird_service::Service;
use pitbird_store::Store;
use pitbird_telemetry::Telemetry;

/// What services are made of.
pub struct Parts {
    pub store: Store,
    pub telemetry: Arc<Telemetry>,
    pub invoker: Invoker,
}

/// Every service there is. Needs a tokio runtime: what an earlier run left undone is taken up at once.
pub fn all(parts: &Parts) -> Result<Vec<Service>> {
    let Parts { store, telemetry, invoker } = parts;
    let apigateway = pitbird_apigateway::State { store: store.clone(), entropy };
    let iam = pitbird_iam::State { store: store.clone(), entropy };
    let lambda = pitbird_lambda::State::new(store.clone(), Arc::new(invoker.clone()), entropy)?;
    let logs = pitbird_logs::State { store: store.clone(), telemetry: telemetry.clone() };
    let sts = pitbird_sts::State { store: store.clone(), entropy };
    Ok(vec![
        pitbird_apigateway::service(Arc::new(apigateway)),
        pitbird_iam::service(Arc::new(iam)),
        pitbird_lambda::service(Arc::new(lambda)),
        pitbird_logs::service(Arc::new(logs)),
        pitbird_sts::service(Arc::new(sts)),
    ])
}

/// Random bits that nobody can foretell: secrets are made from them.
fn entropy() -> u128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("every system that we run on has a random source");
    u128::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests;
