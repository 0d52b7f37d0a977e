use std::sync::Arc;

use pitbird_records::ApiKey;
use pitbird_snapshot::PolicyDocument;

use crate::UrlSigner;

/// What is known of a caller once its request may pass, or of what came before it was refused. Later steps read it: events,
/// mappings, logs. Of a method that anybody may call there is nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Admitted {
    /// Who signed, where a signature is asked for.
    pub signer: Option<Box<UrlSigner>>,
    pub authorizer: Option<Box<AuthorizerStory>>,
    /// Of methods that ask for a key: the one that was brought and is known.
    pub api_key: Option<Arc<ApiKey>>,
    /// How the caller was found out.
    pub authenticate: Option<Phase>,
    /// How it was decided whether he may.
    pub authorize: Option<Phase>,
    /// Whether the caller asks past the stage's cache and has the right to.
    pub may_renew: bool,
}

/// One of the steps that logs can tell: `$context.authenticate`, `$context.authorize`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phase {
    pub status: u16,
    pub error: Option<String>,
    pub latency_ms: u64,
}

/// What there is to tell of an authorizer that was asked, or whose answer was known.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizerStory {
    pub result: Option<Arc<AuthorizerResult>>,
    /// Of a user pool's token that was taken: names and texts.
    pub claims: Option<Vec<(String, String)>>,
    /// Milliseconds until the answer was there; 0 where it was known.
    pub latency_ms: u64,
    /// Of the exchange with its function, where there was one.
    pub integration_status: Option<u16>,
    pub status: u16,
    pub error: Option<String>,
}

/// What an authorizer said.
#[derive(Debug)]
pub struct AuthorizerResult {
    pub principal_id: String,
    pub policy: PolicyDocument,
    /// Names and texts, in the authorizer's order.
    pub context: Vec<(String, String)>,
    /// The API key that it found, for APIs that take keys from authorizers.
    pub usage_key: Option<String>,
}

impl Phase {
    pub fn passed(latency_ms: u64) -> Phase {
        Phase { status: 200, error: None, latency_ms }
    }

    pub fn refused(error: &crate::GatewayError, latency_ms: u64) -> Phase {
        let words = error.message().map(|message| message.into_owned());
        Phase { status: error.status(), error: words, latency_ms }
    }
}

impl Admitted {
    pub fn authorizer_result(&self) -> Option<&AuthorizerResult> {
        self.authorizer.as_ref()?.result.as_deref()
    }
}
