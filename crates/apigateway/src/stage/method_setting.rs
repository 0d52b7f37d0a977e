//! Method settings: one entry for all methods (`*/*`), others for one method each.
//!
//! Metrics and logging are obeyed. Throttling and caching aren't there yet, so that only their defaults are accepted.

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
const CACHE_TTL_S: i64 = 300;
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
            level.map(|level| entry.logging_level = Some(level)).ok_or_else(|| bad("loglevel", value))
        }
        "throttling/burstLimit" => only(value, "throttling/burstLimit", &[BURST, UNLIMITED])
            .map(|it| entry.throttling_burst_limit = it),
        "throttling/rateLimit" => only(value, "throttling/rateLimit", &[RATE, UNLIMITED as f64])
            .map(|it| entry.throttling_rate_limit = it),
        "caching/ttlInSeconds" => {
            only(value, "caching/ttlInSeconds", &[CACHE_TTL_S]).map(|it| entry.cache_ttl_s = it)
        }
        "caching/enabled" if is_on => Err(Error::unsupported("caching/enabled true")),
        "caching/dataEncrypted" if is_on => Err(Error::unsupported("caching/dataEncrypted true")),
        "caching/requireAuthorizationForCacheControl" if !is_on => {
            Err(Error::unsupported("caching/requireAuthorizationForCacheControl false"))
        }
        "caching/unauthorizedCacheControlHeaderStrategy" if value != CACHE_STRATEGY => {
            let is_known = CACHE_STRATEGIES.contains(&value);
            let what = "caching/unauthorizedCacheControlHeaderStrategy";
            Err(if is_known { Error::unsupported(format!("{what} {value}")) } else { bad(what, value) })
        }
        "caching/enabled"
        | "caching/dataEncrypted"
        | "caching/requireAuthorizationForCacheControl"
        | "caching/unauthorizedCacheControlHeaderStrategy" => Ok(()),
        _ => return None,
    };
    if done.is_ok() {
        settings.insert(key.to_owned(), entry);
    }
    Some(done)
}

/// A number that may only be one of a few.
fn only<N: std::str::FromStr + PartialEq + Copy>(
    value: &str,
    what: &'static str,
    allowed: &[N],
) -> Result<N, Error> {
    let number = value.trim().parse().map_err(|_| bad(what, value))?;
    if allowed.contains(&number) { Ok(number) } else { Err(Error::unsupported(format!("{what} {value}"))) }
}

fn bad(what: &'static str, value: &str) -> Error {
    Error::SettingValue { what, value: value.to_owned() }
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
    fn only_defaults_of_what_is_not_obeyed_are_taken() {
        for (name, value) in [
            ("throttling/burstLimit", "-1"),
            ("throttling/burstLimit", "5000"),
            ("throttling/rateLimit", "-1.000000"),
            ("throttling/rateLimit", "10000"),
            ("caching/enabled", "false"),
            ("caching/ttlInSeconds", "300"),
            ("caching/dataEncrypted", "false"),
            ("caching/requireAuthorizationForCacheControl", "true"),
            ("caching/unauthorizedCacheControlHeaderStrategy", "SUCCEED_WITH_RESPONSE_HEADER"),
        ] {
            assert!(matches!(set(&mut Settings::new(), "*/*", name, value), Some(Ok(()))), "{name} {value}");
        }
        for (name, value) in [
            ("throttling/burstLimit", "10"),
            ("throttling/rateLimit", "0.5"),
            ("caching/enabled", "true"),
            ("caching/ttlInSeconds", "60"),
            ("caching/dataEncrypted", "true"),
            ("caching/requireAuthorizationForCacheControl", "false"),
            ("caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403"),
        ] {
            let mut settings = Settings::new();
            let refused = set(&mut settings, "*/*", name, value);
            assert!(matches!(refused, Some(Err(Error::Unsupported(_)))), "{name} {value}");
            assert!(settings.is_empty());
        }
        for (name, value) in [
            ("logging/loglevel", "DEBUG"),
            ("throttling/burstLimit", "many"),
            ("caching/unauthorizedCacheControlHeaderStrategy", "SHRUG"),
        ] {
            let refused = set(&mut Settings::new(), "*/*", name, value);
            assert!(matches!(refused, Some(Err(Error::SettingValue { .. }))), "{name} {value}");
        }
        assert!(set(&mut Settings::new(), "*/*", "metrics/on", "true").is_none());
    }
}
