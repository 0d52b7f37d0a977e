//! Whom log groups belong to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pitbird_names::{Scope, arn};
use pitbird_records::stage::AccessLog;
use pitbird_records::{HttpStage, Stage, prefix};
use pitbird_store::Store;

use crate::Error;

/// Names of an owner and their values.
type Owner = Vec<(&'static str, String)>;

/// What the names of log groups and the settings of functions and stages tell.
#[derive(Debug, Default)]
pub struct Owners {
    /// `None` where several write.
    by_group: HashMap<String, Option<Owner>>,
}

impl Owners {
    pub fn read(store: &Store, scope: &Scope) -> Result<Owners, Error> {
        let mut owners = Owners::default();
        let snapshot = store.snapshot();
        for function in snapshot.functions().filter(|function| function.scope == *scope) {
            for version in function.versions.values() {
                let group = &version.record.settings.logging.group;
                owners.add(group.clone(), of_function(&function.name));
            }
        }
        for Stage { api_id, name, access_log, .. } in all(store.list(&prefix(scope, &[]))?) {
            owners.access_log(access_log.as_ref(), &api_id, &name);
        }
        for HttpStage { api_id, name, access_log, .. } in all(store.list(&prefix(scope, &[]))?) {
            owners.access_log(access_log.as_ref(), &api_id, &name);
        }
        Ok(owners)
    }

    /// Whom a group belongs to; nobody where that isn't known, or several write.
    pub fn of(&self, group: &str) -> Owner {
        if let Some(owner) = self.by_group.get(group) {
            return owner.clone().unwrap_or_default();
        }
        // Of functions and stages that are gone, the names tell.
        if let Some(function) = group.strip_prefix("/aws/lambda/") {
            return of_function(function);
        }
        let execution = group.strip_prefix("API-Gateway-Execution-Logs_");
        let Some((api, stage)) = execution.and_then(|rest| rest.split_once('/')) else { return Owner::new() };
        match stage.strip_suffix("/Canary") {
            Some(stage) => of_stage(api, stage, true),
            None => of_stage(api, stage, false),
        }
    }

    fn access_log(&mut self, log: Option<&AccessLog>, api: &str, stage: &str) {
        let destination = log.and_then(|log| log.destination_arn.as_deref()).and_then(arn::parse);
        let Some(group) = destination.and_then(|arn| arn.resource.strip_prefix("log-group:")) else { return };
        let group = group.trim_end_matches(":*");
        self.add(format!("{group}/Canary"), of_stage(api, stage, true));
        self.add(group.to_owned(), of_stage(api, stage, false));
    }

    fn add(&mut self, group: String, owner: Owner) {
        match self.by_group.entry(group) {
            Entry::Vacant(entry) => {
                entry.insert(Some(owner));
            }
            Entry::Occupied(mut entry) => {
                let is_same = entry.get().as_ref().is_some_and(|known| *known == owner);
                if !is_same {
                    entry.insert(None);
                }
            }
        }
    }
}

fn all<R>(found: Vec<pitbird_store::Versioned<R>>) -> impl Iterator<Item = R> {
    found.into_iter().map(|found| found.record)
}

fn of_function(name: &str) -> Owner {
    vec![("FunctionName", name.to_owned())]
}

/// A stage's log has what base and canary write; that of the canary has the canary's a second time.
fn of_stage(api: &str, stage: &str, is_canary: bool) -> Owner {
    let mut owner = vec![("Api", api.to_owned()), ("Stage", stage.to_owned())];
    if is_canary {
        owner.push(("Track", "canary".to_owned()));
    }
    owner
}
