//! Method settings: one entry for all methods (`*/*`), others for one method each.
//!
//! Source of names and bounds: API Gateway API reference, `MethodSetting`.

use std::collections::BTreeMap;

use pitbird_records::stage::MethodSetting;

use crate::Error;
use crate::method::VERBS;

/// The entry that counts for every method without one of its own.
const ALL: &str = "*/*";
/// Requests in a burst and per second that an account has by default. Source: API Gateway quotas.
const BURST: i64 = 5_000;
const RATE: f64 = 10_000.0;
/// What callers write for "no limit of its own".
const UNLIMITED: i64 = -1;
/// Seconds that an answer is kept when nothing is said, and at most.
const CACHE_TTL_S: i64 = 300;
const CACHE_TTL_S_MAX: i64 = 3600;
const CACHE_STRATEGY: &str = "SUCCEED_WITH_RESPONSE_HEADER";
const CACHE_STRATEGIES: [&str; 3] = ["FAIL_WITH_403", CACHE_STRATEGY, "SUCCEED_WITHOUT_RESPONSE_HEADER"];

type Settings = BTreeMap<String, MethodSetting>;

/// An entry of which nothing was set. Source: AWS CLI reference, `update-stage`, example 1.
fn default() -> MethodSetting {
    MethodSetting {
        metrics_enabled: false,
        logging_level: None,
        data_trace_enabled: false,
        throttling_burst_limit: BURST,
        throttling_rate_limit: RATE,
        caching_enabled: false,
        cache_ttl_s: CACHE_TTL_S,
        cache_data_encrypted: false,
        require_authorization_for_cache_control: true,
        unauthorized_cache_control_header_strategy: CACHE_STRATEGY.to_owned(),
    }
}

/// Does an entry ask for execution logs?
pub fn has_logging(setting: &MethodSetting) -> bool {
    setting.data_trace_enabled || setting.logging_level.as_deref().is_some_and(|level| level != "OFF")
}

/// Takes a path such as `/*/*/metrics/enabled` or `/~1pets~1{id}/GET/logging/loglevel` apart: the entry's key, which is
/// told back as it was written, and the setting's name. `None` when it is no such path. The resource may hold slashes of
/// its own.
pub fn parse_path(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix('/')?;
    let (before, leaf) = rest.rsplit_once('/')?;
    let (key, group) = before.rsplit_once('/')?;
    is_key(key).then_some((key, &rest[rest.len() - group.len() - leaf.len() - 1..]))
}

/// `*/*` or `{resource}/{METHOD}`.
pub fn is_key(key: &str) -> bool {
    key.rsplit_once('/').is_some_and(|(resource, verb)| match verb {
        "*" => resource == "*",
        verb => resource != "*" && VERBS.contains(&verb),
    })
}

/// Sets one setting of one entry. A new entry of one method begins as the entry for all, if there is one. `None` when no
/// setting has this name.
pub fn set(settings: &mut Settings, key: &str, name: &str, value: &str) -> Option<Result<(), Error>> {
    let all = settings.get(ALL);
    let mut entry = settings.get(key).or(all).cloned().unwrap_or_else(default);
    let is_on = value.eq_ignore_ascii_case("true");
    let done = match name {
        "metrics/enabled" => {
            entry.metrics_enabled = is_on;
            Ok(())
        }
        "logging/dataTrace" => {
            entry.data_trace_enabled = is_on;
            Ok(())
        }
        "logging/loglevel" => {
            let level = ["OFF", "ERROR", "INFO"].contains(&value).then(|| value.to_owned());
            level.map(|level| entry.logging_level = Some(level)).ok_or_else(|| bad(name, value))
        }
        "throttling/burstLimit" => {
            let allowed = |limit: &i64| (UNLIMITED..=i64::from(i32::MAX)).contains(limit);
            number(name, value, allowed).map(|limit| entry.throttling_burst_limit = limit)
        }
        "throttling/rateLimit" => {
            let allowed = |limit: &f64| limit.is_finite() && (*limit >= 0.0 || *limit == UNLIMITED as f64);
            number(name, value, allowed).map(|limit| entry.throttling_rate_limit = limit)
        }
        "caching/ttlInSeconds" => {
            let allowed = |ttl: &i64| (0..=CACHE_TTL_S_MAX).contains(ttl);
            number(name, value, allowed).map(|ttl| entry.cache_ttl_s = ttl)
        }
        "caching/enabled" => {
            entry.caching_enabled = is_on;
            Ok(())
        }
        "caching/dataEncrypted" => {
            entry.cache_data_encrypted = is_on;
            Ok(())
        }
        "caching/requireAuthorizationForCacheControl" => {
            entry.require_authorization_for_cache_control = is_on;
            Ok(())
        }
        "caching/unauthorizedCacheControlHeaderStrategy" => {
            let strategy = CACHE_STRATEGIES.contains(&value).then(|| value.to_owned());
            let strategy = strategy.ok_or_else(|| bad(name, value));
            strategy.map(|strategy| entry.unauthorized_cache_control_header_strategy = strategy)
        }
        _ => return None,
    };
    if done.is_ok() {
        settings.insert(key.to_owned(), entry);
    }
    Some(done)
}

fn number<N: std::str::FromStr>(
    what: &str,
    value: &str,
    allowed: impl FnOnce(&N) -> bool,
) -> Result<N, Error> {
    value.trim().parse().ok().filter(allowed).ok_or_else(|| bad(what, value))
}

fn bad(what: &str, value: &str) -> Error {
    Error::SettingValue { what: what.to_owned(), value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_an_entry_and_a_setting() {
        for (path, parsed) in [
            ("/*/*/metrics/enabled", Some(("*/*", "metrics/enabled"))),
            ("/pets/GET/logging/loglevel", Some(("pets/GET", "logging/loglevel"))),
            ("/~1pets~1{id}/ANY/caching/enabled", Some(("~1pets~1{id}/ANY", "caching/enabled"))),
            ("/a/b/GET/metrics/enabled", Some(("a/b/GET", "metrics/enabled"))),
            ("//a/GET/metrics/enabled", Some(("/a/GET", "metrics/enabled"))),
            ("/~1/GET/x/y", Some(("~1/GET", "x/y"))),
            ("/GET/metrics/enabled", None),
            ("/*/GET/metrics/enabled", None),
            ("/pets/*/metrics/enabled", None),
            ("/pets/get/metrics/enabled", None),
            ("/metrics/enabled", None),
            ("", None),
        ] {
            assert_eq!(parse_path(path), parsed, "{path}");
        }
    }

    #[test]
    fn a_new_entry_begins_as_the_one_for_all() {
        let mut settings = Settings::new();
        set(&mut settings, "*/*", "metrics/enabled", "true").expect("known").expect("obeyed");
        set(&mut settings, "pets/GET", "logging/loglevel", "INFO").expect("known").expect("obeyed");
        assert!(settings["pets/GET"].metrics_enabled && has_logging(&settings["pets/GET"]));
        set(&mut settings, "*/*", "metrics/enabled", "false").expect("known").expect("obeyed");
        assert!(settings["pets/GET"].metrics_enabled, "later changes don't reach it");
        assert_eq!(settings["*/*"], default());
    }

    #[test]
    fn values_have_bounds() {
        for (name, value) in [
            ("throttling/burstLimit", "-1"),
            ("throttling/burstLimit", "0"),
            ("throttling/rateLimit", "-1.000000"),
            ("throttling/rateLimit", "0.5"),
            ("caching/enabled", "true"),
            ("caching/ttlInSeconds", "0"),
            ("caching/ttlInSeconds", "3600"),
            ("caching/dataEncrypted", "true"),
            ("caching/requireAuthorizationForCacheControl", "false"),
            ("caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403"),
        ] {
            let mut settings = Settings::new();
            assert!(matches!(set(&mut settings, "*/*", name, value), Some(Ok(()))), "{name} {value}");
            assert_ne!(settings["*/*"], default(), "{name} {value}");
        }
        for (name, value) in [
            ("logging/loglevel", "DEBUG"),
            ("throttling/burstLimit", "many"),
            ("throttling/burstLimit", "-2"),
            ("throttling/burstLimit", "2147483648"),
            ("throttling/rateLimit", "-0.5"),
            ("throttling/rateLimit", "NaN"),
            ("caching/ttlInSeconds", "3601"),
            ("caching/ttlInSeconds", "-1"),
            ("caching/unauthorizedCacheControlHeaderStrategy", "SHRUG"),
        ] {
            let mut settings = Settings::new();
            let refused = set(&mut settings, "*/*", name, value);
            assert!(matches!(refused, Some(Err(Error::SettingValue { .. }))), "{name} {value}");
            assert!(settings.is_empty());
        }
        assert!(set(&mut Settings::new(), "*/*", "metrics/on", "true").is_none());
    }
}
