use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use pitbird_names::{Account, Percent, Qualifier, Region, Scope};
use pitbird_records::{self as records, Record};

use crate::{
    Alias, Api, Choice, Deployment, Domain, Found, Function, FunctionKey, FunctionUrl, MethodThrottle,
    Policy, Settings, Slot, Snapshot, Source, Stage, Track, Version, usage,
};
use crate::{client_certificate, http_api};

/// The APIs, functions, keys and usage plans that a set of changes concerns.
#[derive(Debug, Default)]
pub struct Touched {
    apis: BTreeSet<(Scope, String)>,
    http_apis: BTreeSet<(Scope, String)>,
    functions: BTreeSet<(Scope, String)>,
    domains: BTreeSet<(Scope, String)>,
    api_keys: BTreeSet<(Scope, String)>,
    usage_plans: BTreeSet<(Scope, String)>,
    client_certificates: BTreeSet<(Scope, String)>,
}

impl Touched {
    /// Notes a change of one record; records that the data plane never reads are passed over.
    pub fn note(&mut self, table: &str, key: &str) {
        let set = match table {
            records::RestApi::TABLE | records::Stage::TABLE | records::Deployment::TABLE => &mut self.apis,
            records::HttpApi::TABLE | records::HttpStage::TABLE | records::HttpDeployment::TABLE => {
                &mut self.http_apis
            }
            records::FunctionVersion::TABLE
            | records::Alias::TABLE
            | records::FunctionPolicy::TABLE
            | records::FunctionUrl::TABLE
            | records::ProvisionedConcurrency::TABLE => &mut self.functions,
            records::DomainName::TABLE | records::DomainMapping::TABLE | records::RoutingRule::TABLE => {
                &mut self.domains
            }
            records::ApiKey::TABLE => &mut self.api_keys,
            records::UsagePlan::TABLE | records::UsagePlanKey::TABLE | records::UsageGrant::TABLE => {
                &mut self.usage_plans
            }
            records::ClientCertificate::TABLE => &mut self.client_certificates,
            _ => return,
        };
        set.extend(owner(key));
    }

    /// Everything there is, as after opening a store.
    pub fn everything<S: Source>(source: &S) -> Result<Touched, S::Error> {
        let mut touched = Touched::default();
        for (_, api) in source.list::<records::RestApi>("")? {
            touched.note(records::RestApi::TABLE, &api.key());
        }
        for (_, api) in source.list::<records::HttpApi>("")? {
            touched.note(records::HttpApi::TABLE, &api.key());
        }
        for (_, version) in source.list::<records::FunctionVersion>("")? {
            touched.note(records::FunctionVersion::TABLE, &version.key());
        }
        for (_, domain) in source.list::<records::DomainName>("")? {
            touched.note(records::DomainName::TABLE, &domain.key());
        }
        for (_, key) in source.list::<records::ApiKey>("")? {
            touched.note(records::ApiKey::TABLE, &key.key());
        }
        for (_, plan) in source.list::<records::UsagePlan>("")? {
            touched.note(records::UsagePlan::TABLE, &plan.key());
        }
        for (_, certificate) in source.list::<records::ClientCertificate>("")? {
            touched.note(records::ClientCertificate::TABLE, &certificate.key());
        }
        Ok(touched)
    }

    pub fn is_empty(&self) -> bool {
        let apis = [&self.apis, &self.http_apis, &self.domains, &self.api_keys, &self.usage_plans];
        let others = [&self.functions, &self.client_certificates];
        apis.into_iter().chain(others).all(BTreeSet::is_empty)
    }
}

/// The API or function that a key `account/region/name/…` belongs to.
fn owner(key: &str) -> Option<(Scope, String)> {
    let mut parts = key.split('/');
    let account = Account::parse(parts.next()?)?;
    let region = Region::parse(parts.next()?)?;
    Some((Scope { account, region }, parts.next()?.to_owned()))
}

/// The snapshot after a commit: `previous` with the touched APIs and functions compiled anew. Stages and versions whose
/// record didn't change keep their `Arc`, and so what readers keep in their slots; a version keeps its slot also when only
/// what doesn't concern its environments has changed.
pub fn compile<S: Source>(previous: &Snapshot, touched: &Touched, source: &S) -> Result<Snapshot, S::Error> {
    let mut next = Snapshot {
        generation: previous.generation + 1,
        apis: previous.apis.clone(),
        http_apis: previous.http_apis.clone(),
        functions: previous.functions.clone(),
        urls: previous.urls.clone(),
        domains: previous.domains.clone(),
        keys: previous.keys.clone(),
        plans: previous.plans.clone(),
        client_certificates: previous.client_certificates.clone(),
    };
    if !touched.api_keys.is_empty() {
        next.keys = Arc::new(usage::key_rings(&previous.keys, &touched.api_keys, source)?);
    }
    if !touched.client_certificates.is_empty() {
        let (known, touched) = (&previous.client_certificates, &touched.client_certificates);
        next.client_certificates = Arc::new(client_certificate::compile(known, touched, source)?);
    }
    if !touched.usage_plans.is_empty() {
        next.plans = Arc::new(usage::plans(&previous.plans, &touched.usage_plans, source)?);
    }
    if !touched.apis.is_empty() {
        let mut apis = Found::clone(&previous.apis);
        for (scope, id) in &touched.apis {
            match api(apis.get(id), scope, id, source)? {
                Some(api) => apis.insert(id.clone(), Arc::new(api)),
                None => apis.remove(id),
            };
        }
        next.apis = Arc::new(apis);
    }
    if !touched.http_apis.is_empty() {
        let mut apis = Found::clone(&previous.http_apis);
        for (scope, id) in &touched.http_apis {
            match http_api::compile(apis.get(id), scope, id, source)? {
                Some(api) => apis.insert(id.clone(), Arc::new(api)),
                None => apis.remove(id),
            };
        }
        next.http_apis = Arc::new(apis);
    }
    if !touched.functions.is_empty() {
        let mut functions = Found::clone(&previous.functions);
        for (scope, name) in &touched.functions {
            let key = FunctionKey { scope: scope.clone(), name: name.clone() };
            match function(functions.get(&key), &key, source)? {
                Some(function) => functions.insert(key, Arc::new(function)),
                None => functions.remove(&key),
            };
        }
        next.functions = Arc::new(functions);
        if let Some(urls) = urls(previous, touched, source)? {
            next.urls = Arc::new(urls);
        }
    }
    if !touched.domains.is_empty() {
        let mut domains = HashMap::clone(&previous.domains);
        for (scope, name) in &touched.domains {
            let key = Domain::key(name).to_owned();
            match Domain::read(scope, name, source)? {
                Some(domain) => domains.insert(key, domain),
                None => domains.remove(&key),
            };
        }
        next.domains = Arc::new(domains);
    }
    Ok(next)
}

/// The URLs, if those of a touched function have changed.
fn urls<S: Source>(
    previous: &Snapshot,
    touched: &Touched,
    source: &S,
) -> Result<Option<Found<String, Arc<FunctionUrl>>>, S::Error> {
    let mut found = Vec::new();
    for (scope, name) in &touched.functions {
        for (rev, record) in source.list::<records::FunctionUrl>(&records::prefix(scope, &[name]))? {
            let known = previous.urls.get(&record.url_id).filter(|known| known.rev == rev).cloned();
            found.push(known.unwrap_or_else(|| FunctionUrl::compile(rev, record)));
        }
    }
    let is_touched = |url: &FunctionUrl| {
        touched
            .functions
            .iter()
            .any(|(scope, name)| url.function.scope == *scope && url.function.name == *name)
    };
    if found.is_empty() && !previous.urls.values().any(|url| is_touched(url)) {
        return Ok(None);
    }
    let mut urls = Found::clone(&previous.urls);
    urls.retain(|_, url| !is_touched(url));
    urls.extend(found.into_iter().map(|url| (url.record.url_id.clone(), url)));
    Ok(Some(urls))
}

fn api<S: Source>(
    previous: Option<&Arc<Api>>,
    scope: &Scope,
    id: &str,
    source: &S,
) -> Result<Option<Api>, S::Error> {
    let Some((_, record)) = source.get::<records::RestApi>(&records::key(scope, &[id]))? else {
        return Ok(None);
    };
    let mut deployments = known_deployments(previous);
    let mut stages = Found::default();
    for (rev, stage_record) in source.list::<records::Stage>(&records::prefix(scope, &[id]))? {
        let name = stage_record.name.clone();
        let known = previous.and_then(|api| api.stages.get(&name));
        let stage = match known {
            Some(known) if known.rev == rev && known.api_name == record.name => Some(known.clone()),
            _ => stage(&record, rev, stage_record, &mut deployments, source)?.map(Arc::new),
        };
        stages.extend(stage.map(|stage| (name, stage)));
    }
    let disable_execute_api_endpoint = record.disable_execute_api_endpoint;
    let (scope, id, name) = (record.scope, record.id, record.name);
    Ok(Some(Api { scope, id, name, disable_execute_api_endpoint, stages }))
}

type Deployments = HashMap<String, Arc<Deployment>>;

fn known_deployments(previous: Option<&Arc<Api>>) -> Deployments {
    let stages = previous.into_iter().flat_map(|api| api.stages.values());
    let tracks = stages.flat_map(|stage| [Some(&stage.base), stage.canary.as_ref().map(|(_, track)| track)]);
    tracks.flatten().map(|track| (track.deployment.id.clone(), track.deployment.clone())).collect()
}

/// A stage that no record keeps, on a deployment that none keeps either: what isn't deployed can be tried out on it.
pub fn trial(deployment: records::Deployment, record: records::Stage) -> Stage {
    let api = deployment.api.clone();
    let variables = Arc::new(record.variables.clone());
    let base = track(Arc::new(Deployment::compile(deployment)), false, variables, &api.scope);
    Stage::of(&api, 0, record, base, None)
}

/// A stage, or `None` when one of its deployments is gone (control-plane rules forbid that).
fn stage<S: Source>(
    api: &records::RestApi,
    rev: u64,
    record: records::Stage,
    deployments: &mut Deployments,
    source: &S,
) -> Result<Option<Stage>, S::Error> {
    let variables = Arc::new(record.variables.clone());
    let Some(deployment) = deployment(api, &record.deployment_id, deployments, source)? else {
        return Ok(None);
    };
    let base = track(deployment, false, variables.clone(), &api.scope);
    let canary = match &record.canary {
        Some(canary) => {
            let Some(deployment) = self::deployment(api, &canary.deployment_id, deployments, source)? else {
                return Ok(None);
            };
            let variables = match &canary.stage_variable_overrides {
                Some(overrides) => {
                    let mut overlaid = record.variables.clone();
                    overlaid.extend(overrides.clone());
                    Arc::new(overlaid)
                }
                None => variables,
            };
            Some((canary.percent_traffic, track(deployment, true, variables, &api.scope)))
        }
        None => None,
    };
    Ok(Some(Stage::of(api, rev, record, base, canary)))
}

impl Stage {
    fn of(
        api: &records::RestApi,
        rev: u64,
        record: records::Stage,
        base: Track,
        canary: Option<(Percent, Track)>,
    ) -> Stage {
        Stage {
            rev,
            scope: api.scope.clone(),
            api_id: api.id.clone(),
            api_name: api.name.clone(),
            settings: Settings::compile(&record.method_settings),
            // The control plane refuses what can't be obeyed.
            choice: Choice::parse(&record.tags).unwrap_or_default(),
            throttles: MethodThrottle::of_stage(&record),
            record,
            base,
            canary,
            slot: Slot::default(),
        }
    }
}

fn deployment<S: Source>(
    api: &records::RestApi,
    id: &str,
    deployments: &mut Deployments,
    source: &S,
) -> Result<Option<Arc<Deployment>>, S::Error> {
    if let Some(known) = deployments.get(id) {
        return Ok(Some(known.clone()));
    }
    let key = records::key(&api.scope, &[&api.id, id]);
    let record = source.get::<records::Deployment>(&key)?;
    let compiled = record.map(|(_, record)| Arc::new(Deployment::compile(record)));
    deployments.extend(compiled.clone().map(|deployment| (id.to_owned(), deployment)));
    Ok(compiled)
}

fn track(
    deployment: Arc<Deployment>,
    is_canary: bool,
    variables: Arc<records::Texts>,
    scope: &Scope,
) -> Track {
    let targets = deployment.targets.iter().map(|target| target.render(&variables, scope)).collect();
    let roles = deployment.targets.iter().map(|target| target.render_role(&variables)).collect();
    Track { deployment, is_canary, variables, targets, roles }
}

fn function<S: Source>(
    previous: Option<&Arc<Function>>,
    key: &FunctionKey,
    source: &S,
) -> Result<Option<Function>, S::Error> {
    let prefix = records::prefix(&key.scope, &[&key.name]);
    let mut versions = std::collections::BTreeMap::new();
    let (mut reserved_concurrency, mut allows_loops) = (None, false);
    for (rev, record) in source.list::<records::FunctionVersion>(&prefix)? {
        let id = record.version;
        if let Some(whole) = &record.function {
            (reserved_concurrency, allows_loops) = (whole.reserved_concurrency, whole.allows_loops);
        }
        let version = match previous.and_then(|function| function.versions.get(&id)) {
            Some(known) if known.rev == rev => known.clone(),
            Some(known) if runs_alike(&known.record, &record) => {
                Arc::new(Version { rev, record, slot: known.slot.clone() })
            }
            _ => Arc::new(Version { rev, record, slot: Slot::default() }),
        };
        versions.insert(id, version);
    }
    if versions.is_empty() {
        return Ok(None);
    }
    let mut aliases = std::collections::BTreeMap::new();
    for (_, record) in source.list::<records::Alias>(&prefix)? {
        let Some(version) = versions.get(&record.version).cloned() else { continue };
        let additional = record.additional.and_then(|additional| {
            versions.get(&additional.version).map(|version| (version.clone(), additional.weight))
        });
        let (slot, additional_slot) = (Slot::default(), Slot::default());
        aliases.insert(record.name.clone(), Alias { record, version, additional, slot, additional_slot });
    }
    let policies = source.list::<records::FunctionPolicy>(&prefix)?.into_iter();
    let policies = policies.filter_map(|(_, record)| {
        let qualifier = record.qualifier.as_deref().map_or(Some(Qualifier::LATEST), Qualifier::parse)?;
        Some((qualifier, Policy::compile(record)))
    });
    let policies = policies.collect();
    let provisioned = source.list::<records::ProvisionedConcurrency>(&prefix)?.into_iter();
    let provisioned =
        provisioned.filter_map(|(_, record)| Some((Qualifier::parse(&record.qualifier)?, record.requested)));
    let provisioned = provisioned.collect();
    let (scope, name) = (key.scope.clone(), key.name.clone());
    Ok(Some(Function {
        scope,
        name,
        versions,
        aliases,
        policies,
        reserved_concurrency,
        provisioned,
        allows_loops,
    }))
}

/// Whether environments of one may run the other: `$LATEST`'s record also changes with its tags, and when a version is
/// published or what it reserves changes.
fn runs_alike(one: &records::FunctionVersion, other: &records::FunctionVersion) -> bool {
    one.settings == other.settings && one.code == other.code
}

#[cfg(test)]
mod tests;
