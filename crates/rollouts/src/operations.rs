//! One file per operation: its input, its output, one function.

mod abort_rollout;
mod get_rollout;
mod get_rollout_measures;
mod list_rollouts;
mod pause_rollout;
mod promote_rollout;
mod resume_rollout;
mod start_rollout;

use pitbird_records::rollout::{Order, OrderKind};
use pitbird_rollout::{Action, Note, Phase};
use pitbird_service::{Builder, Caller};

use crate::turn::Wish;
use crate::{Error, State, find, shape};

pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("AbortRollout", &[], abort_rollout::run)
        .operation("GetRollout", &[], get_rollout::run)
        .operation("GetRolloutMeasures", &[], get_rollout_measures::run)
        .operation("ListRollouts", &[], list_rollouts::run)
        .operation("PauseRollout", &[], pause_rollout::run)
        .operation("PromoteRollout", &[], promote_rollout::run)
        .operation("ResumeRollout", &[], resume_rollout::run)
        .operation("StartRollout", &[], start_rollout::run)
}

/// Gives an order to a running rollout and shows it once it was obeyed.
async fn order(
    state: &State,
    caller: &Caller,
    name: &str,
    action: Action,
    why: Option<&str>,
) -> Result<shape::Answer, Error> {
    let rollout = find::rollout(&state.parts.store, &caller.scope, name)?;
    let ended = |rollout: &crate::Rollout| {
        rollout.state.outcome().map(|outcome| Error::Ended { name: rollout.name.clone(), outcome })
    };
    if let Some(error) = ended(&rollout) {
        return Err(error);
    }
    let wish = wish(state, caller, action, why);
    let obeyed = match state.drivers.order(&rollout, wish).await {
        Ok(obeyed) => obeyed,
        // The rollout may have ended while the order was on its way.
        Err(Error::NotDriven(name)) => {
            let rollout = find::rollout(&state.parts.store, &caller.scope, &name)?;
            return Err(ended(&rollout).unwrap_or(Error::NotDriven(name)));
        }
        Err(error) => return Err(error),
    };
    if obeyed.is_ignored {
        let rollout = &obeyed.rollout;
        return Err(ended(rollout).unwrap_or_else(|| match rollout.state.phase() {
            Phase::RollingBack { .. } => Error::RollingBack(rollout.name.clone()),
            _ => Error::NothingToPromote(rollout.name.clone()),
        }));
    }
    let rollout = find::rollout(&state.parts.store, &caller.scope, name)?;
    Ok(shape::Answer::new(&rollout, &state.parts.prices))
}

fn wish(state: &State, caller: &Caller, action: Action, why: Option<&str>) -> Wish {
    let by = match why {
        Some(why) => format!("{}: {why}", caller.principal),
        None => caller.principal.clone(),
    };
    let (kind, why) = match &action {
        Action::Pause => (OrderKind::Pause, why),
        Action::Resume => (OrderKind::Resume, why),
        Action::Abort => (OrderKind::Abort, why),
        Action::Promote { reason } => (OrderKind::Promote, Some(reason.as_str())),
    };
    let order = audited(caller, kind, why, (state.parts.clock)());
    Wish { action, by: Note::from(by), order }
}

/// Who orders what, and why.
fn audited(caller: &Caller, kind: OrderKind, why: Option<&str>, at_ms: u64) -> Order {
    Order {
        at_ms,
        kind,
        by: caller.principal.clone(),
        access_key_id: caller.access_key_id.clone(),
        is_verified: caller.is_verified,
        why: why.map(str::to_owned),
        is_obeyed: true,
    }
}
