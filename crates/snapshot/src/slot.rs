use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Room for what a reader derives from a part of the snapshot and wants to find again without a lookup: the edge keeps a
/// stage's metric handles here, invoke a version's environments. It lives exactly as long as the part it belongs to,
/// and as any clone: a part hands its slot on to the one that replaces it where that is the same to the slot's reader.
#[derive(Default, Clone)]
pub struct Slot(Arc<OnceLock<Arc<dyn Any + Send + Sync>>>);

impl Slot {
    /// What `make` once derived; later calls return the same value.
    ///
    /// # Panics
    /// When two readers derive values of different types for the same slot: each slot has one reader.
    pub fn get_or_init<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> Arc<T>) -> &T {
        let value = self.0.get_or_init(|| make());
        value.downcast_ref().expect("each slot has one reader and so one type")
    }

    /// The derived value, if there is one already.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.get()?.downcast_ref()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.get().is_some() { "Slot(filled)" } else { "Slot(empty)" })
    }
}
