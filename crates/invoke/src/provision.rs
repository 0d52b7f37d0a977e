//! Sees to it that each version has as many environments ready as the snapshot says.

use std::sync::Weak;

use pitbird_names::Qualifier;
use pitbird_records::function::State;
use pitbird_snapshot::{Function, Snapshot};
use tokio::sync::watch;

use crate::Invoker;
use crate::invoker::{Inner, VersionSlot};
use crate::pool::Provisioned;

/// Follows the snapshots until the door is gone.
pub(crate) async fn follow(mut generations: watch::Receiver<u64>, inner: Weak<Inner>) {
    loop {
        {
            let Some(inner) = inner.upgrade() else { return };
            let Some(store) = inner.parts.store() else { return };
            generations.mark_unchanged();
            Invoker::from(inner).provision(&store.snapshot());
        }
        if generations.changed().await.is_err() {
            return;
        }
    }
}

impl Invoker {
    fn provision(&self, snapshot: &Snapshot) {
        if self.is_closed() {
            return;
        }
        for function in snapshot.functions() {
            let wanted = function.provisioned_versions();
            for (id, version) in &function.versions {
                let wanted = wanted.get(id).copied().unwrap_or(0);
                if wanted > 0 && version.record.state == State::Active {
                    self.version_slot(version).pool.provision(wanted);
                } else if let Some(slot) = version.slot.get::<VersionSlot>() {
                    slot.pool.provision(0);
                }
            }
        }
    }

    /// How it stands with the environments that are kept ready for a version or an alias: all that are ready of the versions
    /// behind it.
    pub fn provisioned(&self, function: &Function, qualifier: &Qualifier) -> Provisioned {
        let mut all = Provisioned::default();
        for (version, wanted) in function.provisioned_versions_of(qualifier) {
            let version = function.versions.get(&version);
            let Some(slot) = version.and_then(|version| version.slot.get::<VersionSlot>()) else { continue };
            let Provisioned { ready, has_failed } = slot.pool.provisioned();
            all.ready += ready.min(wanted);
            all.has_failed |= has_failed;
        }
        all
    }
}
