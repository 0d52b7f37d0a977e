//! What an exchange uses: what API Gateway charges for, and what the function behind it comes to.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pitbird_invoke::{Billed, Outcome};
use pitbird_names::Scope;
use pitbird_prices::Quantity;
use pitbird_telemetry::usage::{Subject, UsageSpec};

use crate::GatewayError;
use crate::http_api::HttpError;

/// HTTP APIs are metered in steps of so many bytes. Source: aws.amazon.com/api-gateway/pricing.
const HTTP_STEP_BYTES: u64 = 512 << 10;

/// What functions behind an exchange have used, as far as they have answered. Events that run later aren't in it, and neither are
/// functions that authorize.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FunctionUse {
    pub requests: u64,
    /// Billed milliseconds times MiB, on demand and where environments are kept ready.
    pub mib_ms: u64,
    pub provisioned_mib_ms: u64,
    /// Environments that were started for it.
    pub cold_starts: u64,
    /// The last one's number; 0 where no function ran.
    pub environment: u64,
    /// One was refused, since too many ran: nobody's code has failed then.
    pub is_throttled: bool,
}

impl FunctionUse {
    /// Kept where there is something to keep.
    pub(crate) fn noted(self) -> Option<Box<FunctionUse>> {
        (self != FunctionUse::default()).then(|| Box::new(self))
    }
}

/// Takes note of what functions use while an exchange is under way.
#[derive(Debug, Default)]
pub(crate) struct FunctionTally {
    requests: AtomicU64,
    mib_ms: AtomicU64,
    provisioned_mib_ms: AtomicU64,
    cold_starts: AtomicU64,
    environment: AtomicU64,
    is_throttled: AtomicBool,
}

impl FunctionTally {
    pub fn throttled(&self) {
        self.is_throttled.store(true, Ordering::Relaxed);
    }

    pub fn ran(&self, outcome: &Outcome) {
        let Billed { mib_ms, is_provisioned } = outcome.billed;
        self.cold_starts.fetch_add(u64::from(outcome.is_cold()), Ordering::Relaxed);
        self.environment.store(outcome.environment, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        let sum = if is_provisioned { &self.provisioned_mib_ms } else { &self.mib_ms };
        sum.fetch_add(mib_ms, Ordering::Relaxed);
    }

    pub fn read(&self) -> FunctionUse {
        FunctionUse {
            requests: self.requests.load(Ordering::Relaxed),
            mib_ms: self.mib_ms.load(Ordering::Relaxed),
            provisioned_mib_ms: self.provisioned_mib_ms.load(Ordering::Relaxed),
            cold_starts: self.cold_starts.load(Ordering::Relaxed),
            environment: self.environment.load(Ordering::Relaxed),
            is_throttled: self.is_throttled.load(Ordering::Relaxed),
        }
    }
}

/// What a track of a REST API's stage has used, by this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrackUse {
    pub requests: u64,
    /// Requests that API Gateway doesn't charge for.
    pub requests_uncharged: u64,
    pub bytes_out: u64,
    pub functions: FunctionUse,
}

impl TrackUse {
    /// What one exchange uses, that ended so.
    pub(crate) fn new(error: Option<&GatewayError>, bytes_out: u64, functions: FunctionUse) -> TrackUse {
        let is_charged = error.is_none_or(is_charged);
        TrackUse {
            requests: u64::from(is_charged),
            requests_uncharged: u64::from(!is_charged),
            bytes_out,
            functions,
        }
    }

    /// The numbers of its probe, in the order of [`rest_spec`].
    pub fn of(used: &[u64]) -> TrackUse {
        let at = |place: usize| used.get(place).copied().unwrap_or_default();
        TrackUse {
            requests: at(0),
            requests_uncharged: at(1),
            bytes_out: at(2),
            functions: FunctionUse {
                requests: at(3),
                mib_ms: at(4),
                provisioned_mib_ms: at(5),
                ..FunctionUse::default()
            },
        }
    }

    pub fn numbers(self) -> [u64; 6] {
        let TrackUse { requests, requests_uncharged, bytes_out, functions } = self;
        let FunctionUse { requests: runs, mib_ms, provisioned_mib_ms, .. } = functions;
        [requests, requests_uncharged, bytes_out, runs, mib_ms, provisioned_mib_ms]
    }
}

const REST: [Quantity; 3] = [Quantity::RestRequests, Quantity::UnchargedRequests, Quantity::BytesOut];
const HTTP: [Quantity; 3] = [Quantity::HttpRequests, Quantity::UnchargedRequests, Quantity::BytesOut];

/// Of a track of a REST API's stage: of the exchanges that are evidence, or of those beside. What its functions use is in the totals only: the functions count it as theirs.
pub(crate) fn rest_spec(
    scope: &Scope,
    api: &str,
    stage: &str,
    is_canary: bool,
    is_evidence: bool,
) -> UsageSpec {
    let track = if is_canary { "canary" } else { "base" };
    let part = if is_evidence { "" } else { "beside" };
    UsageSpec {
        totals_only: 3,
        part: part.to_owned(),
        ..spec(scope, [("Api", api), ("Stage", stage), ("Track", track)], REST)
    }
}

/// Of an HTTP API's stage.
pub(crate) fn http_spec(scope: &Scope, api: &str, stage: &str) -> UsageSpec {
    spec(scope, [("Api", api), ("Stage", stage), ("Track", "base")], HTTP)
}

fn spec(scope: &Scope, names: [(&str, &str); 3], quantities: [Quantity; 3]) -> UsageSpec {
    UsageSpec {
        subject: Subject {
            scope: scope.clone(),
            service: "ApiGateway".to_owned(),
            names: names.into_iter().collect(),
        },
        quantities: quantities.map(|quantity| quantity.as_str().to_owned()).to_vec(),
        totals_only: 0,
        part: String::new(),
    }
}

/// What an exchange of an HTTP API uses, in the order of [`http_spec`].
pub(crate) fn http_used(error: Option<&HttpError>, bytes_processed: u64, bytes_out: u64) -> [u64; 3] {
    match error.is_none_or(is_http_charged) {
        true => [bytes_processed.div_ceil(HTTP_STEP_BYTES).max(1), 0, bytes_out],
        false => [0, 1, bytes_out],
    }
}

/// Nobody pays for requests that aren't let in, are throttled or lead nowhere. Source: repost.aws, "pricing clarification for api
/// gateway", and the developer guide's former page on pricing. Those that fail validation are paid for.
fn is_charged(error: &GatewayError) -> bool {
    use GatewayError::*;
    !matches!(
        error,
        Forbidden
            | MissingAuthenticationToken
            | Signature(_)
            | Unauthorized
            | TokenExpired
            | Denied { .. }
            | NotAuthorized(_)
            | InvalidApiKey
            | Throttled
            | QuotaExceeded
    )
}

fn is_http_charged(error: &HttpError) -> bool {
    use HttpError::*;
    !matches!(error, NotFound | Token(_) | Scope(_) | Unauthorized | Forbidden | TooManyRequests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_apis_are_metered_in_steps() {
        let step = HTTP_STEP_BYTES;
        for (bytes, requests) in [(0, 1), (1, 1), (step, 1), (step + 1, 2), (10 * step, 10)] {
            assert_eq!(http_used(None, bytes, 7), [requests, 0, 7], "{bytes}");
        }
        assert_eq!(http_used(Some(&HttpError::TooManyRequests), 2 * step, 7), [0, 1, 7]);
        assert_eq!(http_used(Some(&HttpError::Integration), 0, 7), [1, 0, 7]);
    }

    #[test]
    fn who_is_not_let_in_costs_nothing() {
        for (error, expected) in [
            (GatewayError::Throttled, false),
            (GatewayError::QuotaExceeded, false),
            (GatewayError::InvalidApiKey, false),
            (GatewayError::MissingAuthenticationToken, false),
            (GatewayError::Denied { is_explicit: true }, false),
            (GatewayError::InvalidBody(String::new()), true),
            (GatewayError::IntegrationTimeout, true),
            (GatewayError::AuthorizerConfiguration, true),
        ] {
            assert_eq!(is_charged(&error), expected, "{error:?}");
        }
    }

    #[test]
    fn numbers_come_back() {
        let functions =
            FunctionUse { requests: 4, mib_ms: 5, provisioned_mib_ms: 6, ..FunctionUse::default() };
        let used = TrackUse { requests: 1, requests_uncharged: 2, bytes_out: 3, functions };
        assert_eq!(TrackUse::of(&used.numbers()), used);
        assert_eq!(rest_spec(&Scope::default(), "a", "s", true, true).len(), used.numbers().len());
    }
}
