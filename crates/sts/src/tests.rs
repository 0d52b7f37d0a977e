//! The operations through the registry, as bytes from and to a caller.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bytes::Bytes;
use http::Response;
use pitbird_names::{Account, Region, Scope};
use pitbird_records::role::{Role, TrustStatement};
use pitbird_service::{Call, Caller, Fault, Kind, Service};
use pitbird_sigv4::{Expected, Payload, Secret};
use pitbird_store::Store;
use pitbird_wire::client::{self, ClientError, Refusal};
use pitbird_wire::{Catalog, Model, Protocol};
use serde_json::{Value as Json, json};

use super::*;

const ROLE: &str = "arn:aws:iam::123456789012:role/ci/Deployer";
const START_S: i64 = 1_600_000_000;

struct Bed {
    service: Service,
    store: Store,
    now_ms: AtomicI64,
    directory: tempfile::TempDir,
}

/// Different bits each time, the same in each run.
fn entropy() -> u128 {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let drawn = u128::from(DRAWN.fetch_add(1, Ordering::Relaxed));
    drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

fn model() -> &'static Model {
    Catalog::embedded().model("sts").expect("the model is embedded")
}

fn account() -> Account {
    Account::parse("123456789012").expect("an account")
}

fn caller(principal: &str, access_key_id: Option<&str>) -> Caller {
    let scope = Scope { account: account(), region: Region::default() };
    let root = Caller::root(scope);
    let principal = format!("arn:aws:{principal}");
    Caller { principal, access_key_id: access_key_id.map(str::to_owned), ..root }
}

fn root() -> Caller {
    caller("iam::123456789012:root", None)
}

fn user() -> Caller {
    caller("iam::123456789012:user/ada", Some("AKIDEXAMPLEEXAMPLE12"))
}

impl Bed {
    fn new() -> Bed {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).expect("a fresh store");
        let service = service(Arc::new(State { store: store.clone(), entropy }));
        Bed { service, store, now_ms: AtomicI64::new(START_S * 1000 + 500), directory }
    }

    async fn with_role(statement: TrustStatement) -> Bed {
        let bed = Bed::new();
        let role = Role {
            account: account(),
            path: "/ci/".into(),
            name: "Deployer".into(),
            id: "AROAAAAAAAAAAAAAAAAAA".into(),
            description: None,
            created_ms: 0,
            trust_document: String::new(),
            trust: vec![statement],
            session_s_max: 7200,
            permissions_boundary: None,
            tags: BTreeMap::new(),
            policies: BTreeMap::new(),
            attached: Vec::new(),
        };
        let put = move |tx: &mut pitbird_store::Transaction<'_>| tx.put(&role).map_err(Error::from);
        bed.store.write(put).await.expect("written");
        bed
    }

    async fn run(&self, caller: Caller, operation: &str, input: Json) -> Result<Json, Refusal> {
        let model = model();
        let known = model.operation(operation).expect(operation);
        let input = pitbird_wire::to_value(&input).expect("JSON is a value");
        let request = client::encode(model, known, Protocol::Query, input).expect("an input fits its model");
        let (parts, body) = request.into_parts();
        let wire = Catalog::embedded().identify(&parts, &body).expect("an operation");
        let input = wire.decode(&parts, body).expect("readable").input;
        let violations = pitbird_wire::check(model, known, &input);
        let answer = match violations.is_empty() {
            false => wire.encode_fault(&pitbird_wire::Fault::validation(model, &violations), "id"),
            true => {
                let now_ms = self.now_ms.load(Ordering::Relaxed);
                let call = Call {
                    caller,
                    request_id: "id".into(),
                    now_ms,
                    endpoint: String::new(),
                    trace_id: None,
                    input,
                };
                match self
                    .service
                    .call(operation, call)
                    .expect(operation)
                    .await
                    .map(pitbird_service::Answer::into_output)
                {
                    Ok(output) => wire.encode(output, "id").expect("an output fits its model"),
                    Err(fault) => refused(&wire, fault),
                }
            }
        };
        match client::decode(model, known, Protocol::Query, answer) {
            Ok(output) => Ok(serde_json::to_value(output).expect("JSON")),
            Err(ClientError::Refused(refusal)) => Err(refusal),
            Err(error) => panic!("{operation}: {error}"),
        }
    }

    async fn ok(&self, caller: Caller, operation: &str, input: Json) -> Json {
        self.run(caller, operation, input.clone())
            .await
            .unwrap_or_else(|no| panic!("{operation} {input}: {no}"))
    }

    async fn refused(&self, caller: Caller, operation: &str, input: Json) -> (u16, String, String) {
        let refusal = self.run(caller, operation, input.clone()).await.expect_err(operation);
        (refusal.status, refusal.code, refusal.message)
    }
}

fn refused(wire: &pitbird_wire::Call<'_>, fault: Fault) -> Response<Bytes> {
    let fault = fault.into_told();
    let mut told = pitbird_wire::Fault::new(fault.code, fault.message);
    told.status = fault.status;
    wire.encode_fault(&told, "id")
}

fn text(json: &Json) -> &str {
    json.as_str().expect("a text")
}

fn trusting(principal: &str) -> TrustStatement {
    TrustStatement {
        is_allow: true,
        actions: vec!["sts:*".into()],
        services: Vec::new(),
        aws: vec![principal.into()],
        conditions: BTreeMap::new(),
    }
}

#[tokio::test]
async fn a_caller_learns_who_he_is() {
    let bed = Bed::new();
    let root = bed.ok(root(), "GetCallerIdentity", json!({})).await;
    let account = "123456789012";
    assert_eq!(root, json!({"UserId": account, "Account": account, "Arn": "arn:aws:iam::123456789012:root"}));
    let user = bed.ok(user(), "GetCallerIdentity", json!({})).await;
    assert_eq!((text(&user["Arn"]), text(&user["Account"])), ("arn:aws:iam::123456789012:user/ada", account));
    assert!(text(&user["UserId"]).starts_with("AIDA"), "{user}");
}

#[tokio::test]
async fn a_role_is_assumed_and_its_credentials_verify_until_they_expire() {
    let bed = Bed::with_role(trusting("123456789012")).await;
    let input = json!({
        "RoleArn": ROLE, "RoleSessionName": "s1", "DurationSeconds": 900, "ExternalId": "x7", "SourceIdentity": "ada",
    });
    let assumed = bed.ok(user(), "AssumeRole", input).await;
    let arn = "arn:aws:sts::123456789012:assumed-role/Deployer/s1";
    let user = json!({"AssumedRoleId": "AROAAAAAAAAAAAAAAAAAA:s1", "Arn": arn});
    assert_eq!((&assumed["AssumedRoleUser"], &assumed["SourceIdentity"]), (&user, &json!("ada")));
    let credentials = &assumed["Credentials"];
    assert_eq!(credentials["Expiration"], json!((START_S + 900) as f64));
    let (id, secret) = (text(&credentials["AccessKeyId"]), text(&credentials["SecretAccessKey"]));
    assert!(id.starts_with("ASIA") && id.len() == 20 && secret.len() == 40, "{credentials}");
    let token = text(&credentials["SessionToken"]);
    let found = session(&bed.store, id).expect("read").expect("kept");
    assert_eq!((found.principal.as_str(), found.account.as_str()), (arn, "123456789012"));
    for (secret, token, at_s, is_right) in [
        (secret, token, 0, true),
        (secret, token, 899, true),
        (secret, token, 901, false),
        ("wrong", token, 0, false),
        (secret, "wrong", 0, false),
    ] {
        let verified = verify(&bed.store, (id, secret, token), START_S + at_s);
        assert_eq!(verified.is_ok(), is_right, "{at_s} {verified:?}");
    }
    let error = verify(&bed.store, (id, secret, token), START_S + 901).expect_err("expired");
    assert_eq!(error.kind(), pitbird_sigv4::Kind::ExpiredToken);
    let session = caller("sts::123456789012:assumed-role/Deployer/s1", Some(id));
    let identity = bed.ok(session, "GetCallerIdentity", json!({})).await;
    let expected = json!({"UserId": "AROAAAAAAAAAAAAAAAAAA:s1", "Account": "123456789012", "Arn": arn});
    assert_eq!(identity, expected);
}

/// Signs a call with temporary credentials and verifies it against what is kept.
fn verify(store: &Store, keys: (&str, &str, &str), now_s: i64) -> Result<(), pitbird_sigv4::Error> {
    let (id, secret, token) = keys;
    let credentials = pitbird_sigv4::Credentials {
        access_key_id: id,
        secret_access_key: secret,
        session_token: Some(token),
    };
    let plain: &[(&str, &[u8])] = &[("host", b"localhost")];
    let request = pitbird_sigv4::Request { method: "POST", path: "/", query: "", headers: plain };
    let (payload, now) = (Payload::Bytes(b""), now_s as u64);
    let signed = pitbird_sigv4::sign(&request, &payload, &credentials, "us-east-1", "sts", now);
    let mut headers: Vec<(String, Vec<u8>)> = vec![("host".into(), b"localhost".to_vec())];
    headers.extend(
        signed
            .iter()
            .filter(|(name, _)| *name != "host")
            .map(|(name, value)| (name.to_lowercase(), value.to_string().into_bytes())),
    );
    let headers: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let request = pitbird_sigv4::Request { headers: &headers, ..request };
    let lookup = |id: &str| {
        let found = session(store, id).expect("read")?;
        let expires_epoch_s = found.expires_ms.div_euclid(1000) as u64;
        let session = Some(pitbird_sigv4::Session { token: found.token, expires_epoch_s });
        Some(Secret { secret_access_key: found.secret_access_key, session })
    };
    pitbird_sigv4::verify(&request, &payload, now, &Expected::default(), lookup).map(|_| ())
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    let bed = Bed::with_role(trusting("*")).await;
    let assumed = bed.ok(root(), "AssumeRole", json!({"RoleArn": ROLE, "RoleSessionName": "s1"})).await;
    let id = text(&assumed["Credentials"]["AccessKeyId"]).to_owned();
    let Bed { service, store, directory, .. } = bed;
    drop((service, store));
    let store = Store::open(directory.path()).expect("opened again");
    assert!(session(&store, &id).expect("read").is_some());
    for unknown in ["", "test", "000000000000", "AKIAQAAAAAAAAAAAAAAA", "ASIAQAAAAAAAAAAAAAAA"] {
        assert!(session(&store, unknown).expect("read").is_none(), "{unknown}");
    }
}

#[tokio::test]
async fn who_may_not_assume_a_role_is_told_so() {
    let mut asking_for_mfa = trusting("123456789012");
    let mfa = BTreeMap::from([("aws:MultiFactorAuthPresent".to_owned(), vec!["true".to_owned()])]);
    asking_for_mfa.conditions.insert("Bool".to_owned(), mfa);
    let mut lambda = trusting("");
    lambda.aws.clear();
    lambda.services.push("lambda.amazonaws.com".into());
    let denied = |more: &str| {
        let words = "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: sts:AssumeRole on resource: ";
        (403, "AccessDenied".to_owned(), format!("{words}{ROLE}{more}"))
    };
    let because = " because pitbird does not evaluate the condition Bool aws:MultiFactorAuthPresent";
    for (statement, expected) in
        [(trusting("210987654321"), denied("")), (lambda, denied("")), (asking_for_mfa, denied(because))]
    {
        let bed = Bed::with_role(statement).await;
        let input = json!({"RoleArn": ROLE, "RoleSessionName": "s1"});
        assert_eq!(bed.refused(user(), "AssumeRole", input).await, expected);
    }
    let missing =
        Bed::new().refused(user(), "AssumeRole", json!({"RoleArn": ROLE, "RoleSessionName": "s1"})).await;
    assert_eq!(missing, denied(""));
}

#[tokio::test]
async fn bad_input_is_refused() {
    let bed = Bed::with_role(trusting("*")).await;
    let no_role = "arn:aws:iam::123456789012:user/ada";
    let invalid = |message: &str| (400, "ValidationError".to_owned(), message.to_owned());
    let session = caller("sts::123456789012:assumed-role/Other/s1", None);
    let refused =
        |what: &str| format!("{what} is not supported by pitbird, so it is refused rather than ignored.");
    for (caller, input, expected) in [
        (root(), json!({"RoleArn": no_role}), invalid(&format!("{no_role} is invalid"))),
        (
            root(),
            json!({"RoleArn": "arn:aws:iam::x:role/Deployer"}),
            invalid("arn:aws:iam::x:role/Deployer is invalid"),
        ),
        (
            root(),
            json!({"RoleArn": "nonsense, and long enough"}),
            invalid("nonsense, and long enough is invalid"),
        ),
        (
            root(),
            json!({"DurationSeconds": 7201}),
            invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."),
        ),
        (
            session,
            json!({"DurationSeconds": 3601}),
            invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            ),
        ),
        (root(), json!({"Policy": "{}"}), invalid(&refused("Policy"))),
        (
            root(),
            json!({"SerialNumber": "123456789", "TokenCode": "123456"}),
            invalid(&refused("SerialNumber")),
        ),
    ] {
        let mut whole = json!({"RoleArn": ROLE, "RoleSessionName": "s1"});
        whole.as_object_mut().expect("an object").extend(input.as_object().expect("an object").clone());
        assert_eq!(bed.refused(caller, "AssumeRole", whole).await, expected, "{input}");
    }
    for input in [
        json!({"RoleArn": ROLE}),
        json!({"RoleArn": ROLE, "RoleSessionName": "a b"}),
        json!({"RoleArn": ROLE, "RoleSessionName": "ab", "DurationSeconds": 899}),
        json!({"RoleArn": "short", "RoleSessionName": "ab"}),
    ] {
        let (status, code, message) = bed.refused(root(), "AssumeRole", input).await;
        assert_eq!((status, code.as_str()), (400, "ValidationError"), "{message}");
        assert!(message.starts_with("1 validation error detected: "), "{message}");
    }
}

#[tokio::test]
async fn a_session_token_stands_for_its_caller() {
    let bed = Bed::new();
    for (caller, asked, duration_s) in [
        (root(), json!({}), 3600),
        (root(), json!({"DurationSeconds": 7200}), 3600),
        (root(), json!({"DurationSeconds": 900}), 900),
        (user(), json!({}), 43_200),
        (user(), json!({"DurationSeconds": 129_600}), 129_600),
    ] {
        let principal = caller.principal.clone();
        let credentials = bed.ok(caller, "GetSessionToken", asked).await["Credentials"].clone();
        assert_eq!(credentials["Expiration"], json!((START_S + duration_s) as f64));
        let kept = session(&bed.store, text(&credentials["AccessKeyId"])).expect("read").expect("kept");
        assert_eq!(kept.principal, principal);
        let again = caller_of(&kept);
        let refused = bed.refused(again, "GetSessionToken", json!({})).await;
        let words = "Cannot call GetSessionToken with session credentials";
        assert_eq!(refused, (403, "AccessDenied".to_owned(), words.to_owned()));
    }
}

fn caller_of(session: &Session) -> Caller {
    let scope = Scope { account: session.account.clone(), region: Region::default() };
    let access_key_id = Some(session.access_key_id.clone());
    Caller { access_key_id, principal: session.principal.clone(), ..Caller::root(scope) }
}

#[tokio::test]
async fn a_key_id_names_its_account() {
    let bed = Bed::new();
    let other = key_id::temporary(&Account::parse("210987654321").expect("an account"), 7);
    for (id, expected) in [(other.as_str(), "210987654321"), ("AKIDEXAMPLEEXAMPLE12", "123456789012")] {
        let found = bed.ok(user(), "GetAccessKeyInfo", json!({"AccessKeyId": id})).await;
        assert_eq!(found, json!({"Account": expected}));
    }
    let (status, code, _) =
        bed.refused(user(), "GetAccessKeyInfo", json!({"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"})).await;
    assert_eq!((status, code.as_str()), (400, "ValidationError"));
}

#[tokio::test]
async fn sessions_long_expired_are_forgotten_when_there_are_many() {
    let bed = Bed::new();
    let old = |n: u32| Session {
        account: account(),
        access_key_id: format!("ASIA{n:016}"),
        secret_access_key: String::new(),
        token: String::new(),
        principal: String::new(),
        user_id: String::new(),
        source_identity: None,
        created_ms: 0,
        expires_ms: START_S * 1000 - i64::from(n) * 1000,
    };
    let fill = move |tx: &mut pitbird_store::Transaction<'_>| {
        (0..5000).try_for_each(|n| tx.put(&old(n)).map(|_| ())).map_err(Error::from)
    };
    bed.store.write(fill).await.expect("written");
    bed.ok(root(), "GetSessionToken", json!({})).await;
    let left = bed.store.list::<Session>(&Session::prefix_of(&account())).expect("read").len();
    // Those of the last hour stay, and the new one.
    assert_eq!(left, 3600 + 1);
}

#[tokio::test]
async fn sessions_are_bounded() {
    let bed = Bed::new();
    let live = |n: u32| Session {
        account: account(),
        access_key_id: format!("ASIA{n:016}"),
        secret_access_key: String::new(),
        token: String::new(),
        principal: String::new(),
        user_id: String::new(),
        source_identity: None,
        created_ms: 0,
        expires_ms: i64::MAX / 2,
    };
    let fill = move |tx: &mut pitbird_store::Transaction<'_>| {
        (0..9_999).try_for_each(|n| tx.put(&live(n)).map(|_| ())).map_err(Error::from)
    };
    bed.store.write(fill).await.expect("written");
    bed.ok(root(), "GetSessionToken", json!({})).await;
    let refused = bed.refused(root(), "GetSessionToken", json!({})).await;
    assert_eq!(refused, (400, "Throttling".to_owned(), "Rate exceeded".to_owned()));
}

#[test]
fn every_inputs_members_are_in_the_model_with_their_kinds() {
    let bed = Bed::new();
    for operation in bed.service.operations() {
        let known = model().operation(operation).expect(operation);
        for found in bed.service.input_members(operation).expect(operation) {
            let input = model().shape(known.input.expect("an input with members"));
            let pitbird_wire::Kind::Structure(structure) = &input.kind else { panic!("{operation}") };
            let member = structure.members.iter().find(|member| member.name == found.path);
            let member = member.unwrap_or_else(|| panic!("{operation} has no {}", found.path));
            let fits = match &model().shape(member.reference.shape).kind {
                pitbird_wire::Kind::String => found.kind == Kind::String,
                pitbird_wire::Kind::Integer => found.kind == Kind::Integer,
                _ => false,
            };
            assert!(fits, "{operation} {}", found.path);
        }
    }
}
