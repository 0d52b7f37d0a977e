//! What a rollout would change, call by call.

use std::fmt::Write;

use pitbird_aws::begin::Found;
use pitbird_aws::marker::Marker;
use pitbird_aws::order::Order;
use pitbird_aws::target::{AliasSeen, AliasTarget, Call, Change, Patch, Seen, Target, aliases, stage};
use pitbird_rollout::Whom;

pub fn shown(name: &str, order: &Order, found: &Found) -> String {
    let Found { target, seen, history } = found;
    let (base, canary) = target.base_and_canary();
    let marker = Marker {
        name: name.to_owned(),
        run: "0000000000".to_owned(),
        base,
        canary,
        began_ms: pitbird_aws::drive::now_ms(),
    };
    let mut text = format!("{}\nnow: {}\n", target.shown(), seen.shown());
    let mut line = |words: String| {
        let _to_memory = writeln!(text, "{words}");
    };
    for by in seen.markers().into_iter().flatten() {
        line(format!(
            "taken by rollout {} (began {} epoch ms): a start would be refused",
            by.name, by.began_ms
        ));
    }
    line(format!("history: {} of {} requests of the base failed", history.events(), history.requests()));
    let mut now = seen.clone();
    let steps = order.plan.steps().iter();
    let shifts = steps.map(|step| {
        (format!("{} %, {} s at least", step.percent.get(), step.wait_ms / 1000), Change::Shift(step.percent))
    });
    let all = std::iter::once(("sign".to_owned(), Change::Claim)).chain(shifts);
    for (words, change) in all {
        line(format!("{words}:"));
        show(target, &now, change, &marker, &mut line);
        now = after(target, now, change, &marker);
    }
    for (words, change) in [("promote", Change::Promote), ("or roll back", Change::RollBack)] {
        line(format!("{words}:"));
        show(target, &now, change, &marker, &mut line);
    }
    if matches!(target, Target::Aliases(_)) {
        line("and at the end, take the sign away from each:".to_owned());
        show(target, &after(target, now, Change::Promote, &marker), Change::Release, &marker, &mut line);
    }
    for hook in order.plan.hooks() {
        let kind = match &hook.whom {
            Whom::Function(_) => "function ",
            Whom::Url(_) => "",
        };
        line(format!("asked {}: hook {}, {kind}{}", hook.point.as_str(), hook.name, hook.whom.as_str()));
    }
    for receiver in order.input["Notifications"].as_array().into_iter().flatten() {
        let signed = if receiver["Secret"].is_null() { "" } else { ", signed" };
        line(format!("told of changes: {}{signed}", receiver["Url"].as_str().unwrap_or_default()));
    }
    for deviation in order.plan.deviations() {
        line(format!("note: {deviation}"));
    }
    line("nothing was changed".to_owned());
    text
}

fn show(target: &Target, now: &Seen, change: Change, marker: &Marker, line: &mut impl FnMut(String)) {
    match target.calls(now, change, marker, change == Change::Release) {
        Ok(calls) => calls.iter().for_each(|call| line(format!("  {}", call_shown(call)))),
        Err(words) => line(format!("  would be refused: {words}")),
    }
}

/// The target after a shift, as far as later calls depend on it.
fn after(target: &Target, seen: Seen, change: Change, marker: &Marker) -> Seen {
    match (target, seen) {
        (Target::Stage(target), Seen::Stage(mut seen)) => {
            seen.marker = Some(marker.to_string());
            if let Change::Shift(percent) = change {
                let (deployment, overrides) = (target.canary.clone(), target.overrides.clone());
                seen.canary = Some(stage::Canary { deployment, percent: percent.get(), overrides });
            }
            Seen::Stage(seen)
        }
        (Target::Alias(target), Seen::Alias(seen)) => Seen::Alias(after_alias(target, seen, change, marker)),
        (Target::Aliases(targets), Seen::Aliases(seen)) => {
            let one = |(target, seen): (&AliasTarget, Option<AliasSeen>)| {
                Some(after_alias(target, seen?, change, &aliases::sign(target, marker)))
            };
            Seen::Aliases(targets.iter().zip(seen).map(one).collect())
        }
        (_, seen) => seen,
    }
}

fn after_alias(target: &AliasTarget, mut seen: AliasSeen, change: Change, marker: &Marker) -> AliasSeen {
    seen.description = marker.put(&target.description).unwrap_or_default();
    match change {
        Change::Shift(percent) => seen.share = Some((target.canary.clone(), percent.get() / 100.0)),
        Change::Promote => (seen.version, seen.share) = (target.canary.clone(), None),
        _ => {}
    }
    seen
}

fn call_shown(call: &Call) -> String {
    match call {
        Call::UpdateAlias { function, alias, version, share, description, .. } => {
            let share = match share {
                Some((version, weight)) => format!("{{\"{version}\": {weight}}}"),
                None => "{}".to_owned(),
            };
            format!(
                "lambda UpdateAlias: {function}:{alias}, FunctionVersion {version}, AdditionalVersionWeights {share}, Description {description:?}"
            )
        }
        Call::UpdateStage(patches) => {
            let patches: Vec<String> = patches.iter().map(patch_shown).collect();
            format!("apigateway UpdateStage: {}", patches.join(", "))
        }
        Call::TagStage(value) => format!("apigateway TagResource: {}={value}", pitbird_aws::marker::TAG),
        Call::UntagStage => format!("apigateway UntagResource: {}", pitbird_aws::marker::TAG),
    }
}

fn patch_shown(patch: &Patch) -> String {
    match patch {
        Patch::Replace { path, value } => format!("replace {path} {value:?}"),
        Patch::Remove { path } => format!("remove {path}"),
        Patch::Copy { from, path } => format!("copy {from} to {path}"),
    }
}
