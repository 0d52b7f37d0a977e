//! How many environments a version should start. Decides only.
//!
//! Lambda gives every concurrent invocation an environment of its own. Here an invocation waits for whichever comes
//! first: one that becomes free, or a new one. So new ones are started only where they come first, and not where they would only
//! take the CPUs from those that there are.

/// What a version has to do, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Invocations without an environment.
    pub waiting: usize,
    /// How long the first of them has been waiting.
    pub waited_ms: f64,
    /// Environments that are being started.
    pub launching: usize,
    /// Environments that have answered and will ask for more in a moment.
    pub resting: usize,
    /// Environments that have started, busy or not.
    pub ready: usize,
    /// How long an environment is busy with an invocation, usually; `None` when nobody knows yet.
    pub service_ms: Option<f64>,
    /// How long it would be busy if it had a CPU for itself; `None` when nobody knows yet.
    pub unhindered_ms: Option<f64>,
    /// How long an environment takes to start, usually.
    pub launch_ms: Option<f64>,
    /// CPUs of this host.
    pub cpus: usize,
}

/// Shortest wait that makes anybody impatient, ms.
const PATIENCE_MS_MIN: f64 = 10.0;

/// So many environments for each CPU keep it busy, as long as they don't wait for something outside.
const BUSY_PER_CPU: usize = 4;
/// Invocations that take more than so many times as long as unhindered ones hinder each other.
const HINDERED: f64 = 2.0;

impl Load {
    /// After what wait it is plain that expectations were wrong.
    pub fn patience_ms(&self) -> f64 {
        (2.0 * self.launch_ms.unwrap_or(0.0)).max(PATIENCE_MS_MIN)
    }

    /// Environments to start now.
    pub fn launches_wanted(&self) -> usize {
        let is_impatient = self.waited_ms >= self.patience_ms();
        // Each that is being started will take one that waits, and each that is about to be free, if it soon is.
        let resting = if is_impatient { 0 } else { self.resting };
        let uncovered = self.waiting.saturating_sub(self.launching + resting);
        if uncovered == 0 {
            return 0;
        }
        let (Some(service_ms), Some(launch_ms), 1..) = (self.service_ms, self.launch_ms, self.ready) else {
            return uncovered;
        };
        if self.is_crowded() && !is_impatient {
            return 0;
        }
        let launch_ms = launch_ms.max(0.1);
        let work_ms = self.waiting as f64 * service_ms;
        let have = self.ready + self.launching;
        let mut wanted = 0;
        if work_ms > self.ready as f64 * launch_ms {
            // As many as would have done all that waits by the time that a new one has started.
            wanted = ((work_ms / launch_ms).ceil() as usize).saturating_sub(have);
        }
        if is_impatient {
            // Those that were expected to become free don't. Doubling gets far fast, and stops soon after.
            wanted = wanted.max(have);
        }
        wanted.min(uncovered)
    }

    /// Do the environments wait for CPUs? Then one more makes all of them slower and nobody's turn come sooner.
    fn is_crowded(&self) -> bool {
        let (Some(service_ms), Some(unhindered_ms)) = (self.service_ms, self.unhindered_ms) else {
            return false;
        };
        self.ready + self.launching >= BUSY_PER_CPU * self.cpus && service_ms > HINDERED * unhindered_ms
    }
}

/// A mean that forgets: each new value counts an eighth.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usual(Option<f64>);

impl Usual {
    pub fn take(&mut self, value: f64) {
        self.0 = Some(self.0.map_or(value, |mean| mean + (value - mean) / 8.0));
    }

    /// The least of this and the mean.
    pub fn take_least(&mut self, value: f64) {
        self.0 = Some(self.0.map_or(value, |mean| mean.min(value)));
    }

    pub fn get(self) -> Option<f64> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(waiting: usize, launching: usize, ready: usize, service_ms: f64) -> Load {
        let (service_ms, launch_ms) = (Some(service_ms), Some(5.0));
        Load {
            waiting,
            launching,
            ready,
            service_ms,
            unhindered_ms: service_ms,
            launch_ms,
            cpus: 2,
            ..Load::default()
        }
    }

    #[test]
    fn nobody_knows_anything_yet() {
        let new = Load { waiting: 3, ..Load::default() };
        assert_eq!(new.launches_wanted(), 3);
        assert_eq!(Load { launching: 2, ..new }.launches_wanted(), 1);
        assert_eq!(Load { launching: 3, ..new }.launches_wanted(), 0);
    }

    #[test]
    fn short_invocations_wait_for_a_free_environment() {
        assert_eq!(load(20, 0, 1, 0.1).launches_wanted(), 0, "done in 2 ms, a new one takes 5");
        assert_eq!(load(63, 0, 1, 0.1).launches_wanted(), 1);
        assert_eq!(load(63, 1, 1, 0.1).launches_wanted(), 0);
    }

    #[test]
    fn long_invocations_get_environments_of_their_own() {
        assert_eq!(load(10, 0, 2, 1000.0).launches_wanted(), 10);
        assert_eq!(load(10, 4, 2, 1000.0).launches_wanted(), 6);
    }

    #[test]
    fn impatience_doubles() {
        let slow = Load { waited_ms: 10.0, ..load(20, 0, 2, 0.1) };
        assert_eq!(slow.launches_wanted(), 2);
        assert_eq!(Load { waited_ms: 9.0, ..slow }.launches_wanted(), 0);
        assert_eq!(Load { waiting: 1, ..slow }.launches_wanted(), 1);
        let all_at_once = Load { ready: 0, ..slow };
        assert_eq!(all_at_once.launches_wanted(), 20, "nothing will become free");
    }

    #[test]
    fn those_that_wait_for_the_cpus_get_no_company() {
        let crowded = Load { unhindered_ms: Some(0.2), ..load(64, 0, 8, 2.0) };
        assert_eq!(crowded.launches_wanted(), 0);
        let few = Load { ready: 5, launching: 2, ..crowded };
        assert_eq!(few.launches_wanted(), 19, "there may be too few to keep the CPUs busy");
        let outside = Load { unhindered_ms: Some(1.5), ..crowded };
        assert_eq!(outside.launches_wanted(), 18, "they wait for something else");
        let unknown = Load { unhindered_ms: None, ..crowded };
        assert_eq!(unknown.launches_wanted(), 18);
        let impatient = Load { waited_ms: 10.0, ..crowded };
        assert_eq!(impatient.launches_wanted(), 18, "whoever waits for too long is believed");
    }

    #[test]
    fn what_is_about_to_be_free_counts_for_a_while() {
        let soon = Load { resting: 1, service_ms: None, ..load(1, 0, 1, 0.0) };
        assert_eq!(soon.launches_wanted(), 0);
        assert_eq!(Load { waited_ms: 10.0, ..soon }.launches_wanted(), 1);
    }

    #[test]
    fn a_mean_forgets() {
        let mut usual = Usual::default();
        assert_eq!(usual.get(), None);
        usual.take(8.0);
        usual.take(16.0);
        assert_eq!(usual.get(), Some(9.0));
        usual.take_least(12.0);
        assert_eq!(usual.get(), Some(9.0));
        usual.take_least(3.0);
        assert_eq!(usual.get(), Some(3.0));
    }
}
