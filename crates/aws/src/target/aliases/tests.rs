use super::*;

fn marker() -> Marker {
    let text = |text: &str| text.to_owned();
    Marker { name: text("r"), run: text("x"), base: text("-"), canary: text("-"), began_ms: 1 }
}

fn percent(value: f64) -> Percent {
    Percent::new(value).unwrap()
}

fn target(function: &str, base: &str, canary: &str) -> AliasTarget {
    let seen =
        AliasSeen { version: base.to_owned(), share: None, description: "mine".to_owned(), revision: None };
    AliasTarget::find(function.to_owned(), "live".to_owned(), canary.to_owned(), &seen).unwrap()
}

/// Version 2 over 1 of `pets`, and 7 over 6 of `toys`.
fn targets() -> Vec<AliasTarget> {
    vec![target("pets", "1", "2"), target("toys", "6", "7")]
}

/// An alias that names the version, gives the canary the share, and is signed.
fn at(target: &AliasTarget, version: &str, share: f64, is_signed: bool) -> Option<AliasSeen> {
    let own = sign(target, &marker());
    Some(AliasSeen {
        version: version.to_owned(),
        share: (share > 0.0).then(|| (target.canary.clone(), share)),
        description: if is_signed { own.put("mine").unwrap() } else { "mine".to_owned() },
        revision: None,
    })
}

/// The calls in short: function, version, share, and whether it is signed.
fn short(seen: &Each, change: Change, may_be_promoted: bool) -> Vec<(String, String, f64, bool)> {
    let calls = calls(&targets(), seen, change, &marker(), may_be_promoted).unwrap();
    let one = |call| match call {
        Call::UpdateAlias { function, version, share, description, .. } => {
            let is_signed = Marker::take(&description).0.is_some();
            (function, version, share.map_or(0.0, |(_, share)| share), is_signed)
        }
        other => panic!("{other:?}"),
    };
    calls.into_iter().map(one).collect()
}

fn call(function: &str, version: &str, share: f64, is_signed: bool) -> (String, String, f64, bool) {
    (function.to_owned(), version.to_owned(), share, is_signed)
}

#[test]
fn all_are_changed_and_after_a_crash_in_between_those_that_were_not() {
    let [pets, toys] = &targets()[..] else { panic!("two") };
    let ten = Change::Shift(percent(10.0));
    for (seen, change, may_be_promoted, expected) in [
        (
            [at(pets, "1", 0.0, false), at(toys, "6", 0.0, false)],
            Change::Claim,
            false,
            vec![call("pets", "1", 0.0, true), call("toys", "6", 0.0, true)],
        ),
        (
            [at(pets, "1", 0.0, true), at(toys, "6", 0.0, false)],
            Change::Claim,
            false,
            vec![call("toys", "6", 0.0, true)],
        ),
        (
            [at(pets, "1", 0.0, true), at(toys, "6", 0.0, true)],
            ten,
            false,
            vec![call("pets", "1", 0.1, true), call("toys", "6", 0.1, true)],
        ),
        (
            [at(pets, "1", 0.1, true), at(toys, "6", 0.0, true)],
            ten,
            false,
            vec![call("toys", "6", 0.1, true)],
        ),
        // Promoted and taken back with the sign on, which goes last.
        (
            [at(pets, "2", 0.0, true), at(toys, "6", 0.5, true)],
            Change::Promote,
            true,
            vec![call("toys", "7", 0.0, true)],
        ),
        (
            [at(pets, "2", 0.0, true), at(toys, "6", 0.5, true)],
            Change::RollBack,
            true,
            vec![call("pets", "1", 0.0, true), call("toys", "6", 0.0, true)],
        ),
        (
            [at(pets, "1", 0.0, true), at(toys, "6", 0.5, true)],
            Change::RollBack,
            false,
            vec![call("toys", "6", 0.0, true)],
        ),
        (
            [at(pets, "2", 0.0, true), at(toys, "7", 0.0, true)],
            Change::Release,
            false,
            vec![call("pets", "2", 0.0, false), call("toys", "7", 0.0, false)],
        ),
        (
            [at(pets, "2", 0.0, false), at(toys, "7", 0.0, true)],
            Change::Release,
            false,
            vec![call("toys", "7", 0.0, false)],
        ),
    ] {
        assert_eq!(short(&seen, change, may_be_promoted), expected, "{seen:?} {change:?}");
    }
}

#[test]
fn what_somebody_else_put_there_stays_and_the_others_go_back() {
    let [pets, toys] = &targets()[..] else { panic!("two") };
    let strayed = |seen: &Each| strayed(&targets(), seen, &[percent(50.0), percent(10.0)], &marker(), false);
    assert_eq!(
        strayed(&[at(pets, "1", 0.1, true), at(toys, "6", 0.5, true)]),
        None,
        "on its way from 10 to 50 %"
    );
    for (seen, words, back) in [
        (
            [at(pets, "1", 0.1, true), at(toys, "9", 0.0, true)],
            "names version 9 instead of 6 (function toys)",
            "pets",
        ),
        ([None, at(toys, "6", 0.5, true)], "alias live was deleted (function pets)", "toys"),
        // Before a promotion began nobody but a stranger puts the canary there.
        (
            [at(pets, "2", 0.0, true), at(toys, "6", 0.5, true)],
            "names version 2 instead of 1 (function pets)",
            "toys",
        ),
    ] {
        match strayed(&seen) {
            Some(Strayed::Changed(found)) => assert!(found.contains(words), "{found}"),
            other => panic!("{seen:?}: {other:?}"),
        }
        let back: Vec<_> = targets().into_iter().filter(|target| target.function == back).collect();
        assert_eq!(
            short(&seen, Change::RollBack, false),
            [call(&back[0].function, &back[0].base, 0.0, true)]
        );
    }
    let changed = strayed(&[at(pets, "1", 0.1, true), at(toys, "6", 0.3, true)]);
    assert!(
        matches!(&changed, Some(Strayed::Changed(words)) if words.ends_with("(function toys)")),
        "{changed:?}"
    );
    assert!(
        matches!(strayed(&[None, at(toys, "9", 0.0, true)]), Some(Strayed::Replaced(_))),
        "nothing is left of it"
    );
    let gone = calls(&targets(), &[None, at(toys, "6", 0.5, true)], Change::Promote, &marker(), true);
    assert_eq!(gone.unwrap_err(), "alias live was deleted (function pets)");
}

#[test]
fn one_that_was_promoted_alone_says_what_was_there_before() {
    let [pets, _] = &targets()[..] else { panic!("two") };
    let promoted = at(pets, "2", 0.0, true).unwrap();
    let found = AliasTarget::find("pets".to_owned(), "live".to_owned(), "2".to_owned(), &promoted).unwrap();
    assert_eq!((&*found.base, &*found.canary, &*found.description), ("1", "2", "mine"));
    let fresh = Marker { run: "y".to_owned(), ..marker() };
    let claimed = calls(&[found], &[Some(promoted)], Change::Claim, &fresh, false).unwrap();
    let [Call::UpdateAlias { version, share: None, .. }] = &claimed[..] else { panic!("{claimed:?}") };
    assert_eq!(version, "1", "evidence is gathered anew");
}
