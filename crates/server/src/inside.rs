//! AWS as functions see it from inside their sandboxes: their role's credentials, and an endpoint behind the address of
//! their Runtime API.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Either};
use hyper::body::Incoming;
use pitbird_invoke::{Aws, Body, Credentials, Later};
use pitbird_names::Account;
use pitbird_records::FunctionVersion;
use tokio::sync::Mutex as Turn;

use crate::dispatch::Dispatch;

/// As whom functions' and integrations' roles are assumed.
pub const LAMBDA: &str = "lambda.amazonaws.com";
pub const API_GATEWAY: &str = "apigateway.amazonaws.com";
/// How long credentials are good for.
const DURATION_S: u32 = 12 * 60 * 60;
/// For so long environments that are made are given the same ones. With an environment's lifetime it is less than
/// [`DURATION_S`].
const SHARED_MS: i64 = 5 * 60 * 60 * 1000;

/// From this many functions on those that haven't started anything for long are forgotten.
const SESSIONS_KEPT: usize = 1024;

pub struct Inside {
    sts: pitbird_sts::State,
    /// By function, those that were made last.
    sessions: Mutex<HashMap<Whose, Arc<Turn<Option<Made>>>>>,
    /// Made after the functions' door, since it needs that.
    dispatch: OnceLock<Weak<Dispatch>>,
}

/// Whose credentials: those of a role's session, which a service assumes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Whose {
    pub service: &'static str,
    pub account: Account,
    pub role: String,
    /// The function's name, or another by which the session is known.
    pub session: String,
}

struct Made {
    at_ms: i64,
    credentials: Credentials,
}

impl Inside {
    pub fn new(sts: pitbird_sts::State) -> Inside {
        Inside { sts, sessions: Mutex::default(), dispatch: OnceLock::new() }
    }

    /// From now on functions' requests are answered.
    pub fn connect(&self, dispatch: &Arc<Dispatch>) {
        let _only_once = self.dispatch.set(Arc::downgrade(dispatch));
    }

    /// `None` when the role can't be assumed.
    pub async fn credentials_of(&self, whose: Whose) -> Option<Credentials> {
        let turn = self.turn(&whose, now_ms());
        // Of many environments that start at once one makes them for all.
        let mut made = turn.lock().await;
        let now_ms = now_ms();
        if let Some(Made { credentials, .. }) = made.as_ref().filter(|made| made.is_shared(now_ms)) {
            return Some(credentials.clone());
        }
        let Whose { service, role, session, .. } = &whose;
        let made_session =
            pitbird_sts::assume_for_service(&self.sts, role, service, session, DURATION_S, now_ms).await;
        let session = made_session.unwrap_or_else(|error| {
            tracing::error!(service, role, %error, "a role can't be assumed");
            None
        })?;
        let credentials = Credentials {
            access_key_id: session.access_key_id,
            secret_access_key: session.secret_access_key,
            session_token: session.token,
        };
        *made = Some(Made { at_ms: now_ms, credentials: credentials.clone() });
        Some(credentials)
    }
}

impl Inside {
    fn turn(&self, whose: &Whose, now_ms: i64) -> Arc<Turn<Option<Made>>> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= SESSIONS_KEPT && !sessions.contains_key(whose) {
            // Those that are in somebody's hands, and those that still are of use.
            sessions.retain(|_, turn| match turn.try_lock() {
                Ok(made) => made.as_ref().is_some_and(|made| made.is_shared(now_ms)),
                Err(_) => true,
            });
        }
        sessions.entry(whose.clone()).or_default().clone()
    }
}

impl Made {
    fn is_shared(&self, now_ms: i64) -> bool {
        now_ms - self.at_ms < SHARED_MS
    }
}

impl Aws for Inside {
    fn credentials<'a>(&'a self, version: &'a FunctionVersion) -> Later<'a, Option<Credentials>> {
        Box::pin(self.credentials_of(Whose {
            service: LAMBDA,
            account: version.scope.account.clone(),
            role: version.settings.role.clone(),
            session: version.name.clone(),
        }))
    }

    fn answer(&self, request: Request<Incoming>) -> Later<'_, Response<Body>> {
        Box::pin(async {
            match self.dispatch.get().and_then(Weak::upgrade) {
                Some(dispatch) => dispatch.answer_function(request).await.map(|body| match body {
                    Either::Left(whole) => whole.map_err(|never| match never {}).boxed_unsync(),
                    Either::Right(streamed) => streamed,
                }),
                None => {
                    let mut answer = Response::new(Body::default());
                    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                    answer
                }
            }
        })
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}
