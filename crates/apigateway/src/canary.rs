//! A stage's canary, from its start to its promotion or removal. Pure: a stage in, the same stage changed.
//!
//! Source: API Gateway developer guide, "Set up an API Gateway canary release deployment", and recorded answers of the
//! service.

use pitbird_names::Percent;
use pitbird_records::{Canary, Stage, Texts};

use crate::Error;

/// Gives the stage a canary, in place of any that it had: percent and overrides of the old one are gone.
pub fn start(stage: &mut Stage, canary: Canary) {
    stage.canary = Some(canary);
}

/// Sets the canary's share. A stage without a canary gets one that serves the stage's own deployment.
pub fn set_percent(stage: &mut Stage, percent: Percent) {
    canary_or_new(stage).percent_traffic = percent;
}

/// Sets the canary's deployment. A stage without a canary gets one that no request is sent to yet.
pub fn set_deployment(stage: &mut Stage, deployment_id: &str) {
    deployment_id.clone_into(&mut canary_or_new(stage).deployment_id);
}

pub fn set_use_stage_cache(stage: &mut Stage, use_stage_cache: bool) {
    canary_or_new(stage).use_stage_cache = use_stage_cache;
}

/// Sets one override; variables that the stage doesn't have may be overridden, too.
pub fn set_override(stage: &mut Stage, name: &str, value: &str) {
    let overrides = canary_or_new(stage).stage_variable_overrides.get_or_insert_default();
    overrides.insert(name.to_owned(), value.to_owned());
}

/// Sets all overrides at once; none leaves the canary with the stage's variables.
pub fn set_overrides(stage: &mut Stage, overrides: Texts) {
    canary_or_new(stage).stage_variable_overrides = Some(overrides).filter(|overrides| !overrides.is_empty());
}

/// Removes one override and says whether there was one.
pub fn remove_override(stage: &mut Stage, name: &str) -> bool {
    let Some(canary) = &mut stage.canary else { return false };
    let removed = canary.stage_variable_overrides.as_mut().and_then(|overrides| overrides.remove(name));
    canary.stage_variable_overrides.take_if(|overrides| overrides.is_empty());
    removed.is_some()
}

/// Lets the whole stage serve the canary's deployment. The canary stays as it is.
pub fn copy_deployment(stage: &mut Stage) -> Result<(), Error> {
    let canary = stage.canary.as_ref().ok_or(Error::NoCanary)?;
    stage.deployment_id.clone_from(&canary.deployment_id);
    Ok(())
}

/// Merges the overrides into the stage's variables; an override wins, other variables stay. The canary stays as it is.
pub fn copy_variables(stage: &mut Stage) -> Result<(), Error> {
    let canary = stage.canary.as_ref().ok_or(Error::NoCanary)?;
    stage.variables.extend(canary.stage_variable_overrides.clone().unwrap_or_default());
    Ok(())
}

/// What the console's "Promote canary" does: the stage takes the canary's deployment and variables over, and the canary,
/// still there, gets no more requests.
pub fn promote(stage: &mut Stage) -> Result<(), Error> {
    copy_variables(stage)?;
    copy_deployment(stage)?;
    set_percent(stage, Percent::default());
    Ok(())
}

/// Takes the canary away, with its overrides, and says whether there was one. What the stage serves stays.
pub fn remove(stage: &mut Stage) -> bool {
    stage.canary.take().is_some()
}

/// Reads a share as patches write it: `"10"`, `"33.333330"`.
pub fn parse_percent(text: &str) -> Result<Percent, Error> {
    let percent = text.trim().parse().ok().and_then(|value| Percent::new(value).ok());
    percent.ok_or_else(|| Error::Percent(text.to_owned()))
}

fn canary_or_new(stage: &mut Stage) -> &mut Canary {
    let deployment_id = &stage.deployment_id;
    stage.canary.get_or_insert_with(|| Canary {
        deployment_id: deployment_id.clone(),
        percent_traffic: Percent::default(),
        stage_variable_overrides: None,
        use_stage_cache: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage;

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn plain() -> Stage {
        let mut stage = stage::fresh(&Default::default(), "api", "dev", "D1", 0);
        stage.variables = texts(&[("a", "1"), ("b", "2")]);
        stage
    }

    #[test]
    fn the_first_setting_makes_the_canary() {
        for (set, deployment, percent, overrides) in [
            (
                &(|s: &mut Stage| set_percent(s, Percent::new(50.0).unwrap())) as &dyn Fn(&mut Stage),
                "D1",
                50.0,
                None,
            ),
            (&|s: &mut Stage| set_deployment(s, "D2"), "D2", 0.0, None),
            (&|s: &mut Stage| set_use_stage_cache(s, false), "D1", 0.0, None),
            (&|s: &mut Stage| set_override(s, "a", "x"), "D1", 0.0, Some(texts(&[("a", "x")]))),
            (&|s: &mut Stage| set_overrides(s, Texts::new()), "D1", 0.0, None),
        ] {
            let mut stage = plain();
            set(&mut stage);
            let canary = stage.canary.expect("made");
            assert_eq!((canary.deployment_id.as_str(), canary.percent_traffic.get()), (deployment, percent));
            assert_eq!(canary.stage_variable_overrides, overrides);
            assert!(!canary.use_stage_cache);
        }
    }

    #[test]
    fn promoting_copies_and_keeps_the_canary_at_zero() {
        let mut stage = plain();
        set_deployment(&mut stage, "D2");
        set_percent(&mut stage, Percent::new(10.0).unwrap());
        set_override(&mut stage, "a", "x");
        set_override(&mut stage, "c", "3");
        promote(&mut stage).expect("there is a canary");
        assert_eq!(stage.deployment_id, "D2");
        assert_eq!(stage.variables, texts(&[("a", "x"), ("b", "2"), ("c", "3")]));
        let canary = stage.canary.expect("stays");
        assert_eq!(canary.percent_traffic.get(), 0.0);
        assert_eq!(canary.stage_variable_overrides, Some(texts(&[("a", "x"), ("c", "3")])));
    }

    #[test]
    fn there_is_nothing_to_promote_without_a_canary() {
        let before = plain();
        let mut stage = before.clone();
        for result in [promote(&mut stage), copy_deployment(&mut stage), copy_variables(&mut stage)] {
            let error = result.expect_err("no canary").to_string();
            assert_eq!(error, "Promotion not available. Canary does not exist.");
        }
        assert_eq!(stage, before);
    }

    #[test]
    fn copying_without_overrides_leaves_the_variables() {
        let mut stage = plain();
        set_deployment(&mut stage, "D2");
        copy_variables(&mut stage).expect("there is a canary");
        assert_eq!(stage.variables, plain().variables);
    }

    #[test]
    fn removing_leaves_what_the_stage_serves() {
        let mut stage = plain();
        set_deployment(&mut stage, "D2");
        set_override(&mut stage, "a", "x");
        assert!(remove_override(&mut stage, "a") && !remove_override(&mut stage, "a"));
        assert_eq!(stage.canary.as_ref().expect("still there").stage_variable_overrides, None);
        assert!(remove(&mut stage) && !remove(&mut stage));
        assert_eq!(stage, plain());
    }

    #[test]
    fn a_share_has_bounds() {
        for (text, percent) in [("0", 0.0), ("100.0", 100.0), ("33.333330", 33.33333)] {
            assert_eq!(parse_percent(text).expect(text).get(), percent);
        }
        for text in ["", "-0.1", "100.1", "NaN", "inf", "ten", "1e3", "50%"] {
            assert!(parse_percent(text).is_err(), "{text}");
        }
    }
}
