//! Sees to it that each version has as many environments ready as the snapshot says.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use pitbird_names::{Qualifier, VersionId};
use pitbird_records::function::State;
use pitbird_records::{Alias, FunctionVersion, ProvisionedConcurrency, Record};
use pitbird_snapshot::{Function, FunctionKey, Snapshot};
use pitbird_telemetry::Telemetry;
use tokio::sync::watch;

use crate::Invoker;
use crate::invoker::{Inner, VersionSlot};
use crate::pool::{Busy, Provisioned};

/// What environments that are kept ready are counted under: the version or the alias that asks for them.
type Counted = HashMap<(FunctionKey, Qualifier), Arc<Busy>>;

/// What says how many environments each version wants.
pub(crate) const TABLES: &[&str] = &[FunctionVersion::TABLE, Alias::TABLE, ProvisionedConcurrency::TABLE];

/// Follows the commits to [`TABLES`] until the door is gone.
pub(crate) async fn follow(mut generations: watch::Receiver<u64>, inner: Weak<Inner>) {
    let mut counted = Counted::new();
    loop {
        {
            let Some(inner) = inner.upgrade() else { return };
            let Some(store) = inner.parts.store() else { return };
            generations.mark_unchanged();
            let telemetry = inner.parts.telemetry.clone();
            Invoker::from(inner).provision(&store.snapshot(), &telemetry, &mut counted);
        }
        if generations.changed().await.is_err() {
            return;
        }
    }
}

impl Invoker {
    fn provision(&self, snapshot: &Snapshot, telemetry: &Telemetry, counted: &mut Counted) {
        if self.is_closed() {
            return;
        }
        let before = std::mem::take(counted);
        for function in snapshot.functions() {
            let wanted = function.provisioned_versions();
            let busy = count(telemetry, function, &before, counted);
            for (id, version) in &function.versions {
                let wanted = wanted.get(id).copied().unwrap_or(0);
                if wanted > 0 && version.record.state == State::Active {
                    self.version_slot(version).pool.provision(wanted, busy.get(id).cloned());
                } else if let Some(slot) = version.slot.get::<VersionSlot>() {
                    slot.pool.provision(0, None);
                }
            }
        }
    }

    /// How it stands with the environments that are kept ready for a version or an alias: all of the versions behind it.
    pub fn provisioned(&self, function: &Function, qualifier: &Qualifier) -> Provisioned {
        let mut all = Provisioned::default();
        for (version, wanted) in function.provisioned_versions_of(qualifier) {
            let version = function.versions.get(&version);
            let Some(slot) = version.and_then(|version| version.slot.get::<VersionSlot>()) else { continue };
            let Provisioned { allocated, ready, has_failed } = slot.pool.provisioned();
            // One that is about to be gone may still stand beside the one in its place.
            all.allocated += allocated.min(wanted);
            all.ready += ready.min(wanted);
            all.has_failed |= has_failed;
        }
        all
    }
}

/// What each version's environments that are kept ready are counted under, as before where they were counted already.
fn count(
    telemetry: &Telemetry,
    function: &Function,
    before: &Counted,
    now: &mut Counted,
) -> HashMap<VersionId, Arc<Busy>> {
    let mut versions = HashMap::new();
    for (qualifier, requested) in &function.provisioned {
        let named = FunctionKey { scope: function.scope.clone(), name: function.name.clone() };
        let key = (named, qualifier.clone());
        let busy = before.get(&key).cloned();
        let busy = busy.unwrap_or_else(|| Arc::new(Busy::new(telemetry, &key.0, qualifier)));
        busy.request(*requested);
        for (version, _) in function.provisioned_versions_of(qualifier) {
            versions.insert(version, busy.clone());
        }
        now.insert(key, busy);
    }
    versions
}
