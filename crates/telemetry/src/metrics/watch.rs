use std::fmt;
use std::sync::{Arc, OnceLock};

use pitbird_names::Scope;

use super::{Aggregate, Dimensions, Unit};

/// What has been added to one series.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// The series' number; it is nobody else's, ever.
    pub series: i64,
    pub scope: &'a Scope,
    pub namespace: &'a str,
    pub name: &'a str,
    pub dimensions: &'a Dimensions,
    pub unit: Unit,
    /// The samples that were added, of whatever time.
    pub samples: &'a Aggregate,
}

/// Is shown everything that is added to any series. Called on the writer's thread: it must be quick and must not wait.
pub type Watch = Arc<dyn Fn(&Measured<'_>) + Send + Sync>;

/// Who looks on, if somebody does.
#[derive(Clone, Default)]
pub(crate) struct Watched(Arc<OnceLock<Watch>>);

impl Watched {
    /// From now on. There is one; whoever comes later is told so.
    pub fn by(&self, watch: Watch) -> bool {
        self.0.set(watch).is_ok()
    }

    pub fn watch(&self) -> Option<&Watch> {
        self.0.get()
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.0.get().is_some()).finish()
    }
}
