//! The web page, served by the same binary and port as everything else, below `/_pitbird/`.
//!
//! The page's own files are [`assets`](asset): plain HTML, CSS and JavaScript modules, embedded as they are. What a page shows it
//! asks for by `POST /_pitbird/call/SERVICE/OPERATION`, which goes through the registry that serves AWS's protocols too, for the
//! operations on a list ([`call`]). What changes by itself comes as server-sent events: releases ([`feed`]) and log lines
//! ([`tail`]).
//!
//! Who may: on loopback anybody who is on this machine, but no page of somebody else's in his browser ([`guard`]); beyond it,
//! who has signed in with a key that the server knows ([`session`]). What else this host answers with is kept apart ([`fence`]).
//!
//! Nothing here keeps anything on disk, knows a service's records, or decides about releases. Start at [`Console::answer`].

mod answer;
mod asset;
mod call;
mod delta;
mod feed;
mod fence;
mod guard;
mod session;
mod stream;
mod tail;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::COOKIE;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use pitbird_control::{Control, Lookup};
use pitbird_names::{Account, Region, Scope};
use pitbird_service::Caller;
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub use answer::Answer;
use feed::Feeds;
pub use feed::Revisions;
use session::{Known, Sessions};

/// Everything of the console's is found below this.
const ROOT: &str = "/_pitbird/";

/// Longest body of a request, bytes: a payload for a function, most of all.
const BODY_BYTES_MAX: usize = 7 << 20;

/// Who may use the console.
pub enum Door {
    /// The server listens on loopback: who is here.
    Open,
    /// Who signs in with a key that is found here.
    Keys(Lookup),
}

/// Who asks, as far as the connection says.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'v> {
    /// The address at the other end, as text.
    pub source: &'v str,
    /// `http` or `https`.
    pub scheme: &'static str,
}

impl Visitor<'_> {
    fn is_private(&self) -> bool {
        self.scheme == "https"
            || self.source.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    }
}

/// The console of one server.
pub struct Console {
    control: Arc<Control>,
    door: Door,
    sessions: Sessions,
    feeds: Feeds,
    /// A source of random bits that nobody can foretell, for sessions.
    entropy: fn() -> u128,
}

impl Console {
    pub fn new(control: Arc<Control>, door: Door, revisions: Revisions, entropy: fn() -> u128) -> Console {
        let feeds = Feeds::new(control.clone(), revisions, entropy);
        Console { control, door, sessions: Sessions::default(), feeds, entropy }
    }

    /// Ends all live streams, so that their connections can close. Further ones aren't begun.
    pub async fn stop(&self) {
        self.feeds.stop().await;
    }

    /// Is this path the console's to answer?
    pub fn owns(path: &str) -> bool {
        path == ROOT.trim_end_matches('/') || path.starts_with(ROOT)
    }

    /// An answer that comes from the console's host, though not from the console, as a browser may have it.
    pub fn fence(parts: &Parts, headers: &mut HeaderMap) {
        if fence::is_browser(parts) {
            fence::around(headers);
        }
    }

    /// What is said instead of an answer to a page that may not call AWS here.
    pub fn refuses_call(&self, parts: &Parts) -> Option<Response<Answer>> {
        if !matches!(self.door, Door::Open) {
            return None;
        }
        let refused = guard::call(parts).err()?;
        Some(answer::refused(StatusCode::FORBIDDEN, "ForeignPage", &refused.to_string()))
    }

    /// The answer to a request for one of the console's paths.
    pub async fn answer<B>(&self, parts: &Parts, body: B, visitor: Visitor<'_>) -> Response<Answer>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let needs_own_host = matches!(self.door, Door::Open);
        if let Err(refused) = guard::host(parts, needs_own_host) {
            return answer::refused(StatusCode::MISDIRECTED_REQUEST, "ForeignHost", &refused.to_string());
        }
        let path = parts.uri.path();
        let Some(below) = path.strip_prefix(ROOT) else { return answer::moved(ROOT) };
        match parts.method {
            Method::GET | Method::HEAD => self.read(parts, below, visitor).await,
            Method::POST => {
                if let Err(refused) = guard::action(parts) {
                    return answer::refused(StatusCode::FORBIDDEN, "ForeignPage", &refused.to_string());
                }
                let limited = Limited::new(body, BODY_BYTES_MAX);
                match limited.collect().await {
                    Ok(body) => self.act(parts, below, &body.to_bytes(), visitor).await,
                    Err(error) => {
                        answer::refused(StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLarge", &error.to_string())
                    }
                }
            }
            _ => answer::refused(
                StatusCode::METHOD_NOT_ALLOWED,
                "Method",
                "only GET and POST are answered here",
            ),
        }
    }

    async fn read(&self, parts: &Parts, below: &str, visitor: Visitor<'_>) -> Response<Answer> {
        let query = parts.uri.query().unwrap_or_default();
        let live = match below {
            "session" => return answer::json(StatusCode::OK, &self.standing(parts)),
            "live/releases" | "live/logs" => below,
            _ => return asset::answer(below, parts),
        };
        if let Err(refused) = guard::stream(parts) {
            return answer::refused(StatusCode::FORBIDDEN, "ForeignPage", &refused.to_string());
        }
        let asked: Asked = Asked::from_query(query);
        let caller = match self.caller(parts, &asked) {
            Ok(caller) => caller,
            Err(response) => return *response,
        };
        if live == "live/logs" {
            return tail::answer(&self.control, caller, query, visitor).await;
        }
        let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
        self.feeds.answer(caller.scope, last)
    }

    async fn act(&self, parts: &Parts, below: &str, body: &[u8], visitor: Visitor<'_>) -> Response<Answer> {
        match below {
            "login" => return self.sign_in(body, visitor),
            "logout" => return self.sign_out(parts, visitor),
            _ => {}
        }
        let asked: Asked = match serde_json::from_slice(body) {
            Ok(asked) => asked,
            Err(error) => return answer::refused(StatusCode::BAD_REQUEST, "Body", &error.to_string()),
        };
        let mut steps = below.split('/');
        let (Some(what @ ("call" | "command")), Some(service), Some(operation), None) =
            (steps.next(), steps.next(), steps.next(), steps.next())
        else {
            return answer::refused(StatusCode::NOT_FOUND, "Path", "there is nothing at this path");
        };
        let caller = match self.caller(parts, &asked) {
            Ok(caller) => caller,
            Err(response) => return *response,
        };
        if what == "command" {
            let command = pitbird_cli::aws_command(service, operation, &asked.input);
            return answer::json(StatusCode::OK, &json!({"command": command}));
        }
        let endpoint = guard::endpoint(parts, visitor.scheme);
        call::answer(&self.control, caller, endpoint, (service, operation), &asked.input).await
    }

    /// As whom calls are made, and where; the answer for who has to sign in first.
    fn caller(&self, parts: &Parts, asked: &Asked) -> Result<Caller, Box<Response<Answer>>> {
        let region = Region::parse(asked.region.as_deref().unwrap_or(Region::DEFAULT));
        let account = Account::parse(asked.account.as_deref().unwrap_or(Account::DEFAULT));
        let (Some(region), Some(account)) = (region, account) else {
            let words = "an account has twelve digits, a region small letters, digits and hyphens";
            return Err(Box::new(answer::refused(StatusCode::BAD_REQUEST, "Scope", words)));
        };
        if matches!(self.door, Door::Open) {
            return Ok(Caller::root(Scope { account, region }));
        }
        match self.signed_in(parts) {
            Some(known) => Ok(Caller {
                scope: Scope { account: known.account, region },
                access_key_id: Some(known.access_key_id),
                principal: known.principal,
                session_id: None,
                is_verified: true,
            }),
            None => Err(Box::new(answer::refused(StatusCode::UNAUTHORIZED, "SignIn", "sign in to go on"))),
        }
    }

    fn signed_in(&self, parts: &Parts) -> Option<Known> {
        self.sessions.find(session::token(parts.headers.get_all(COOKIE))?, now_ms())
    }

    /// What the page needs to know before it asks for anything.
    fn standing(&self, parts: &Parts) -> Json {
        let (login, known) = match &self.door {
            Door::Open => ("open", None),
            Door::Keys(_) => match self.signed_in(parts) {
                Some(known) => ("done", Some(known)),
                None => ("needed", None),
            },
        };
        json!({
            "login": login,
            "account": known.as_ref().map(|known| known.account.as_str()),
            "principal": known.as_ref().map(|known| known.principal.as_str()),
            "version": env!("CARGO_PKG_VERSION"),
        })
    }

    fn sign_in(&self, body: &[u8], visitor: Visitor<'_>) -> Response<Answer> {
        let Door::Keys(lookup) = &self.door else {
            return answer::refused(StatusCode::CONFLICT, "Open", "nobody needs to sign in here");
        };
        if !visitor.is_private() {
            let words = "a secret would travel in the clear; open this page with https://";
            return answer::refused(StatusCode::FORBIDDEN, "InTheClear", words);
        }
        let Ok(given) = serde_json::from_slice::<session::Given>(body) else {
            return answer::refused(
                StatusCode::BAD_REQUEST,
                "Body",
                "AccessKeyId and SecretAccessKey are needed",
            );
        };
        let secret = || format!("{:032x}{:032x}", (self.entropy)(), (self.entropy)());
        match self.sessions.sign_in(&given, lookup, visitor.source, now_ms(), secret) {
            Ok(token) => {
                let cookie = session::cookie(&token, visitor.scheme == "https");
                answer::with_cookie(answer::json(StatusCode::OK, &json!({})), &cookie)
            }
            Err(refused) => answer::refused(refused.status(), "SignIn", &refused.to_string()),
        }
    }

    fn sign_out(&self, parts: &Parts, visitor: Visitor<'_>) -> Response<Answer> {
        if let Some(token) = session::token(parts.headers.get_all(COOKIE)) {
            self.sessions.sign_out(token);
        }
        let cookie = session::cookie_over(visitor.scheme == "https");
        answer::with_cookie(answer::json(StatusCode::OK, &json!({})), &cookie)
    }
}

/// What every question says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    account: Option<String>,
    region: Option<String>,
    input: Json,
}

impl Asked {
    fn from_query(query: &str) -> Asked {
        let value = |name| stream::query(query, name).filter(|value| !value.is_empty());
        Asked { account: value("account"), region: value("region"), input: Json::Null }
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests;
