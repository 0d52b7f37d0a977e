use super::*;
use proptest::prelude::*;

fn router(templates: &[&str]) -> Router<String> {
    let mut router = Router::new();
    for text in templates {
        router.insert(&Template::parse(text).unwrap(), (*text).to_owned()).unwrap();
    }
    router
}

/// What a search gives, in one line: the template and its captures.
fn found(router: &Router<String>, path: &str) -> String {
    let Some(found) = router.find(path) else { return "none".into() };
    let captures: Vec<_> = found.captures().map(|(name, raw)| format!("{name}={raw}")).collect();
    format!("{} {}", found.value, captures.join(" ")).trim_end().to_owned()
}

#[test]
fn aws_operations_and_user_routes_are_found() {
    let router = router(&[
        "/2015-03-31/functions",
        "/2015-03-31/functions/{FunctionName}",
        "/2015-03-31/functions/{FunctionName}/aliases/{Name}",
        "/tags/{resource_arn+}",
        "/pets/{petId}",
        "/pets/new",
        "/",
        "/{proxy+}",
    ]);
    for (path, want) in [
        ("/2015-03-31/functions/", "/2015-03-31/functions"),
        ("/2015-03-31/functions/f%3Alive", "/2015-03-31/functions/{FunctionName} FunctionName=f%3Alive"),
        (
            "/2015-03-31/functions/f/aliases/live",
            "/2015-03-31/functions/{FunctionName}/aliases/{Name} FunctionName=f Name=live",
        ),
        ("/tags/arn%3Aaws%2Fx", "/tags/{resource_arn+} resource_arn=arn%3Aaws%2Fx"),
        ("/tags/arn:aws:a::/restapis/x", "/tags/{resource_arn+} resource_arn=arn:aws:a::/restapis/x"),
        ("/pets/new", "/pets/new"),
        ("/pets/%6eew", "/pets/new"),
        ("/pets/7/", "/pets/{petId} petId=7"),
        ("/pets/7/toys", "/{proxy+} proxy=pets/7/toys"),
        ("/", "/"),
        ("//", "/"),
        ("//pets/new", "/pets/new"),
        ("/a//b", "/{proxy+} proxy=a//b"),
        ("/a//", "/{proxy+} proxy=a/"),
        ("/pets//", "/{proxy+} proxy=pets/"),
        ("/2015-03-31/functions/f/aliases/x/y", "/{proxy+} proxy=2015-03-31/functions/f/aliases/x/y"),
    ] {
        assert_eq!(found(&router, path), want, "{path}");
    }
}

#[test]
fn a_dead_end_is_left_again() {
    let router = router(&["/a/b/c", "/a/{x}/d", "/{y}/b/{z+}", "/a/{q+}"]);
    for (path, want) in [
        ("/a/b/c", "/a/b/c"),
        ("/a/b/d", "/a/{x}/d x=b"),
        ("/a/b/e", "/a/{q+} q=b/e"),
        ("/n/b/e/f", "/{y}/b/{z+} y=n z=e/f"),
        ("/n/c", "none"),
    ] {
        assert_eq!(found(&router, path), want, "{path}");
    }
}

#[test]
fn nothing_is_not_captured() {
    let router = router(&["/a/{b}", "/c/{d+}", "/a/{b}/e"]);
    for path in ["/a", "/a/", "/c", "/c/", "/c//", "/a//e", "", "a/b", "*"] {
        assert_eq!(found(&router, path), "none", "{path}");
    }
}

#[test]
fn a_route_that_is_not_accepted_is_passed_over() {
    let router = router(&["/a", "/{b}", "/{c+}"]);
    let best = |refused: &'static str| {
        router.find_where("/a", |value| value != refused).map(|found| found.value.clone())
    };
    assert_eq!(best("").as_deref(), Some("/a"));
    assert_eq!(best("/a").as_deref(), Some("/{b}"));
    let last = router.find_where("/a", |value| value == "/{c+}").unwrap();
    assert_eq!(last.captures().collect::<Vec<_>>(), [("c", "a")]);
}

#[test]
fn the_same_paths_twice_are_a_conflict() {
    let mut router = router(&["/a/{b}", "/a/{c+}"]);
    for (new, old) in [("/a/{x}", "/a/{b}"), ("/a/{y+}", "/a/{c+}")] {
        let conflict = router.insert(&Template::parse(new).unwrap(), String::new()).unwrap_err();
        assert_eq!(conflict, Conflict { old: old.into(), new: new.into() });
    }
    router.get_or_insert_with(&Template::parse("/a/{x}").unwrap(), String::new).push_str(" more");
    assert_eq!(found(&router, "/a/1"), "/a/{b} more b=1");
    assert_eq!(router.len(), 2);
}

#[test]
fn a_parameter_is_got_by_name() {
    let router = router(&["/{a}/{b}/{a}"]);
    let found = router.find("/1/2/3").unwrap();
    assert_eq!((found.get("a"), found.get("b"), found.get("c")), (Some("3"), Some("2"), None));
}

#[test]
fn a_thousand_routes_are_searched_without_a_scan() {
    let mut router = Router::new();
    for n in 0..1000 {
        router.insert(&Template::parse(&format!("/things/thing-{n}/{{id}}")).unwrap(), n).unwrap();
    }
    for n in 0..1000 {
        let path = format!("/things/thing-{n}/x");
        assert_eq!(router.find(&path).map(|found| *found.value), Some(n));
    }
    assert!(router.find("/things/thing-1000/x").is_none());
}

#[test]
fn a_hostile_path_costs_no_more_than_the_tree() {
    let mut router = Router::new();
    for n in 0..(1 << 9) {
        let segments: Vec<_> = (0..9).map(|bit| if n >> bit & 1 == 0 { "a" } else { "{x}" }).collect();
        router.insert(&Template::parse(&format!("/{}/end", segments.join("/"))).unwrap(), n).unwrap();
    }
    assert!(router.find(&format!("{}/no", "/a".repeat(9))).is_none());
    assert!(router.find(&"/a".repeat(100_000)).is_none());
}

/// All templates that match, each segment by segment, without a tree; the best by rank of its segments in order.
fn naive<'t>(templates: &'t [Template], path: &str) -> Option<&'t Template> {
    let rest = path.trim_start_matches('/');
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let segments: Vec<&str> = if rest.is_empty() { vec![] } else { rest.split('/').collect() };
    let fits = |template: &&Template| {
        let wanted = template.segments();
        let tail = matches!(wanted.last(), Some(Segment::Greedy(_)));
        let length = if tail { segments.len() >= wanted.len() } else { segments.len() == wanted.len() };
        length
            && wanted.iter().enumerate().all(|(at, segment)| match segment {
                Segment::Static(text) => **text == *decode(segments[at]),
                Segment::Param(_) => !segments[at].is_empty(),
                Segment::Greedy(_) => !segments[at..].join("/").is_empty(),
            })
    };
    templates.iter().filter(fits).min_by_key(|template| {
        let rank = |segment: &Segment| match segment {
            Segment::Static(_) => 0,
            Segment::Param(_) => 1,
            Segment::Greedy(_) => 2,
        };
        template.segments().iter().map(rank).collect::<Vec<_>>()
    })
}

fn a_template() -> impl Strategy<Value = String> {
    let segment = prop_oneof![Just("a"), Just("b"), Just("{x}"), Just("{y}")];
    (prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(mut segments, greedy)| {
        if greedy {
            segments.push("{rest+}");
        }
        format!("/{}", segments.join("/"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_tree_agrees_with_a_plain_search(
        texts in prop::collection::vec(a_template(), 0..20),
        path in "(/(a|b|c|%61)?){0,6}",
    ) {
        let mut router = Router::new();
        let mut templates = Vec::new();
        for text in texts {
            let template = Template::parse(&text).unwrap();
            if router.insert(&template, text).is_ok() {
                templates.push(template);
            }
        }
        let found = router.find(&path);
        let want = naive(&templates, &path).filter(|_| path.starts_with('/'));
        prop_assert_eq!(found.as_ref().map(|found| found.template), want);
        if let Some(found) = found {
            let words: Vec<_> = found.captures().collect();
            prop_assert_eq!(words.len(), found.template.names().count());
            for (_, raw) in words {
                prop_assert!(!raw.is_empty() && path.contains(raw));
            }
        }
    }

    #[test]
    fn no_text_makes_a_search_or_a_parse_panic(template in ".{0,40}", path in ".{0,40}") {
        let mut router = Router::new();
        if let Ok(template) = Template::parse(&format!("/{template}")) {
            router.insert(&template, ()).unwrap();
        }
        let _ = router.find(&path);
        let _ = router.find(&format!("/{path}"));
    }
}

#[test]
fn a_route_can_be_forced_whatever_its_path() {
    let mut router = Router::new();
    for path in ["/a/{b}", "/a/{c+}"] {
        router.insert(&Template::parse(path).unwrap(), path).unwrap();
    }
    let forced = |path: &'static str, wanted: &str| {
        let found = router.force_where(path, |value| *value == wanted)?;
        Some((*found.value, found.captures().collect::<Vec<_>>()))
    };
    assert_eq!(forced("/a/1", "/a/{c+}"), Some(("/a/{c+}", vec![("c", "1")])));
    assert_eq!(forced("/x", "/a/{b}"), Some(("/a/{b}", vec![])));
    assert_eq!(forced("/a/1", "/none"), None);
}
