//! An alias and the share that it gives another version. One call sets all of it and is refused where somebody was faster.
//!
//! Source: Lambda's UpdateAlias; developer guide, "Implement Lambda canary deployments using a weighted alias".

use pitbird_names::Percent;
use serde::{Deserialize, Serialize};

use super::{Call, Change, Strayed, is_same, round, signed};
use crate::marker::{DESCRIPTION_CHARS_MAX, Marker};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AliasTarget {
    /// As calls name it.
    pub function: String,
    /// As metrics do.
    pub function_name: String,
    pub alias: String,
    pub base: String,
    pub canary: String,
    /// What the alias is to say of itself when the rollout has ended.
    pub description: String,
    /// The share that the canary had before.
    pub found: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct AliasSeen {
    pub version: String,
    /// Another version and its share, 0 to 1.
    pub share: Option<(String, f64)>,
    pub description: String,
    pub revision: Option<String>,
}

impl AliasTarget {
    /// The target that a rollout may begin on, or why it may not.
    pub fn find(
        function: String,
        alias: String,
        canary: String,
        seen: &AliasSeen,
    ) -> Result<AliasTarget, String> {
        let (sign, description) = Marker::take(&seen.description);
        // Promoted by a rollout of several that was cut short: its sign knows what was there before.
        let base = sign.filter(|sign| seen.version == canary && sign.canary == canary).map(|sign| sign.base);
        let base = base.unwrap_or_else(|| seen.version.clone());
        if base == canary {
            return Err(format!(
                "alias {alias} names version {canary} already; there is nothing to roll out"
            ));
        }
        if base == "$LATEST" {
            return Err(format!("alias {alias} names $LATEST, which can't share with another version"));
        }
        if let Some((found, _)) = seen.share.as_ref().filter(|(found, _)| *found != canary) {
            return Err(format!(
                "alias {alias} gives a share to version {found} already; take it back first"
            ));
        }
        let function_name = plain(&function).to_owned();
        let description = description.to_owned();
        let found = seen.share.as_ref().map(|(_, weight)| *weight);
        Ok(AliasTarget { function, function_name, alias, base, canary, description, found })
    }

    pub fn strayed(
        &self,
        seen: &AliasSeen,
        weights: &[Percent],
        marker: &Marker,
        may_be_promoted: bool,
    ) -> Option<Strayed> {
        let alias = &self.alias;
        let (found, description) = Marker::take(&seen.description);
        let is_ours = found.as_ref().is_none_or(|found| found == marker);
        let is_alone = seen.share.is_none() && description == self.description;
        if may_be_promoted && seen.version == self.canary && is_alone && is_ours {
            return None;
        }
        if seen.version != self.base {
            let words = format!("alias {alias} names version {} instead of {}", seen.version, self.base);
            return Some(Strayed::Replaced(words));
        }
        if let Some((other, _)) = seen.share.as_ref().filter(|(version, _)| *version != self.canary) {
            return Some(Strayed::Replaced(format!(
                "alias {alias} sends a share to version {other} instead of {}",
                self.canary
            )));
        }
        if let Some(strayed) = signed(found.as_ref(), marker) {
            return Some(strayed);
        }
        let share = seen.share.as_ref().map_or(0.0, |(_, weight)| weight * 100.0);
        let may_be = |percent: &Percent| match percent.get() {
            0.0 => is_same(share, self.found.unwrap_or_default() * 100.0),
            percent => is_same(share, percent),
        };
        if weights.iter().any(may_be) {
            return None;
        }
        let expected = weights.last().map_or(0.0, |percent| percent.get());
        let words = format!(
            "alias {alias} sends {} % instead of {expected} % to version {}",
            round(share),
            self.canary
        );
        Some(Strayed::Changed(words))
    }

    /// `is_signed_on`: the sign stays after the last change, until it is released.
    pub fn calls(
        &self,
        seen: &AliasSeen,
        change: Change,
        marker: &Marker,
        is_signed_on: bool,
    ) -> Result<Vec<Call>, String> {
        let is_own = Marker::take(&seen.description).0.as_ref() == Some(marker);
        if (change == Change::Claim && is_own) || (change == Change::Release && !is_own) {
            return Ok(Vec::new());
        }
        let no_room = || {
            let left = DESCRIPTION_CHARS_MAX.saturating_sub(marker.to_string().len() + 2);
            format!(
                "the description of alias {} leaves no room for the sign of the rollout; {left} characters may be used",
                self.alias
            )
        };
        let description = match change {
            Change::Promote | Change::RollBack if !is_signed_on => self.description.clone(),
            Change::Release => self.description.clone(),
            _ => marker.put(&self.description).ok_or_else(no_room)?,
        };
        let share = match change {
            Change::Claim | Change::Release => seen.share.clone(),
            Change::Shift(percent) => Some((self.canary.clone(), round(percent.get() / 100.0))),
            Change::Promote | Change::RollBack => None,
        };
        let version = match change {
            Change::Promote => &self.canary,
            Change::Release => &seen.version,
            Change::Claim | Change::Shift(_) | Change::RollBack => &self.base,
        };
        let is_done =
            seen.version == *version && seen.description == description && is_same_share(&seen.share, &share);
        let call = Call::UpdateAlias {
            function: self.function.clone(),
            alias: self.alias.clone(),
            version: version.clone(),
            share,
            description,
            revision: seen.revision.clone(),
        };
        Ok(if is_done { Vec::new() } else { vec![call] })
    }
}

fn is_same_share(a: &Option<(String, f64)>, b: &Option<(String, f64)>) -> bool {
    match (a, b) {
        (Some((version, a)), Some((other, b))) => version == other && is_same(*a * 100.0, *b * 100.0),
        (None, None) => true,
        _ => false,
    }
}

/// The name of a function that may be given as an ARN.
fn plain(function: &str) -> &str {
    function.split_once("function:").map_or(function, |(_, name)| name)
}
