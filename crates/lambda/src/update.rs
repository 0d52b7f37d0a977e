//! An update of `$LATEST` that isn't served yet.
//!
//! While new code is being prepared the old goes on serving: the function's record stays as it is, and the data plane
//! knows nothing of the update. Callers of the control plane see the update, as `LastUpdateStatus: InProgress`.

use pitbird_names::Scope;
use pitbird_records::function::{Code, LastUpdate, Settings};
use pitbird_records::{FunctionVersion, Record, key};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Update {
    pub scope: Scope,
    pub name: String,
    pub settings: Settings,
    pub code: Code,
    pub revision_id: String,
    pub modified_ms: i64,
}

impl Record for Update {
    const TABLE: &'static str = "function_update";
    fn key(&self) -> String {
        key(&self.scope, &[&self.name])
    }
}

impl Update {
    /// `$LATEST` as callers see it while this is in progress.
    pub fn shown(self, head: FunctionVersion) -> FunctionVersion {
        FunctionVersion { last_update: LastUpdate::InProgress, ..self.applied(head) }
    }

    /// `$LATEST` with this update in it.
    pub fn applied(self, head: FunctionVersion) -> FunctionVersion {
        let Update { settings, code, revision_id, modified_ms, .. } = self;
        FunctionVersion { settings, code, revision_id, modified_ms, ..head }
    }
}
