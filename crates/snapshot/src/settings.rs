use std::collections::{BTreeMap, HashMap};

use pitbird_records::stage::MethodSetting;

/// A stage's method settings, found without a search.
#[derive(Debug, Default)]
pub struct Settings {
    /// Those for all methods: `*/*`.
    all: Option<MethodSetting>,
    /// By verb, then by the resource's path without the slash that it begins with.
    own: HashMap<String, HashMap<String, MethodSetting>>,
}

/// A method's settings, and whether they are its own or those for all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting<'s> {
    pub values: &'s MethodSetting,
    pub is_own: bool,
}

impl Settings {
    /// Keys are as their author wrote them (`pets/GET`, `~1pets/GET`, `a~1b/GET`), all meaning a resource's path and a method.
    pub(crate) fn compile(records: &BTreeMap<String, MethodSetting>) -> Settings {
        let mut settings = Settings::default();
        for (key, setting) in records {
            if key == "*/*" {
                settings.all = Some(setting.clone());
            } else if let Some((path, verb)) = key.rsplit_once('/') {
                let path = path.replace("~1", "/").trim_start_matches('/').to_owned();
                settings.own.entry(verb.to_owned()).or_default().insert(path, setting.clone());
            }
        }
        settings
    }

    /// The settings of a resource's method, by the resource's path and the request's verb: its own, else those for all.
    pub fn of(&self, path: &str, verb: &str) -> Option<Setting<'_>> {
        let own = || self.own.get(verb)?.get(path.trim_start_matches('/'));
        match own() {
            Some(values) => Some(Setting { values, is_own: true }),
            None => self.all.as_ref().map(|values| Setting { values, is_own: false }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(ttl: i64) -> MethodSetting {
        MethodSetting {
            metrics_enabled: false,
            logging_level: None,
            data_trace_enabled: false,
            throttling_burst_limit: 1,
            throttling_rate_limit: 1.0,
            caching_enabled: true,
            cache_ttl_s: ttl,
            cache_data_encrypted: false,
            require_authorization_for_cache_control: false,
            unauthorized_cache_control_header_strategy: String::new(),
        }
    }

    #[test]
    fn a_methods_own_settings_come_before_those_for_all() {
        let records = [("*/*", 1), ("pets/GET", 2), ("~1a~1b/GET", 3), ("~1/POST", 4)];
        let records = records.map(|(key, ttl)| (key.to_owned(), setting(ttl))).into();
        let settings = Settings::compile(&records);
        let of = |path, verb| settings.of(path, verb).map(|found| (found.values.cache_ttl_s, found.is_own));
        assert_eq!(of("/pets", "GET"), Some((2, true)));
        assert_eq!(of("/pets", "POST"), Some((1, false)));
        assert_eq!(of("/a/b", "GET"), Some((3, true)));
        assert_eq!(of("/", "POST"), Some((4, true)));
        assert_eq!(Settings::default().of("/", "GET"), None);
    }
}
