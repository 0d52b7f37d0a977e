use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How many are told apart.
const FEW: usize = 8;

/// A few numbers told apart, without a lock: two are enough to say that there isn't only one.
#[derive(Debug, Default)]
pub struct Few {
    /// 0 is free.
    places: [AtomicU64; FEW],
    has_unknown: AtomicBool,
}

impl Few {
    pub fn add(&self, number: Option<u64>) {
        let Some(number) = number else {
            self.has_unknown.store(true, Ordering::Relaxed);
            return;
        };
        let number = number.max(1);
        for place in &self.places {
            match place.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(found) if found == number => return,
                Err(_) => {}
            }
        }
    }

    /// `None` where one wasn't known, or there was none.
    pub fn count(&self) -> Option<u32> {
        let count = self.places.iter().filter(|place| place.load(Ordering::Relaxed) != 0).count() as u32;
        (count > 0 && !self.has_unknown.load(Ordering::Relaxed)).then_some(count)
    }
}
