//! Whether a client that asks past the stage's cache (`Cache-Control: max-age=0`) may: who calls needs `execute-api:InvalidateCache`.
//!
//! Source: API Gateway developer guide, "Invalidate an API Gateway cache entry" and "How API Gateway resource policies affect
//! authorization workflow". That what an authorizer answers is asked for this action as for the call itself is inferred: the guide
//! gives both actions one form of statement.

use pitbird_snapshot::{PolicyDocument, PolicyPrincipal, PolicyVerdict};

use super::{Asking, permits};
use crate::admitted::Admitted;
use crate::{Renewal, cache};

const ACTION: &str = "execute-api:InvalidateCache";

impl Asking<'_, '_> {
    /// May who was admitted have a new answer? Nobody is asked whose request doesn't want one.
    pub(super) fn may_renew(&self, admitted: &Admitted) -> bool {
        if !cache::wants_renewal(self.arrival.headers()) {
            return false;
        }
        let policy = self.routed.track.deployment.policy.as_ref();
        let asked = |policy: &PolicyDocument, principal| self.judge(ACTION, policy, principal);
        if let Some(signer) = &admitted.signer {
            let own = signer.renewal;
            let may_call = own == Renewal::Allowed;
            let caller = PolicyPrincipal { account: &signer.account, arn: &signer.principal, may_call };
            let said = policy.map_or(PolicyVerdict::NotMentioned, |policy| asked(policy, Some(caller)));
            let is_own_account = signer.account == self.routed.stage.scope.account.as_str();
            return own != Renewal::Denied && permits(is_own_account, may_call, said);
        }
        let by_policy = policy.map(|policy| asked(policy, None));
        let by_authorizer = admitted.authorizer_result().map(|result| asked(&result.policy, None));
        anonymous(by_policy, by_authorizer)
    }
}

/// Of who didn't sign: somebody must allow it, and nobody deny it.
fn anonymous(by_policy: Option<PolicyVerdict>, by_authorizer: Option<PolicyVerdict>) -> bool {
    let said = [by_policy, by_authorizer];
    said.contains(&Some(PolicyVerdict::Allowed)) && !said.contains(&Some(PolicyVerdict::Denied))
}

#[cfg(test)]
mod tests {
    use PolicyVerdict::{Allowed, Denied, NotMentioned};

    use super::*;

    #[test]
    fn somebody_must_let_the_unsigned_renew_and_nobody_forbid_it() {
        for (by_policy, by_authorizer, may) in [
            (None, None, false),
            (Some(NotMentioned), Some(NotMentioned), false),
            (Some(Allowed), None, true),
            (Some(Allowed), Some(NotMentioned), true),
            (None, Some(Allowed), true),
            (Some(Denied), Some(Allowed), false),
            (Some(Allowed), Some(Denied), false),
        ] {
            assert_eq!(anonymous(by_policy, by_authorizer), may, "{by_policy:?} {by_authorizer:?}");
        }
    }

    #[test]
    fn another_account_needs_both_and_a_denial_ends_it() {
        for (is_own_account, own, said, may) in [
            (true, false, NotMentioned, false),
            (true, true, NotMentioned, true),
            (true, false, Allowed, true),
            (true, true, Denied, false),
            (false, true, NotMentioned, false),
            (false, false, Allowed, false),
            (false, true, Allowed, true),
        ] {
            assert_eq!(permits(is_own_account, own, said), may, "{is_own_account} {own} {said:?}");
        }
    }
}
