//! What models have learnt, kept in memory as long as it is fresh.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pitbird_metricmath::anomaly::{HISTORY_MS, Model, Past};
use pitbird_records::{AnomalyDetector, Record};
use pitbird_store::Versioned;
use pitbird_telemetry::metrics::Unit;

use super::detector;
use crate::query::{self, Bands, Plan, Span};
use crate::{Error, State};

/// Models in memory; beyond it the one that was trained first goes. The largest take 3 KiB.
const MODELS_MAX: usize = 2000;
/// How long a model is fresh, milliseconds: with a day of the past, with less, and with too little.
const FRESH_MS: i64 = 3_600_000;
const YOUNG_FRESH_MS: i64 = 300_000;
const EMPTY_FRESH_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// Models that are trained in one step of the evaluator, because nobody has needed them yet.
const TRAININGS_PER_STEP: usize = 8;

/// The models in memory.
#[derive(Default)]
pub struct Models {
    kept: Mutex<HashMap<Place, Kept>>,
    /// One is trained at a time: two weeks of a metric are much to read.
    turn: tokio::sync::Mutex<()>,
}

/// The key of a model's record, and the period and the unit of its values: sums of an hour aren't those of a minute.
type Place = (String, u32, Option<Unit>);

#[derive(Clone)]
struct Kept {
    /// Of the record that it was trained by.
    rev: u64,
    trained: Range<i64>,
    /// `None` where there was too little to learn from.
    model: Option<Arc<Model>>,
}

impl Models {
    fn fresh(&self, place: &Place, rev: u64, now_ms: i64) -> Option<Kept> {
        let kept = self.lock();
        kept.get(place).filter(|kept| kept.rev == rev && kept.trained.contains(&now_ms)).cloned()
    }

    fn keep(&self, place: Place, new: Kept) {
        let mut kept = self.lock();
        if kept.len() >= MODELS_MAX && !kept.contains_key(&place) {
            let oldest =
                kept.iter().min_by_key(|(_, kept)| kept.trained.start).map(|(place, _)| place.clone());
            oldest.and_then(|oldest| kept.remove(&oldest));
        }
        kept.insert(place, new);
    }

    /// CloudWatch's StateValue of a model.
    pub fn state_value(&self, found: &Versioned<AnomalyDetector>) -> &'static str {
        let key = found.record.key();
        let kept = self.lock();
        let own = kept.iter().filter(|(place, kept)| place.0 == key && kept.rev == found.rev);
        match own.map(|(_, kept)| kept.model.is_some()).max() {
            None => "PENDING_TRAINING",
            Some(false) => "TRAINED_INSUFFICIENT_DATA",
            Some(true) => "TRAINED",
        }
    }

    /// Some of those models that have learnt nothing yet, or that knew too little and may know more by now; the former first.
    fn untrained<'d>(
        &self,
        detectors: &[&'d Versioned<AnomalyDetector>],
        now_ms: i64,
    ) -> Vec<&'d Versioned<AnomalyDetector>> {
        let kept = self.lock();
        let mut tried: HashMap<(&str, u64), bool> = HashMap::new();
        for (place, kept) in kept.iter() {
            let is_settled = kept.model.is_some() || kept.trained.contains(&now_ms);
            *tried.entry((&place.0, kept.rev)).or_default() |= is_settled;
        }
        let mut untrained: Vec<(bool, &Versioned<AnomalyDetector>)> = Vec::new();
        for found in detectors {
            let is_settled = tried.get(&(found.record.key().as_str(), found.rev)).copied();
            if is_settled != Some(true) {
                untrained.push((is_settled.is_some(), found));
            }
        }
        untrained.sort_by_key(|(was_tried, _)| *was_tried);
        untrained.into_iter().map(|(_, found)| found).take(TRAININGS_PER_STEP).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is expected of these queries of a plan. Those that nobody has set a model of, or whose model knows too little, are
/// left out.
pub async fn models(
    state: &State,
    plan: &Arc<Plan>,
    places: &BTreeSet<usize>,
    now_ms: i64,
) -> Result<Bands, Error> {
    let mut found = Bands::new();
    for place in places {
        let key = AnomalyDetector::key_of(plan.scope(), &plan.identity(*place));
        let Some(detector) = state.store.get::<AnomalyDetector>(&key)? else { continue };
        let model = model(state, &detector, plan, *place, now_ms).await?;
        found.extend(model.map(|model| (*place, model)));
    }
    Ok(found)
}

/// Trains some of the models that have learnt nothing yet. What goes wrong with one keeps no other.
pub async fn train_missing(state: &State, detectors: &[&Versioned<AnomalyDetector>], now_ms: i64) {
    for found in state.models.untrained(detectors, now_ms) {
        let trained = match detector::plan(&found.record) {
            Some((plan, place)) => model(state, found, &Arc::new(plan), place, now_ms).await.map(drop),
            None => Err(Error::Invalid("its metrics can't be read".to_owned())),
        };
        if let Err(error) = trained {
            tracing::error!(model = found.record.identity, %error, "an anomaly detection model can't be trained");
            // Not at once again, and not before others.
            let trained = now_ms..now_ms + EMPTY_FRESH_MS;
            let kept = Kept { rev: found.rev, trained, model: None };
            state.models.keep((found.record.key(), 0, None), kept);
        }
    }
}

async fn model(
    state: &State,
    detector: &Versioned<AnomalyDetector>,
    plan: &Arc<Plan>,
    place: usize,
    now_ms: i64,
) -> Result<Option<Arc<Model>>, Error> {
    let at = (detector.record.key(), plan.period(place), plan.unit(place));
    if let Some(kept) = state.models.fresh(&at, detector.rev, now_ms) {
        return Ok(kept.model);
    }
    let _turn = state.models.turn.lock().await;
    // Somebody may have trained it while this waited.
    if let Some(kept) = state.models.fresh(&at, detector.rev, now_ms) {
        return Ok(kept.model);
    }
    let model = train(state, &detector.record, plan, place, now_ms).await?.map(Arc::new);
    let fresh_ms = match &model {
        Some(model) if model.history_ms() >= DAY_MS => FRESH_MS,
        Some(_) => YOUNG_FRESH_MS,
        None => EMPTY_FRESH_MS,
    };
    let kept = Kept { rev: detector.rev, trained: now_ms..now_ms + fresh_ms, model: model.clone() };
    state.models.keep(at, kept);
    Ok(model)
}

/// Trains on the periods that are over.
async fn train(
    state: &State,
    detector: &AnomalyDetector,
    plan: &Arc<Plan>,
    place: usize,
    now_ms: i64,
) -> Result<Option<Model>, Error> {
    let period_ms = i64::from(plan.period(place).max(1)) * 1000;
    let end_ms = now_ms.div_euclid(period_ms) * period_ms;
    let span = Span { start_ms: end_ms - HISTORY_MS, end_ms, now_ms };
    let points = query::history(state, plan, place, span).await?;
    let excluded: Vec<Range<i64>> = detector.excluded.iter().map(|(start, end)| *start..*end).collect();
    let has_periodic_spikes = detector.has_periodic_spikes.unwrap_or(false);
    let work = move || Model::train(&Past { points: &points, excluded: &excluded, has_periodic_spikes });
    // Cancelled only when the runtime ends.
    tokio::task::spawn_blocking(work).await.map_err(|_| pitbird_telemetry::Error::Closed.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_models_make_room() {
        let models = Models::default();
        let kept = |trained| Kept { rev: 1, trained: trained..i64::MAX, model: None };
        for number in 0..=MODELS_MAX as i64 {
            models.keep((number.to_string(), 60, None), kept(number));
        }
        assert_eq!(models.lock().len(), MODELS_MAX);
        let is_kept = |name: &str| models.fresh(&(name.to_owned(), 60, None), 1, i64::MAX - 1).is_some();
        assert!(!is_kept("0") && is_kept("1") && is_kept(&MODELS_MAX.to_string()));
        assert!(models.fresh(&("1".to_owned(), 60, None), 2, 10).is_none(), "of another revision");
        assert!(models.fresh(&("5".to_owned(), 60, None), 1, 4).is_none(), "from before it was trained");
    }

    #[test]
    fn what_was_never_tried_comes_before_what_knows_too_little() {
        let found = |number: usize| {
            let of = pitbird_records::anomaly_detector::Modelled::Queries(Vec::new());
            let record = AnomalyDetector {
                scope: Default::default(),
                identity: format!("{number:02}"),
                of,
                excluded: Vec::new(),
                timezone: None,
                has_periodic_spikes: None,
                configured_ms: 0,
            };
            Versioned { rev: 1, record }
        };
        let all: Vec<Versioned<AnomalyDetector>> = (0..12).map(found).collect();
        let all: Vec<&Versioned<AnomalyDetector>> = all.iter().collect();
        let models = Models::default();
        let names = |now_ms| -> Vec<String> {
            models.untrained(&all, now_ms).into_iter().map(|found| found.record.identity.clone()).collect()
        };
        assert_eq!(names(0), ["00", "01", "02", "03", "04", "05", "06", "07"]);
        for found in &all[..8] {
            models.keep((found.record.key(), 60, None), Kept { rev: 1, trained: 0..100, model: None });
        }
        assert_eq!(names(50), ["08", "09", "10", "11"]);
        assert_eq!(names(100), ["08", "09", "10", "11", "00", "01", "02", "03"]);
    }
}
