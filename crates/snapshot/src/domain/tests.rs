use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

fn record(name: &str, mode: &str) -> records::DomainName {
    records::DomainName {
        scope: Scope::default(),
        name: name.to_owned(),
        created_ms: 0,
        endpoint_type: "REGIONAL".to_owned(),
        ip_address_type: "ipv4".to_owned(),
        certificate_arn: None,
        certificate_name: None,
        certificate_uploaded_ms: None,
        security_policy: "TLS_1_2".to_owned(),
        routing_mode: mode.to_owned(),
        tags: records::Texts::new(),
    }
}

fn mapping(base_path: &str, api: &str) -> records::DomainMapping {
    records::DomainMapping {
        scope: Scope::default(),
        domain_name: "api.example.com".to_owned(),
        id: base_path.to_owned(),
        base_path: base_path.to_owned(),
        api_id: api.to_owned(),
        stage: None,
    }
}

/// Conditions are headers with their globs, then base paths, each a condition of its own.
fn rule(priority: i64, headers: &[(&str, &str)], base_paths: &[&str], strips: bool) -> records::RoutingRule {
    let header = |(name, glob): &(&str, &str)| records::RoutingCondition {
        headers: vec![((*name).to_owned(), (*glob).to_owned())],
        base_paths: Vec::new(),
    };
    let path =
        |path: &&str| records::RoutingCondition { headers: Vec::new(), base_paths: vec![(*path).to_owned()] };
    records::RoutingRule {
        scope: Scope::default(),
        domain_name: "api.example.com".to_owned(),
        id: priority.to_string(),
        priority,
        conditions: headers.iter().map(header).chain(base_paths.iter().map(path)).collect(),
        api_id: format!("rule {priority}"),
        stage: "prod".to_owned(),
        strip_base_path: strips,
    }
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&str, &str)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        (name, HeaderValue::from_str(value).expect("a value"))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().map(line) {
        headers.append(name, value);
    }
    headers
}

#[test]
fn the_longest_base_path_is_meant() {
    let domain = |mappings: &[(&str, &str)]| {
        let mappings = mappings.iter().map(|(path, api)| mapping(path, api));
        Domain::compile(record("api.example.com", "BASE_PATH_MAPPING_ONLY"), [], mappings)
    };
    let whole = domain(&[("", "root"), ("pets", "pets"), ("pets/v2", "two")]);
    for (path, api, rest) in [
        ("/", "root", "/"),
        ("", "root", ""),
        ("//pets", "root", "//pets"),
        ("/petshop", "root", "/petshop"),
        ("/pets", "pets", ""),
        ("/pets/", "pets", "/"),
        ("/pets/7", "pets", "/7"),
        ("/pets/v2", "two", ""),
        ("/pets/v2/7", "two", "/7"),
        ("/pets/v21", "pets", "/v21"),
        ("/\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}", "root", "/\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"),
    ] {
        let found = whole.locate(path, &HeaderMap::new()).expect(path);
        assert_eq!((found.api_id, found.rest), (api, rest), "{path}");
    }
    assert_eq!(domain(&[("a", "a")]).locate("/b", &HeaderMap::new()), None);
}

#[test]
fn a_mode_says_who_is_asked() {
    for (mode, path, found) in [
        ("BASE_PATH_MAPPING_ONLY", "/pets/7", Some("mapping")),
        ("ROUTING_RULE_ONLY", "/pets/7", Some("rule 1")),
        ("ROUTING_RULE_ONLY", "/shops", None),
        ("ROUTING_RULE_THEN_BASE_PATH_MAPPING", "/pets/7", Some("rule 1")),
        ("ROUTING_RULE_THEN_BASE_PATH_MAPPING", "/shops", Some("mapping")),
    ] {
        let rules = [rule(1, &[], &["pets"], false)];
        let domain = Domain::compile(record("api.example.com", mode), rules, [mapping("", "mapping")]);
        let located = domain.locate(path, &HeaderMap::new());
        assert_eq!(located.map(|located| located.api_id), found, "{mode} {path}");
    }
}

#[test]
fn the_guides_examples_go_where_it_says() {
    let rules = [
        rule(100, &[], &[], false),
        rule(50, &[("Accept", "image?webp"), ("Pet", "Dog-*")], &["PetStoreShopper"], true),
        rule(10, &[("hello", "World")], &[], false),
    ];
    let domain = Domain::compile(record("petstore.example.com", "ROUTING_RULE_ONLY"), rules, []);
    let accept = ("accept", "image?webp");
    for (path, lines, api, base_path, rest) in [
        ("/", &[("Hello", "World")][..], "rule 10", "", "/"),
        ("/", &[("Hello", "world")], "rule 100", "", "/"),
        ("/PetStoreShopper", &[("Hello", "World"), accept], "rule 10", "", "/PetStoreShopper"),
        ("/PetStoreShopper", &[("Pet", "Dog-Bella"), accept], "rule 50", "PetStoreShopper", ""),
        ("/PetStoreShopper/dogs", &[("Pet", "Dog-Bella"), accept], "rule 50", "PetStoreShopper", "/dogs"),
        ("/petStoreShopper", &[("Pet", "Dog-Bella"), accept], "rule 100", "", "/petStoreShopper"),
        ("/PetStoreShopper", &[("Pet", "Dog-Bella")], "rule 100", "", "/PetStoreShopper"),
    ] {
        let found = domain.locate(path, &headers(lines)).expect(path);
        assert_eq!((found.api_id, found.base_path, found.rest), (api, base_path, rest), "{path} {lines:?}");
        assert_eq!(found.stage, Some("prod"));
    }
}

#[test]
fn globs_take_whole_lines_as_they_came() {
    for (glob, lines, matches) in [
        ("a*", &["account", "x"][..], true),
        ("a*", &["beta"], false),
        ("*a", &["alpha"], true),
        ("*a", &["backup"], false),
        ("*a*", &["backup"], true),
        ("*a*", &["users"], false),
        ("*", &["", "users"], true),
        ("**", &["users"], true),
        ("a?", &["ab"], false),
        ("*json", &["application/json", "text/xml"], true),
        ("*json", &["application/json,text/xml"], false),
        ("*json*", &["application/json,text/xml"], true),
        ("*", &[], false),
    ] {
        let rules = [rule(1, &[("x-version", glob)], &[], false)];
        let domain = Domain::compile(record("api.example.com", "ROUTING_RULE_ONLY"), rules, []);
        let lines: Vec<_> = lines.iter().map(|line| ("X-Version", *line)).collect();
        assert_eq!(domain.locate("/", &headers(&lines)).is_some(), matches, "{glob} {lines:?}");
    }
    let rules = [rule(1, &[("Host", "a.example.com")], &[], false)];
    let domain = Domain::compile(record("*.example.com", "ROUTING_RULE_ONLY"), rules, []);
    assert!(domain.locate("/", &headers(&[("host", "a.example.com:4566")])).is_some());
    assert!(domain.locate("/", &headers(&[("host", "b.example.com:4566")])).is_none());
}

#[test]
fn a_wildcard_stands_for_one_label() {
    let domains: Domains = ["api.example.com", "*.example.com", "*.api.example.com"]
        .map(|name| {
            let domain = Domain::compile(record(name, "BASE_PATH_MAPPING_ONLY"), [], []);
            (Domain::key(name).to_owned(), Arc::new(domain))
        })
        .into();
    for (host, name) in [
        ("api.example.com", Some("api.example.com")),
        ("API.Example.com", Some("api.example.com")),
        ("www.example.com", Some("*.example.com")),
        ("a.api.example.com", Some("*.api.example.com")),
        ("a.b.example.com", None),
        ("example.com", None),
        ("localhost", None),
    ] {
        assert_eq!(find(&domains, host).map(|domain| domain.name.as_str()), name, "{host}");
    }
}

/// Does a value fit a glob? Star by star, without looking ahead.
fn fits(glob: &str, value: &str) -> bool {
    match glob.split_at_checked(1) {
        None => value.is_empty(),
        Some(("*", rest)) => (0..=value.len()).any(|end| fits(rest, &value[end..])),
        Some((letter, rest)) => value.strip_prefix(letter).is_some_and(|value| fits(rest, value)),
    }
}

/// What is left below a base path, said in whole segments.
fn below(base_path: &str, path: &str) -> Option<String> {
    let (base, path): (Vec<&str>, Vec<&str>) =
        (base_path.split('/').collect(), path[1..].split('/').collect());
    let rest = path.strip_prefix(base.as_slice())?;
    Some(rest.iter().map(|segment| format!("/{segment}")).collect())
}

/// What the guide says, word by word: all rules by priority, all conditions of each, then all mappings.
fn naive(
    rules: &[records::RoutingRule],
    mappings: &[records::DomainMapping],
    path: &str,
    lines: &[(String, String)],
) -> Option<(String, String)> {
    let holds = |condition: &records::RoutingCondition| {
        let brings = |(name, glob): &(String, String)| {
            lines.iter().any(|(line, value)| line.eq_ignore_ascii_case(name) && fits(glob, value))
        };
        (condition.headers.is_empty() || condition.headers.iter().any(brings))
            && (condition.base_paths.is_empty()
                || condition.base_paths.iter().any(|base| below(base, path).is_some()))
    };
    let matching = rules.iter().filter(|rule| rule.conditions.iter().all(holds));
    if let Some(rule) = matching.min_by_key(|rule| rule.priority) {
        let bases = rule.conditions.iter().flat_map(|condition| &condition.base_paths);
        let stripped =
            bases.filter_map(|base| below(base, path)).next_back().filter(|_| rule.strip_base_path);
        return Some((rule.api_id.clone(), stripped.unwrap_or_else(|| path.to_owned())));
    }
    let fitting = mappings.iter().filter_map(|mapping| {
        let rest = match mapping.base_path.as_str() {
            "" => path.to_owned(),
            base => below(base, path)?,
        };
        Some((mapping, rest))
    });
    let longest = fitting.max_by_key(|(mapping, _)| mapping.base_path.len())?;
    Some((longest.0.api_id.clone(), longest.1))
}

prop_compose! {
    fn rules()(parts in prop::collection::vec((
        prop::collection::vec(("[xy]", "(\\*)?[ab]{0,2}(\\*)?"), 0..3),
        prop::collection::vec("[ab]{1,2}(/[ab]{1,2}){0,2}", 0..2),
        any::<bool>(),
        1..1000i64,
    ), 0..6)) -> Vec<records::RoutingRule> {
        let mut rules: Vec<_> = parts
            .iter()
            .map(|(headers, paths, strips, priority)| {
                let headers: Vec<_> = headers.iter().map(|(name, glob)| (name.as_str(), glob.as_str())).collect();
                let paths: Vec<_> = paths.iter().map(String::as_str).collect();
                rule(*priority, &headers, &paths, *strips && !paths.is_empty())
            })
            .collect();
        rules.sort_by_key(|rule| rule.priority);
        rules.dedup_by_key(|rule| rule.priority);
        rules
    }
}

proptest! {
    #[test]
    fn what_is_compiled_finds_what_the_guide_says(
        rules in rules().prop_shuffle(),
        paths in prop::collection::btree_set("([ab]{1,2}(/[ab]{1,2}){0,2})?", 0..6),
        path in "(/[ab]{0,2}){1,4}",
        lines in prop::collection::vec(("[xyXY]", "[ab]{0,3}"), 0..4),
    ) {
        let mappings: Vec<_> = paths.iter().map(|path| mapping(path, path)).collect();
        let mode = "ROUTING_RULE_THEN_BASE_PATH_MAPPING";
        let domain = Domain::compile(record("api.example.com", mode), rules.clone(), mappings.clone());
        let pairs: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let brought = headers(&pairs);
        let found = domain.locate(&path, &brought);
        let found = found.map(|found| (found.api_id.to_owned(), found.rest.to_owned()));
        prop_assert_eq!(found, naive(&rules, &mappings, &path, &lines));
    }
}
