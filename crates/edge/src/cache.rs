//! A stage's cache: answers of integrations, kept for a while.
//!
//! Source: API Gateway developer guide, "Cache settings for REST APIs": only GET methods are cached unless a method's own settings say
//! otherwise; what differs in a method's key parameters is kept apart; a canary has a cache only with `useStageCache`, and what one
//! deployment answered is never given for another's.

use std::time::{Duration, Instant};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use pitbird_records::stage::MethodSetting;
use pitbird_records::{self as records};
use pitbird_snapshot::{CacheKey, Stage, Track};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::admitted::Admitted;
use crate::answer::Answer;
use crate::integrate::Seen;
use crate::routed::Routed;

/// A larger answer isn't kept. Source: API Gateway quotas.
const ANSWER_BYTES_MAX: usize = 1_048_576;
/// What one stage's cache holds at most, whatever larger size it was given: it's this process's memory.
const CACHE_BYTES_MAX: u64 = 256 << 20;
/// What an answer takes beside its body and headers.
const FRAME_BYTES: usize = 256;
/// Of answers of some KiB, as many as fit.
const ANSWERS_EXPECTED: usize = 1000;

/// What was answered once.
pub(crate) struct StageCache(Cache<String, Kept, Bytes>);

#[derive(Clone)]
struct Kept {
    answer: Answer,
    until: Instant,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<String, Kept> for Bytes {
    fn weight(&self, key: &String, kept: &Kept) -> u64 {
        let headers: usize =
            kept.answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64).sum();
        (FRAME_BYTES + key.len() + headers + kept.answer.body.len()) as u64
    }
}

impl StageCache {
    /// The cache that a stage asks for, if it does.
    pub fn of(stage: &records::Stage) -> Option<StageCache> {
        if !stage.cache_cluster_enabled {
            return None;
        }
        let gigabytes: f64 =
            stage.cache_cluster_size.as_deref().and_then(|size| size.parse().ok()).unwrap_or(0.5);
        let bytes = ((gigabytes * 1e9) as u64).min(CACHE_BYTES_MAX);
        Some(StageCache(Cache::with_weighter(ANSWERS_EXPECTED, bytes, Bytes)))
    }
}

/// One request's place in its stage's cache.
pub(crate) struct Place<'c> {
    cache: &'c StageCache,
    key: String,
    ttl: Duration,
    /// Whether the client asked for a new answer, and may.
    renews: bool,
    /// Whether the client asked for one and may not, and is to be told so.
    warns: bool,
}

/// What the cache has to say before an integration is asked.
pub(crate) enum Lookup<'c> {
    /// Nothing is kept for this method.
    None,
    /// The client may not ask for a new answer, and gets none at all: 403.
    Forbidden,
    Hit(Answer),
    Miss(Place<'c>),
}

/// Looks for the answer of a request's like.
pub(crate) fn look_up<'c>(
    cache: Option<&'c StageCache>,
    stage: &Stage,
    routed: &Routed<'_, '_>,
    arrival: &crate::arrival::Arrival<'_>,
    may_renew: bool,
) -> Lookup<'c> {
    let Some(cache) = cache else { return Lookup::None };
    // What is passed on as it comes isn't kept. Source: developer guide, "Considerations for response payload streaming".
    let setting = setting(routed).filter(|_| !routed.method.integration.is_streamed());
    let Some(setting) = setting else { return Lookup::None };
    let Ok(asked) = asks_anew(arrival.headers(), setting, may_renew) else { return Lookup::Forbidden };
    let place = Place {
        cache,
        key: key(stage, routed, arrival),
        ttl: Duration::from_secs(setting.cache_ttl_s.try_into().unwrap_or(0)),
        renews: asked == Asked::Renew,
        warns: asked == Asked::Warn,
    };
    let kept = if place.renews { None } else { cache.0.get(&place.key) };
    match kept {
        Some(kept) if kept.until > Instant::now() => Lookup::Hit(place.warned(kept.answer)),
        _ => Lookup::Miss(place),
    }
}

/// The settings of a method whose answers are kept.
fn setting<'s>(routed: &Routed<'s, '_>) -> Option<&'s MethodSetting> {
    let Routed { stage, track, verb, .. } = routed;
    let is_shared = stage.record.canary.as_ref().is_some_and(|canary| canary.use_stage_cache);
    if track.is_canary && !is_shared {
        return None;
    }
    let found = routed.setting?;
    let is_cached =
        found.values.caching_enabled && found.values.cache_ttl_s > 0 && (found.is_own || *verb == "GET");
    is_cached.then_some(found.values)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Renew,
    Warn,
}

/// May not ask for a new answer.
#[derive(Debug, PartialEq, Eq)]
struct Refused;

/// Does a client want a new answer, whatever is kept (`Cache-Control: max-age=0`)?
pub fn wants_renewal(headers: &HeaderMap) -> bool {
    let control = headers.get_all(header::CACHE_CONTROL);
    let mut words = control.iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    words.any(|word| word.trim().eq_ignore_ascii_case("max-age=0"))
}

/// What comes of a client's wish; `may_renew` tells of the permission that it takes where the method's settings say so.
fn asks_anew(headers: &HeaderMap, setting: &MethodSetting, may_renew: bool) -> Result<Asked, Refused> {
    if !wants_renewal(headers) {
        return Ok(Asked::Nothing);
    }
    if may_renew || !setting.require_authorization_for_cache_control {
        return Ok(Asked::Renew);
    }
    match setting.unauthorized_cache_control_header_strategy.as_str() {
        "FAIL_WITH_403" => Err(Refused),
        "SUCCEED_WITHOUT_RESPONSE_HEADER" => Ok(Asked::Nothing),
        _ => Ok(Asked::Warn),
    }
}

/// All by which an answer is another one: the flush that it came after, its deployment, its method and its parameters.
fn key(stage: &Stage, routed: &Routed<'_, '_>, arrival: &crate::arrival::Arrival<'_>) -> String {
    let Track { deployment, .. } = routed.track;
    let CacheKey { namespace, parameters } = &routed.method.cache_key;
    let mut key =
        [&stage.record.cache_flushed.to_string(), "\n", &deployment.id, "\n", namespace, "\n", routed.verb]
            .concat();
    if parameters.is_empty() {
        return key;
    }
    let nobody = Admitted::default();
    let seen = Seen::new(routed, arrival, &nobody);
    let message = seen.message("");
    for source in parameters {
        key.push('\n');
        for value in source.values(&message).unwrap_or_default() {
            key.push_str(&value.len().to_string());
            key.push(':');
            key.push_str(&value);
        }
    }
    key
}

impl Place<'_> {
    /// Keeps an answer that its integration gave; a failure of the backend's or ours is asked about again.
    pub fn keep(self, answer: &mut Answer, now: Instant) {
        if answer.status < 500 && answer.body.len() <= ANSWER_BYTES_MAX {
            let kept = Kept { answer: answer.clone(), until: now + self.ttl };
            self.cache.0.insert(self.key.clone(), kept);
        }
        if self.warns {
            answer.headers.push(WARNING);
        }
    }

    fn warned(&self, mut answer: Answer) -> Answer {
        if self.warns {
            answer.headers.push(WARNING);
        }
        answer
    }
}

const WARNING: (HeaderName, HeaderValue) = (
    header::WARNING,
    HeaderValue::from_static("199 Cache-control headers were ignored because the caller was unauthorized."),
);

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(needs_permission: bool, strategy: &str) -> MethodSetting {
        MethodSetting {
            metrics_enabled: false,
            logging_level: None,
            data_trace_enabled: false,
            throttling_burst_limit: 1,
            throttling_rate_limit: 1.0,
            caching_enabled: true,
            cache_ttl_s: 300,
            cache_data_encrypted: false,
            require_authorization_for_cache_control: needs_permission,
            unauthorized_cache_control_header_strategy: strategy.to_owned(),
        }
    }

    #[test]
    fn who_asks_anew_gets_what_the_settings_say() {
        for strategy in ["FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER"] {
            let headers =
                HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("max-age=0"))]);
            assert_eq!(asks_anew(&headers, &setting(true, strategy), true), Ok(Asked::Renew), "{strategy}");
        }
        for (control, needs_permission, strategy, asked) in [
            ("no-cache", false, "", Ok(Asked::Nothing)),
            ("max-age=0", false, "", Ok(Asked::Renew)),
            ("no-store, Max-Age=0", false, "", Ok(Asked::Renew)),
            ("max-age=00", false, "", Ok(Asked::Nothing)),
            ("max-age=0", true, "FAIL_WITH_403", Err(Refused)),
            ("max-age=0", true, "SUCCEED_WITH_RESPONSE_HEADER", Ok(Asked::Warn)),
            ("max-age=0", true, "SUCCEED_WITHOUT_RESPONSE_HEADER", Ok(Asked::Nothing)),
        ] {
            let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static(control))]);
            assert_eq!(
                asks_anew(&headers, &setting(needs_permission, strategy), false),
                asked,
                "{control} {strategy}"
            );
        }
    }

    #[test]
    fn a_cache_holds_no_more_than_its_bytes() {
        let cache = StageCache(Cache::with_weighter(8, 100_000, Bytes));
        let answer =
            Answer { status: 200, headers: Vec::new(), body: vec![b'x'; 10_000].into(), is_traced: false };
        for number in 0..100 {
            let place = Place {
                cache: &cache,
                key: number.to_string(),
                ttl: Duration::from_secs(1),
                renews: false,
                warns: false,
            };
            place.keep(&mut answer.clone(), Instant::now());
        }
        assert!(cache.0.weight() <= 100_000 && !cache.0.is_empty(), "{}", cache.0.weight());
        let failed = Answer { status: 500, ..answer };
        let place = Place {
            cache: &cache,
            key: "failed".to_owned(),
            ttl: Duration::from_secs(1),
            renews: false,
            warns: false,
        };
        place.keep(&mut failed.clone(), Instant::now());
        assert!(cache.0.get("failed").is_none());
    }
}
