use pitbird_names::{Scope, arn};

/// Who makes a call, as far as the signature says.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The caller's account, and the region that the call is meant for.
    pub scope: Scope,
    pub access_key_id: Option<String>,
    /// The ARN of the user or role session.
    pub principal: String,
    /// What IAM calls a session: `AROA…:{name}`. `None` where the principal's own id is meant.
    pub session_id: Option<String>,
    /// Was the signature verified? On loopback it needn't be.
    pub is_verified: bool,
}

impl Caller {
    /// The account's root user, as whom unsigned calls on loopback are made.
    pub fn root(scope: Scope) -> Caller {
        let principal = format!("arn:aws:iam::{}:root", scope.account);
        Caller { scope, access_key_id: None, principal, session_id: None, is_verified: false }
    }

    /// The ARN of a function of this caller's.
    pub fn function_arn(&self, name: &str) -> String {
        arn::function(&self.scope, name, None)
    }
}

/// One call of an operation.
#[derive(Debug, Clone)]
pub struct Call<I> {
    pub caller: Caller,
    /// The id that the answer's `x-amzn-RequestId` carries.
    pub request_id: String,
    /// When the call arrived, epoch milliseconds.
    pub now_ms: i64,
    /// Base URL that the caller reached us under, `http://127.0.0.1:4566`.
    pub endpoint: String,
    /// `Root=…`, perhaps with `Parent=…;Sampled=…`: the trace that the caller's headers name, if they do. No model has it as a
    /// member: it is the request's, not the operation's.
    pub trace_id: Option<String>,
    pub input: I,
}

impl<I> Call<I> {
    /// The same call with another input.
    pub fn with<J>(self, input: J) -> Call<J> {
        let Call { caller, request_id, now_ms, endpoint, trace_id, .. } = self;
        Call { caller, request_id, now_ms, endpoint, trace_id, input }
    }
}
