//! AWS services behind APIs: what an integration asks is asked of this server's own services, in the name of the integration's role.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use pitbird_control::{Origin, Reached};
use pitbird_edge::{Later, ServiceCall, Services, Uncalled};
use pitbird_invoke::Credentials;
use pitbird_names::{Account, arn, limits};
use pitbird_records::Role;
use pitbird_service::Permission;
use pitbird_sigv4::Payload;
use pitbird_store::Store;
use pitbird_wire::{Catalog, Model, Protocol};

use crate::dispatch::Dispatch;
use crate::inside::{API_GATEWAY, Inside, Whose};

/// How roles' sessions are called.
const SESSION: &str = "BackplaneAssumeRoleSession";
/// Answers of policies that are kept; when there are more, all are asked for anew.
const VERDICTS_MAX: usize = 1024;

pub struct Integrated {
    inside: Arc<Inside>,
    store: Store,
    dispatch: Weak<Dispatch>,
    verdicts: Mutex<Verdicts>,
}

/// What policies said, by role, action and resource, until anything is changed.
#[derive(Default)]
struct Verdicts {
    generation: u64,
    said: HashMap<[String; 3], bool>,
}

impl Integrated {
    pub fn new(inside: Arc<Inside>, store: Store, dispatch: &Arc<Dispatch>) -> Integrated {
        Integrated { inside, store, dispatch: Arc::downgrade(dispatch), verdicts: Mutex::default() }
    }

    async fn ask(&self, call: ServiceCall) -> Result<Response<Bytes>, Uncalled> {
        let model = model(&call.service).ok_or_else(|| Uncalled::Unserved(call.service.clone()))?;
        let dispatch = self.dispatch.upgrade().ok_or(Uncalled::BrokenOff)?;
        let whose = Whose {
            service: API_GATEWAY,
            account: call.scope.account.clone(),
            role: call.role.clone(),
            session: SESSION.to_owned(),
        };
        let credentials = self.inside.credentials_of(whose).await.ok_or(Uncalled::Role)?;
        let region = call.region.clone();
        let mut request = request(model, call)?;
        sign(&mut request, model, &region, &credentials);
        let (parts, body) = request.into_parts();
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let reached = Reached { scheme: "http", local };
        let answer = dispatch.control.serve(&parts, Full::new(body), reached, Origin::Function).await;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, limits::GATEWAY_BODY_BYTES).collect().await;
        Ok(Response::from_parts(head, body.map_err(|_| Uncalled::BrokenOff)?.to_bytes()))
    }

    fn judge(&self, role: &str, action: &str, resource: &str) -> bool {
        let Some((account, name)) = named(role) else { return false };
        let found = self.store.get::<Role>(&Role::key_of(&account, name));
        if !found.is_ok_and(|found| found.is_some_and(|found| found.record.trusts_service(API_GATEWAY))) {
            return false;
        }
        let principal = format!("arn:aws:sts::{account}:assumed-role/{name}/{SESSION}");
        let resources = [resource.to_owned()];
        let asked = pitbird_iam::Asked { action, resources: &resources };
        let said = pitbird_iam::role_session_permission(&self.store, &principal, asked);
        said.is_ok_and(|said| said == Permission::Allowed)
    }
}

impl Services for Integrated {
    fn call(&self, call: ServiceCall, limit: Duration) -> Later<'_, Result<Response<Bytes>, Uncalled>> {
        Box::pin(async move {
            tokio::time::timeout(limit, self.ask(call)).await.unwrap_or(Err(Uncalled::Timeout))
        })
    }

    fn may(&self, role: &str, action: &str, resource: &str) -> bool {
        let generation = self.store.snapshot().generation;
        let key = [role, action, resource].map(str::to_owned);
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if verdicts.generation != generation || verdicts.said.len() >= VERDICTS_MAX {
            *verdicts = Verdicts { generation, said: HashMap::new() };
        }
        *verdicts.said.entry(key).or_insert_with(|| self.judge(role, action, resource))
    }
}

/// A role by its ARN, which may have a path.
fn named(role: &str) -> Option<(Account, &str)> {
    let arn = arn::parse(role).filter(|arn| arn.service == "iam")?;
    let name = arn.resource.strip_prefix("role/")?.rsplit('/').next()?;
    Some((Account::parse(arn.account)?, name))
}

/// The model of a service by the name that integrations' URIs have for it.
fn model(service: &str) -> Option<&'static Model> {
    let named = match service {
        "monitoring" => "cloudwatch",
        other => other,
    };
    Catalog::embedded().model(named)
}

/// The call as the service's own clients would send it.
fn request(model: &Model, call: ServiceCall) -> Result<Request<Bytes>, Uncalled> {
    let ServiceCall { region, service, subdomain, action, verb, uri, headers, body, .. } = call;
    let prefix = subdomain.map_or_else(String::new, |subdomain| subdomain + ".");
    let host = format!("{prefix}{service}.{region}.amazonaws.com");
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let mut request = Request::new(body);
    *request.headers_mut() = headers;
    let path = match &action {
        None => uri.clone(),
        Some(name) if speaks(model, Protocol::Query) => {
            let version = model.metadata.api_version;
            let rest = if query.is_empty() { String::new() } else { format!("&{query}") };
            format!("/?Action={name}&Version={version}{rest}")
        }
        Some(name) => {
            let prefix = model.metadata.target_prefix.ok_or(Uncalled::Address)?;
            let target = HeaderValue::from_str(&format!("{prefix}.{name}")).map_err(|_| Uncalled::Address)?;
            request.headers_mut().insert(HeaderName::from_static("x-amz-target"), target);
            let protocol = if speaks(model, Protocol::Json10) { Protocol::Json10 } else { Protocol::Json11 };
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(protocol.content_type()));
            "/".to_owned()
        }
    };
    // Parameters of the query protocol stand in the URI or, as a form, in the body.
    let is_form = action.is_some() && speaks(model, Protocol::Query) && !request.body().is_empty();
    *request.method_mut() = if is_form { Method::POST } else { verb };
    *request.uri_mut() = path.parse().map_err(|_| Uncalled::Address)?;
    let host = HeaderValue::from_str(&host).map_err(|_| Uncalled::Address)?;
    request.headers_mut().insert(HOST, host);
    Ok(request)
}

fn speaks(model: &Model, protocol: Protocol) -> bool {
    model.metadata.protocols.contains(&protocol)
}

fn sign(request: &mut Request<Bytes>, model: &Model, region: &str, credentials: &Credentials) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let headers: Vec<(&str, &[u8])> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let signed = pitbird_sigv4::sign(
        &pitbird_sigv4::Request {
            method: request.method().as_str(),
            path: request.uri().path(),
            query: request.uri().query().unwrap_or_default(),
            headers: &headers,
        },
        &Payload::Bytes(request.body()),
        &pitbird_sigv4::Credentials {
            access_key_id: &credentials.access_key_id,
            secret_access_key: &credentials.secret_access_key,
            session_token: Some(&credentials.session_token),
        },
        region,
        model.metadata.signing_name,
        now,
    );
    for (name, value) in signed {
        if let Ok(value) = HeaderValue::from_str(&value) {
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
}
