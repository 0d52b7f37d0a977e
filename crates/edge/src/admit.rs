//! Whether a request may pass to its integration, in the order in which API Gateway asks: resource policy, authorizer, API key
//! and usage plan, throttles, quota, and at last what the request itself must be.

mod authorizer;
mod pools;
mod renewal;
mod validate;

pub(crate) use validate::{capture, query_parameter, validate};

use std::hash::Hash;
use std::time::Instant;

use pitbird_names::arn;
use pitbird_records::Texts;
use pitbird_records::usage_plan::Throttle;
use pitbird_snapshot::{
    Authorization, MethodThrottle, PlanStage, PolicyDocument, PolicyPrincipal, PolicyQuestion, PolicyVerdict,
    Snapshot, UsagePlan,
};
use time::OffsetDateTime;

use crate::admitted::{Admitted, AuthorizerResult, Phase};
use crate::arrival::Arrival;
use crate::execution_log;
use crate::routed::Routed;
use crate::{Edge, GatewayError, Signature, SignatureFault, UrlSigner};

const INVOKE: &str = "execute-api:Invoke";
/// The header that brings API keys.
const API_KEY: &str = "x-api-key";

/// May anybody call, as often as he likes? Then there is nothing to ask.
pub(crate) fn is_open(routed: &Routed<'_, '_>) -> bool {
    routed.method.is_open() && routed.stage.throttles.is_empty() && routed.track.deployment.policy.is_none()
}

/// What the steps of admission look at.
pub(crate) struct Asking<'r, 'a> {
    pub edge: &'r Edge,
    pub snapshot: &'r Snapshot,
    pub routed: &'r Routed<'r, 'a>,
    pub arrival: &'r Arrival<'a>,
    pub body: &'r [u8],
    /// What is called: `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`.
    pub method_arn: String,
    /// What a trial says of `$context` beside.
    pub additional: Option<&'r Texts>,
}

/// Reads a request's signature for the method that is called.
pub(crate) type SignatureOf<'s> = &'s (dyn Fn(&[u8], &str) -> Result<Signature, SignatureFault> + Sync);

/// Asks all there is to ask, but for what the request itself must be: that is [`validate`]'s. What is known of the caller is told in
/// either case.
pub(crate) async fn admit<'a>(
    edge: &Edge,
    snapshot: &Snapshot,
    routed: &Routed<'_, 'a>,
    arrival: &Arrival<'a>,
    body: &[u8],
    signature_of: SignatureOf<'_>,
) -> (Admitted, Result<(), GatewayError>) {
    let stage = routed.stage;
    let (name, path) = (&stage.record.name, arrival.target.path);
    let method_arn = arn::execute_api(&stage.scope, &stage.api_id, name, arrival.method(), path);
    let asking = Asking { edge, snapshot, routed, arrival, body, method_arn, additional: None };
    let (mut admitted, authorized) = asking.authorize(signature_of).await;
    admitted.may_renew = authorized.is_ok() && asking.may_renew(&admitted);
    if let Err(error) = &authorized {
        execution_log::authorizer::refused(routed.log, &arrival.request_id, error);
    }
    let result = authorized.and_then(|()| asking.meter(&mut admitted));
    (admitted, result)
}

/// Would a request that `other` admitted be admitted here, without asking anew? If the same is asked for, and the request itself is
/// right.
pub(crate) fn admits_like<'a>(
    routed: &Routed<'_, 'a>,
    other: &Routed<'_, 'a>,
    arrival: &Arrival<'a>,
    body: &[u8],
) -> bool {
    let (method, deployment) = (routed.method, &routed.track.deployment);
    let is_alike = match (&method.authorization, &other.method.authorization) {
        (Authorization::Open, _) => true,
        (Authorization::Iam, Authorization::Iam) => true,
        (Authorization::Function(one), Authorization::Function(other)) => one.id == other.id,
        (
            Authorization::Pools { authorizer: one, scopes },
            Authorization::Pools { authorizer: other, scopes: others },
        ) => one.id == other.id && scopes == others,
        _ => false,
    };
    let is_keyed = !method.needs_key || other.method.needs_key;
    let policy = deployment.policy.as_ref();
    let is_policy_alike = policy.is_none() || policy == other.track.deployment.policy.as_ref();
    is_alike && is_keyed && is_policy_alike && validate(routed, arrival, body).is_ok()
}

impl Asking<'_, '_> {
    /// Who calls, and may he? The resource policy's denial comes first; its permission counts together with what else is said.
    async fn authorize(&self, signature_of: SignatureOf<'_>) -> (Admitted, Result<(), GatewayError>) {
        let policy = self.routed.track.deployment.policy.as_ref();
        match &self.routed.method.authorization {
            Authorization::Open => self.open(policy),
            Authorization::Iam => self.signed(policy, signature_of),
            Authorization::Function(function) => {
                let said = policy.map(|policy| self.judge(INVOKE, policy, None));
                if said == Some(PolicyVerdict::Denied) {
                    return self.refused_anonymous(true);
                }
                let (story, result) = self.ask(function).await;
                let mut admitted = Admitted { authorizer: Some(Box::new(story)), ..Admitted::default() };
                let result = result.and_then(|result| self.allowed(&result, said));
                if let (Err(error), Some(story)) = (&result, &mut admitted.authorizer) {
                    story.status = error.status();
                    story.error = error.message().map(|message| message.into_owned());
                }
                (admitted, result)
            }
            Authorization::Pools { authorizer, scopes } => {
                let (admitted, result) = self.by_pool(authorizer, scopes).await;
                // A resource policy that is there must let the caller in as well, and is asked after the token.
                match policy.filter(|_| result.is_ok()).map(|policy| self.judge(INVOKE, policy, None)) {
                    None | Some(PolicyVerdict::Allowed) => (admitted, result),
                    Some(said) => self.refused_anonymous(said == PolicyVerdict::Denied),
                }
            }
            Authorization::Unserved => (Admitted::default(), Err(GatewayError::AuthorizerConfiguration)),
        }
    }

    /// Nobody is asked who he is: a resource policy must let everybody in.
    fn open(&self, policy: Option<&PolicyDocument>) -> (Admitted, Result<(), GatewayError>) {
        match policy.map(|policy| self.judge(INVOKE, policy, None)) {
            None | Some(PolicyVerdict::Allowed) => (Admitted::default(), Ok(())),
            Some(said) => self.refused_anonymous(said == PolicyVerdict::Denied),
        }
    }

    /// Whoever signed may call if his own policies or the API's say so; somebody of another account if both do. Source: API
    /// Gateway developer guide, "How API Gateway resource policies affect authorization workflow".
    fn signed(
        &self,
        policy: Option<&PolicyDocument>,
        signature_of: SignatureOf<'_>,
    ) -> (Admitted, Result<(), GatewayError>) {
        let began = Instant::now();
        let Signature { signer, is_denied } = match signature_of(self.body, &self.method_arn) {
            Ok(signature) => signature,
            Err(fault) => {
                let error = GatewayError::Signature(fault);
                let authenticate = Some(Phase::refused(&error, elapsed_ms(began)));
                return (Admitted { authenticate, ..Admitted::default() }, Err(error));
            }
        };
        let authenticate = Some(Phase::passed(elapsed_ms(began)));
        let UrlSigner { account, principal, may_call, .. } = &signer;
        let caller = PolicyPrincipal { account, arn: principal, may_call: *may_call };
        let said =
            policy.map_or(PolicyVerdict::NotMentioned, |policy| self.judge(INVOKE, policy, Some(caller)));
        let is_own_account = account.as_str() == self.routed.stage.scope.account.as_str();
        let is_explicit = is_denied || said == PolicyVerdict::Denied;
        let result = match !is_denied && permits(is_own_account, *may_call, said) {
            true => Ok(()),
            false => Err(self.not_authorized(principal, is_explicit)),
        };
        let authorize = Some(phase_of(&result, began));
        let signer = Some(Box::new(signer));
        (Admitted { signer, authenticate, authorize, ..Admitted::default() }, result)
    }

    /// What an authorizer's policy and the resource policy say together.
    fn allowed(
        &self,
        result: &AuthorizerResult,
        resource_policy: Option<PolicyVerdict>,
    ) -> Result<(), GatewayError> {
        match self.judge(INVOKE, &result.policy, None) {
            PolicyVerdict::Denied => Err(GatewayError::Denied { is_explicit: true }),
            PolicyVerdict::Allowed => Ok(()),
            PolicyVerdict::NotMentioned if resource_policy == Some(PolicyVerdict::Allowed) => Ok(()),
            PolicyVerdict::NotMentioned => Err(GatewayError::Denied { is_explicit: false }),
        }
    }

    fn judge(
        &self,
        action: &str,
        policy: &PolicyDocument,
        principal: Option<PolicyPrincipal<'_>>,
    ) -> PolicyVerdict {
        let arrival = self.arrival;
        policy.judge(&PolicyQuestion {
            action,
            resource: &self.method_arn,
            principal,
            source_ip: arrival.peer.source,
            user_agent: arrival.header(http::header::USER_AGENT),
            referer: arrival.header(http::header::REFERER),
            is_secure: arrival.peer.scheme == "https",
            at_epoch_s: arrival.at_ms / 1000,
        })
    }

    fn refused_anonymous(&self, is_explicit: bool) -> (Admitted, Result<(), GatewayError>) {
        let error = self.not_authorized("anonymous", is_explicit);
        let authorize = Some(Phase::refused(&error, 0));
        (Admitted { authorize, ..Admitted::default() }, Err(error))
    }

    /// API Gateway shows the last four digits of the account only.
    fn not_authorized(&self, principal: &str, is_explicit: bool) -> GatewayError {
        let account = self.routed.stage.scope.account.as_str();
        let masked = format!("********{}", &account[account.len().saturating_sub(4)..]);
        let arn = self.method_arn.replacen(account, &masked, 1);
        let how = if is_explicit { " with an explicit deny" } else { "" };
        GatewayError::NotAuthorized(format!(
            "User: {principal} is not authorized to perform: execute-api:Invoke on resource: {arn}{how}"
        ))
    }

    /// API key and usage plan, throttles, quota.
    fn meter(&self, admitted: &mut Admitted) -> Result<(), GatewayError> {
        let plan = if self.routed.method.needs_key { Some(self.key(admitted)?) } else { None };
        if plan.is_none() {
            execution_log::verify_plan(self.routed, self.arrival, None);
        }
        if let (Some((plan, stage)), Some(key)) = (plan, &admitted.api_key) {
            self.plan_throttle(plan, stage, &key.id)?;
        }
        self.stage_throttle()?;
        self.edge.take_of_account(&self.routed.stage.scope).map_err(|limit| {
            execution_log::throttled(self.routed, "Account", limit);
            GatewayError::Throttled
        })?;
        if let (Some((plan, _)), Some(key)) = (plan, &admitted.api_key) {
            let now = OffsetDateTime::from_unix_timestamp((self.arrival.at_ms / 1000) as i64);
            let today = now.map_or(time::Date::MAX, OffsetDateTime::date);
            self.edge.usage.count(plan, &key.id, today).map_err(|_| {
                execution_log::quota_exceeded(self.routed, &key.value, &plan.id);
                GatewayError::QuotaExceeded
            })?;
        }
        let key = admitted.api_key.as_ref().filter(|_| plan.is_some());
        execution_log::plan_verified(self.routed, key.map(|key| key.value.as_str()));
        Ok(())
    }

    /// The key that the request brings, and the plan by which it may call this stage.
    fn key(&self, admitted: &mut Admitted) -> Result<(&UsagePlan, &PlanStage), GatewayError> {
        let Asking { snapshot, routed, arrival, .. } = self;
        let stage = routed.stage;
        let brought = match routed.track.deployment.keys_come_from_authorizers {
            true => admitted.authorizer_result().and_then(|result| result.usage_key.as_deref()),
            false => arrival.headers().get(API_KEY).and_then(|value| value.to_str().ok()),
        };
        execution_log::verify_plan(routed, arrival, brought);
        let key = brought.and_then(|value| snapshot.api_key(&stage.scope, value));
        let Some(key) = key else {
            execution_log::key_refused(routed, brought, "API Key was not found");
            return Err(GatewayError::InvalidApiKey);
        };
        let refused = |why| {
            execution_log::key_refused(routed, Some(&key.value), why);
            GatewayError::InvalidApiKey
        };
        admitted.api_key = Some(key.clone());
        if !key.enabled {
            return Err(refused("API Key is disabled"));
        }
        let plan = snapshot.usage_plan(&stage.api_id, &stage.record.name, &key.id);
        let plan = plan.map(|(plan, of)| (&**plan, of));
        plan.ok_or_else(|| refused("No Usage Plan found for key and API Stage"))
    }

    /// A plan's limits are for each key by itself; what it says of a method stands in the place of what it says of all.
    fn plan_throttle(&self, plan: &UsagePlan, of: &PlanStage, key_id: &str) -> Result<(), GatewayError> {
        let (path, verb) = (self.routed.matched.value.path.as_str(), self.arrival.method());
        match (MethodThrottle::of(&of.throttles, path, verb), plan.throttle) {
            (Some(method), _) => {
                let owner = (&plan.scope, &plan.id, key_id, &of.api_id, &of.stage, path, verb);
                self.take(owner, method.limit)
            }
            (None, Some(limit)) => self.take((&plan.scope, &plan.id, key_id), limit),
            (None, None) => Ok(()),
        }
    }

    fn stage_throttle(&self) -> Result<(), GatewayError> {
        let stage = self.routed.stage;
        let (path, verb) = (self.routed.matched.value.path.as_str(), self.arrival.method());
        let limit = MethodThrottle::of(&stage.throttles, path, verb).and_then(MethodThrottle::limit);
        let owner = (&stage.api_id, &stage.record.name, path, verb);
        limit.map_or(Ok(()), |limit| self.take(owner, limit))
    }

    fn take(&self, owner: impl Hash, limit: Throttle) -> Result<(), GatewayError> {
        if self.edge.buckets.take(owner, limit) {
            return Ok(());
        }
        execution_log::throttled(self.routed, "Key", limit);
        Err(GatewayError::Throttled)
    }
}

/// May somebody whose own policies allow it, or don't, do what the API's policy says this of? Source: API Gateway developer guide,
/// "How API Gateway resource policies affect authorization workflow".
fn permits(is_own_account: bool, own_allows: bool, said: PolicyVerdict) -> bool {
    match said {
        PolicyVerdict::Denied => false,
        PolicyVerdict::Allowed => own_allows || is_own_account,
        PolicyVerdict::NotMentioned => own_allows && is_own_account,
    }
}

fn phase_of(result: &Result<(), GatewayError>, began: Instant) -> Phase {
    let latency_ms = elapsed_ms(began);
    result.as_ref().map_or_else(|error| Phase::refused(error, latency_ms), |()| Phase::passed(latency_ms))
}

fn elapsed_ms(began: Instant) -> u64 {
    began.elapsed().as_millis() as u64
}
