//! Several aliases that are moved together, as behind an HTTP API. AWS has no call that changes more than one, so they are changed one
//! after the other, in the order of their functions' names; minutes in which they aren't alike count for nothing. The sign stays on
//! all of them until the rollout has ended: whoever comes in between sees on each of them whose it is and what served before.

use pitbird_names::Percent;

use super::{AliasSeen, AliasTarget, Call, Change, Strayed};
use crate::marker::Marker;

/// One that isn't there any more is none.
pub type Each = [Option<AliasSeen>];

/// What each of them is signed with.
pub fn sign(target: &AliasTarget, marker: &Marker) -> Marker {
    Marker { base: target.base.clone(), canary: target.canary.clone(), ..marker.clone() }
}

/// How they are not as the rollout made them. What is still its own goes back, whatever has become of the others.
pub fn strayed(
    targets: &[AliasTarget],
    seen: &Each,
    weights: &[Percent],
    marker: &Marker,
    may_be_promoted: bool,
) -> Option<Strayed> {
    let one = |(target, seen)| Some((target, one(target, seen, weights, marker, may_be_promoted)?));
    let strayed: Vec<(&AliasTarget, Strayed)> = targets.iter().zip(seen).filter_map(one).collect();
    let (first, words) = strayed.first().map(|(target, strayed)| (target, strayed.words()))?;
    let words = named(first, words);
    let is_replaced = |(_, strayed): &(&AliasTarget, Strayed)| matches!(strayed, Strayed::Replaced(_));
    let is_lost = strayed.len() == targets.len() && strayed.iter().all(is_replaced);
    Some(if is_lost { Strayed::Replaced(words) } else { Strayed::Changed(words) })
}

fn one(
    target: &AliasTarget,
    seen: &Option<AliasSeen>,
    weights: &[Percent],
    marker: &Marker,
    may_be_promoted: bool,
) -> Option<Strayed> {
    match seen {
        Some(seen) => target.strayed(seen, weights, &sign(target, marker), may_be_promoted),
        None => Some(Strayed::Replaced(format!("alias {} was deleted", target.alias))),
    }
}

/// The calls that a change still needs, each of another alias. What somebody else put there is left as it is.
pub fn calls(
    targets: &[AliasTarget],
    seen: &Each,
    change: Change,
    marker: &Marker,
    may_be_promoted: bool,
) -> Result<Vec<Call>, String> {
    let mut calls = Vec::new();
    for (target, seen) in targets.iter().zip(seen) {
        let strayed = one(target, seen, &[], marker, may_be_promoted);
        let is_ours = !matches!(strayed, Some(Strayed::Replaced(_)));
        match (seen, change) {
            (Some(seen), Change::Claim | Change::Shift(_) | Change::Promote | Change::Release) => {
                let wanted = target.calls(seen, change, &sign(target, marker), true);
                calls.extend(wanted.map_err(|words| named(target, &words))?);
            }
            (Some(seen), Change::RollBack) if is_ours => {
                calls.extend(target.calls(seen, change, &sign(target, marker), true)?);
            }
            (_, Change::RollBack | Change::Release) => {}
            (None, _) => return Err(named(target, &format!("alias {} was deleted", target.alias))),
        }
    }
    Ok(calls)
}

/// Words about one of them.
pub fn named(target: &AliasTarget, words: &str) -> String {
    format!("{words} (function {})", target.function_name)
}

#[cfg(test)]
mod tests;
