//! Temporary credentials: made, kept until some time after they expire, and then forgotten.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pitbird_names::Account;
use pitbird_records::{Record, Session};
use pitbird_store::Transaction;
use serde::Serialize;

use crate::{Error, State, key_id};

/// Sessions of one account at the same time. Beyond, no more are made until some have expired.
const SESSIONS_MAX: usize = 10_000;
/// From this many sessions on, the forgettable ones are looked for whenever one is made.
const SESSIONS_CLEANED: usize = 1_000;
/// How long an expired session is remembered, so that its user is told that it has expired.
const REMEMBERED_MS: i64 = 60 * 60 * 1000;

/// Whose credentials, and for how long.
#[derive(Debug, Clone)]
pub struct Grant {
    pub account: Account,
    pub principal: String,
    pub user_id: String,
    pub source_identity: Option<String>,
    pub duration_s: u32,
    pub now_ms: i64,
}

/// As callers get them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: i64,
}

impl From<Session> for Credentials {
    fn from(session: Session) -> Credentials {
        Credentials {
            access_key_id: session.access_key_id,
            secret_access_key: session.secret_access_key,
            session_token: session.token,
            expiration: session.expires_ms.div_euclid(1000),
        }
    }
}

/// Makes credentials and keeps them: when this answers they can be used, also after a restart.
pub async fn make(state: &State, grant: Grant) -> Result<Session, Error> {
    let entropy = state.entropy;
    let mut session = Session {
        access_key_id: String::new(),
        secret_access_key: secret(entropy, 30),
        token: secret(entropy, 192),
        account: grant.account,
        principal: grant.principal,
        user_id: grant.user_id,
        source_identity: grant.source_identity,
        created_ms: grant.now_ms,
        // Told in whole seconds, so kept in whole seconds.
        expires_ms: (grant.now_ms.div_euclid(1000) + i64::from(grant.duration_s)) * 1000,
    };
    let keep = move |tx: &mut Transaction<'_>| {
        make_room(tx, &session.account, session.created_ms)?;
        session.access_key_id = key_id::temporary(&session.account, entropy());
        while tx.exists::<Session>(&session.key())? {
            session.access_key_id = key_id::temporary(&session.account, entropy());
        }
        tx.put(&session)?;
        Ok(session)
    };
    state.store.write(keep).await
}

fn make_room(tx: &mut Transaction<'_>, account: &Account, now_ms: i64) -> Result<(), Error> {
    let prefix = Session::prefix_of(account);
    let count = tx.count::<Session>(&prefix)?;
    if count < SESSIONS_CLEANED {
        return Ok(());
    }
    let mut forgotten = 0;
    for found in tx.list::<Session>(&prefix)? {
        if found.record.expires_ms + REMEMBERED_MS < now_ms {
            tx.delete::<Session>(&found.record.key())?;
            forgotten += 1;
        }
    }
    if count - forgotten >= SESSIONS_MAX { Err(Error::TooManySessions) } else { Ok(()) }
}

/// Random bytes in base64.
fn secret(entropy: fn() -> u128, bytes: usize) -> String {
    let drawn: Vec<u8> = (0..bytes.div_ceil(16)).flat_map(|_| entropy().to_be_bytes()).take(bytes).collect();
    STANDARD.encode(drawn)
}
