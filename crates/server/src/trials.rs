//! Trying out what isn't deployed: the API Gateway service asks, the data plane does it.

use std::sync::Arc;

use pitbird_apigateway::trial::{Judged, Later, Log, Trial, Trials, Tried, Untried};
use pitbird_edge::{Edge, Renewal, TrialLog, UrlSigner};

/// The data plane as the service knows it.
pub struct DataPlane(pub Arc<Edge>);

impl Trials for DataPlane {
    fn method(&self, trial: Trial) -> Later<'_, Result<Tried, Untried>> {
        Box::pin(async move {
            let tried = self.0.try_method(of(&trial)).await.map_err(untried)?;
            let pitbird_edge::Tried { status, headers, body, latency_ms, log } = tried;
            Ok(Tried { status, headers, body: body.into(), latency_ms, log: told(log) })
        })
    }

    fn authorizer(&self, trial: Trial) -> Later<'_, Result<Judged, Untried>> {
        Box::pin(async move {
            let judged = self.0.try_authorizer(of(&trial)).await.map_err(untried)?;
            let pitbird_edge::Judged { client_status, latency_ms, log, principal_id, policy, claims } =
                judged;
            Ok(Judged { client_status, latency_ms, log: told(log), principal_id, policy, claims })
        })
    }
}

fn of(trial: &Trial) -> pitbird_edge::Trial<'_> {
    let caller = &trial.caller;
    pitbird_edge::Trial {
        stage: &trial.stage,
        resource_id: &trial.resource_id,
        verb: &trial.verb,
        path: &trial.path,
        query: &trial.query,
        headers: &trial.headers,
        body: trial.body.clone().into(),
        signer: UrlSigner {
            access_key_id: caller.access_key_id.clone().unwrap_or_default(),
            account: caller.scope.account.to_string(),
            principal: caller.principal.clone(),
            user_id: crate::dispatch::user_id(caller),
            may_call: true,
            renewal: Renewal::NotMentioned,
        },
        additional_context: &trial.additional_context,
    }
}

fn told(log: TrialLog) -> Log {
    Log { request_id: log.request_id, lines: log.lines }
}

fn untried(untried: pitbird_edge::Untried) -> Untried {
    match untried {
        pitbird_edge::Untried::Method => Untried::Method,
        pitbird_edge::Untried::Header(name) => Untried::Header(name),
        pitbird_edge::Untried::HeadersTooLarge => Untried::HeadersTooLarge,
        pitbird_edge::Untried::Path => Untried::Path,
    }
}
