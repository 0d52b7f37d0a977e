//! The probes of routes that are measured by themselves.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use pitbird_telemetry::metrics::Probe;

/// Probes by a name of two parts, such as path and method. Every request looks for one: that takes no lock, counts no references and
/// copies nothing, so that cores don't wait for each other. Making one copies all that there are, a few hundred at most.
#[derive(Debug, Default)]
pub(crate) struct RouteProbes(ArcSwap<Names<Names<Arc<Probe>>>>);

/// Asked once a request, by names that come from deployments.
type Names<T> = HashMap<String, T, foldhash::fast::RandomState>;

impl RouteProbes {
    /// Lets `take` record on the probe of a name. One that isn't there is made; several at once may be, which must be the same one.
    pub fn record(
        &self,
        (first, second): (&str, &str),
        make: impl FnOnce() -> Arc<Probe>,
        take: impl FnOnce(&Arc<Probe>),
    ) {
        if let Some(probe) = self.0.load().get(first).and_then(|probes| probes.get(second)) {
            return take(probe);
        }
        let made = make();
        self.0.rcu(|known| {
            let mut known = Names::clone(known);
            known.entry(first.to_owned()).or_default().insert(second.to_owned(), made.clone());
            known
        });
        take(&made);
    }
}

#[cfg(test)]
mod tests {
    use pitbird_telemetry::metrics::{Dimensions, ProbeSpec, Resolution, Unit};
    use pitbird_telemetry::{Config, Telemetry};

    use super::*;

    #[test]
    fn each_name_has_one_probe_whoever_makes_it() {
        const EACH: u64 = 1000;
        let folder = tempfile::tempdir().expect("a folder");
        let telemetry = Telemetry::open(folder.path(), &Config::default()).expect("telemetry");
        let make = |first: &str, second: &str| {
            telemetry.probe(ProbeSpec {
                scope: Default::default(),
                namespace: "N".to_owned(),
                metrics: vec![("Count".to_owned(), Unit::Count)],
                dimension_sets: vec![Dimensions::from_iter([("Resource", first), ("Method", second)])],
                resolution: Resolution::Minute,
                usage: None,
            })
        };
        let probes = RouteProbes::default();
        let names = [("/a", "GET"), ("/a", "POST"), ("/b", "GET")];
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        for (first, second) in names {
                            let take = |probe: &Arc<Probe>| probe.record(0, &[1.0]);
                            probes.record((first, second), || make(first, second), take);
                        }
                    }
                });
            }
        });
        for name in names {
            let never = || panic!("{name:?} is known");
            probes.record(name, never, |probe| assert_eq!(probe.totals()[0].count, 4 * EACH, "{name:?}"));
        }
        assert_eq!(telemetry.counted().len(), names.len());
    }
}
