use std::collections::BTreeMap;

use super::*;

fn percent(value: f64) -> Percent {
    Percent::new(value).unwrap()
}

fn marker() -> Marker {
    let text = |text: &str| text.to_owned();
    Marker { name: text("r"), run: text("x"), base: text("1"), canary: text("2"), began_ms: 1 }
}

fn other() -> Marker {
    Marker { name: "other".to_owned(), ..marker() }
}

fn alias_seen(version: &str, share: Option<(&str, f64)>, description: &str) -> AliasSeen {
    AliasSeen {
        version: version.to_owned(),
        share: share.map(|(version, share)| (version.to_owned(), share)),
        description: description.to_owned(),
        revision: Some("r1".to_owned()),
    }
}

fn alias() -> AliasTarget {
    let text = |text: &str| text.to_owned();
    AliasTarget::find(
        text("arn:aws:lambda:eu-west-1:123456789012:function:f"),
        text("live"),
        text("2"),
        &alias_seen("1", None, "mine"),
    )
    .unwrap()
}

fn signed_text(marker: &Marker) -> String {
    marker.put("mine").unwrap()
}

#[test]
fn an_alias_is_shifted_promoted_and_taken_back_by_one_call_each_and_not_twice() {
    let target = alias();
    assert_eq!(target.function_name, "f");
    let own = signed_text(&marker());
    let at_ten = alias_seen("1", Some(("2", 0.1)), &own);
    for (seen, change, expected) in [
        (alias_seen("1", None, "mine"), Change::Claim, Some(("1", None, own.as_str()))),
        (alias_seen("1", None, &own), Change::Claim, None),
        (alias_seen("1", None, &own), Change::Shift(percent(10.0)), Some(("1", Some(0.1), own.as_str()))),
        (at_ten.clone(), Change::Shift(percent(10.0)), None),
        (at_ten.clone(), Change::Promote, Some(("2", None, "mine"))),
        (alias_seen("2", None, "mine"), Change::Promote, None),
        (at_ten, Change::RollBack, Some(("1", None, "mine"))),
        (alias_seen("2", None, "mine"), Change::RollBack, Some(("1", None, "mine"))),
        (alias_seen("1", None, "mine"), Change::RollBack, None),
    ] {
        let expected = expected.map(|(version, weight, description)| Call::UpdateAlias {
            function: target.function.clone(),
            alias: target.alias.clone(),
            version: version.to_owned(),
            share: weight.map(|weight| ("2".to_owned(), weight)),
            description: description.to_owned(),
            revision: Some("r1".to_owned()),
        });
        assert_eq!(
            target.calls(&seen, change, &marker(), false),
            Ok(Vec::from_iter(expected)),
            "{seen:?} {change:?}"
        );
    }
}

#[test]
fn a_change_by_somebody_else_is_noticed_on_an_alias() {
    let target = alias();
    let own = signed_text(&marker());
    let strayed = |seen: AliasSeen| target.strayed(&seen, &[percent(10.0), percent(50.0)], &marker(), false);
    assert_eq!(strayed(alias_seen("1", Some(("2", 0.1)), &own)), None);
    assert_eq!(strayed(alias_seen("1", Some(("2", 0.5)), &own)), None);
    for seen in [
        alias_seen("1", Some(("2", 0.2)), &own),
        alias_seen("1", None, &own),
        alias_seen("1", Some(("2", 0.1)), "mine"),
    ] {
        assert!(matches!(strayed(seen.clone()), Some(Strayed::Changed(_))), "{seen:?}");
    }
    for seen in [
        alias_seen("3", None, &own),
        alias_seen("2", None, "mine"),
        alias_seen("1", Some(("3", 0.1)), &own),
        alias_seen("1", Some(("2", 0.1)), &signed_text(&other())),
    ] {
        assert!(matches!(strayed(seen.clone()), Some(Strayed::Replaced(_))), "{seen:?}");
    }
    let promoted = alias_seen("2", None, "mine");
    assert_eq!(target.strayed(&promoted, &[percent(50.0)], &marker(), true), None);
}

#[test]
fn an_alias_that_leaves_no_room_for_the_sign_is_refused() {
    let target = AliasTarget { description: "x".repeat(240), ..alias() };
    let words = target
        .calls(&alias_seen("1", None, &target.description), Change::Claim, &marker(), false)
        .unwrap_err();
    assert!(words.contains("characters may be used"), "{words}");
}

fn canary(percent: f64, overrides: &[(&str, &str)]) -> stage::Canary {
    stage::Canary { deployment: "d2".to_owned(), percent, overrides: texts(overrides) }
}

fn texts(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
    texts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn stage_seen(deployment: &str, canary: Option<stage::Canary>, marker: Option<Marker>) -> StageSeen {
    let variables = texts(&[("color", "blue")]);
    StageSeen {
        deployment: deployment.to_owned(),
        canary,
        variables,
        marker: marker.map(|marker| marker.to_string()),
    }
}

fn stage() -> StageTarget {
    let text = |text: &str| text.to_owned();
    let overrides = texts(&[("color", "green"), ("fresh", "yes")]);
    let names = (text("a1"), text("shop"), text("prod"));
    StageTarget::find(names, Some(text("d2")), Some(overrides), &stage_seen("d1", None, None)).unwrap()
}

/// The operations of all calls in short.
fn short(calls: &[Call]) -> Vec<String> {
    let patch = |patch: &Patch| match patch {
        Patch::Replace { path, value } => format!("{path}={value}"),
        Patch::Remove { path } => format!("-{path}"),
        Patch::Copy { from, path } => format!("{from}>{path}"),
    };
    let call = |call: &Call| match call {
        Call::UpdateStage(patches) => patches.iter().map(patch).collect::<Vec<_>>().join(" "),
        Call::TagStage(_) => "tag".to_owned(),
        Call::UntagStage => "untag".to_owned(),
        Call::UpdateAlias { .. } => "alias".to_owned(),
    };
    calls.iter().map(call).collect()
}

#[test]
fn a_stage_goes_through_a_release_and_no_call_is_made_twice() {
    let (target, own) = (stage(), || Some(marker()));
    let overrides = [("color", "green"), ("fresh", "yes")];
    let made = "/canarySettings/deploymentId=d2 /canarySettings/percentTraffic=10 \
                /canarySettings/stageVariableOverrides/color=green /canarySettings/stageVariableOverrides/fresh=yes";
    let promotion = "/canarySettings/percentTraffic=0.0 /canarySettings/stageVariableOverrides>/variables \
                     /canarySettings/deploymentId>/deploymentId";
    let promoted = StageSeen { variables: texts(&overrides), ..stage_seen("d2", None, own()) };
    for (seen, change, expected) in [
        (stage_seen("d1", None, None), Change::Claim, vec!["tag"]),
        (stage_seen("d1", None, own()), Change::Claim, vec![]),
        (stage_seen("d1", None, own()), Change::Shift(percent(10.0)), vec![made]),
        (
            stage_seen("d1", Some(canary(10.0, &overrides)), own()),
            Change::Shift(percent(50.0)),
            vec!["/canarySettings/percentTraffic=50"],
        ),
        (stage_seen("d1", Some(canary(50.0, &overrides)), own()), Change::Shift(percent(50.0)), vec![]),
        (
            stage_seen("d1", Some(canary(50.0, &overrides)), own()),
            Change::Promote,
            vec![promotion, "-/canarySettings", "untag"],
        ),
        (
            stage_seen("d2", Some(canary(0.0, &overrides)), own()),
            Change::Promote,
            vec!["-/canarySettings", "untag"],
        ),
        (stage_seen("d2", None, None), Change::Promote, vec![]),
        (
            stage_seen("d1", Some(canary(50.0, &overrides)), own()),
            Change::RollBack,
            vec!["-/canarySettings", "untag"],
        ),
        (
            promoted,
            Change::RollBack,
            vec!["/variables/color=blue -/variables/fresh /deploymentId=d1", "untag"],
        ),
        (stage_seen("d1", None, None), Change::RollBack, vec![]),
    ] {
        assert_eq!(short(&target.calls(&seen, change, &marker())), expected, "{seen:?} {change:?}");
    }
}

#[test]
fn a_change_by_somebody_else_is_noticed_on_a_stage() {
    let target = stage();
    let overrides = [("color", "green"), ("fresh", "yes")];
    let strayed = |seen: &StageSeen| target.strayed(seen, &[percent(10.0)], &marker(), false);
    assert_eq!(strayed(&stage_seen("d1", Some(canary(10.0, &overrides)), Some(marker()))), None);
    for seen in [
        stage_seen("d1", None, Some(marker())),
        stage_seen("d1", Some(canary(20.0, &overrides)), Some(marker())),
        stage_seen("d1", Some(canary(10.0, &[])), Some(marker())),
        stage_seen("d1", Some(canary(10.0, &overrides)), None),
    ] {
        assert!(matches!(strayed(&seen), Some(Strayed::Changed(_))), "{seen:?}");
    }
    for seen in [
        stage_seen("d9", Some(canary(10.0, &overrides)), Some(marker())),
        stage_seen(
            "d1",
            Some(stage::Canary { deployment: "d9".to_owned(), ..canary(10.0, &overrides) }),
            Some(marker()),
        ),
        stage_seen("d1", Some(canary(10.0, &overrides)), Some(other())),
    ] {
        assert!(matches!(strayed(&seen), Some(Strayed::Replaced(_))), "{seen:?}");
    }
    let promoted = stage_seen("d2", Some(canary(0.0, &overrides)), Some(marker()));
    assert_eq!(target.strayed(&promoted, &[percent(10.0)], &marker(), true), None);
}

#[test]
fn nothing_begins_where_another_canary_is() {
    let text = |text: &str| text.to_owned();
    let names = || (text("a1"), text("shop"), text("prod"));
    let seen = stage_seen("d1", Some(canary(5.0, &[])), None);
    assert!(StageTarget::find(names(), Some(text("d3")), None, &seen).is_err());
    assert_eq!(StageTarget::find(names(), None, None, &seen).unwrap().canary, "d2");
    assert!(StageTarget::find(names(), None, None, &stage_seen("d1", None, None)).is_err());
    assert!(StageTarget::find(names(), Some(text("d1")), None, &stage_seen("d1", None, None)).is_err());
    let find =
        |canary: &str, seen: AliasSeen| AliasTarget::find(text("f"), text("live"), text(canary), &seen);
    assert!(find("1", alias_seen("1", None, "")).is_err());
    assert!(find("2", alias_seen("1", Some(("3", 0.1)), "")).is_err());
    assert!(find("2", alias_seen("$LATEST", None, "")).is_err());
}
