//! What the parts of admission cost, nanoseconds each: `cargo run --release -p pitbird-edge --example admission_cost`.

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use pitbird_edge::{AuthorizerCache, Buckets, ResultKey, TokenBucket};
use pitbird_records::usage_plan::Throttle;
use pitbird_snapshot::{Models, PolicyDocument, PolicyQuestion, Schema};

const ROUNDS: u32 = 200_000;

fn main() -> std::io::Result<()> {
    let limit = Throttle { burst_limit: i64::MAX / 2, rate_limit: 1e9 };
    let bucket = TokenBucket::default();
    tell("a token of one bucket", || bucket.take(limit, 1_000_000))?;
    let buckets = Buckets::default();
    tell("a token of a key's bucket", || buckets.take(("plan", "key", "/pets/{id}", "GET"), limit))?;

    let cache = AuthorizerCache::default();
    let key =
        || ResultKey::of(["api", "stage", "deployment", "authorizer", "0", "Bearer eyJhbGciOiJub25lIn0"]);
    cache.put(key(), Arc::new(()), 0, 1);
    tell("an authorizer's result that is kept", || cache.get(&key(), 0))?;

    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke",
        "Resource":["arn:aws:execute-api:*:*:abc/prod/GET/*","arn:aws:execute-api:*:*:abc/prod/POST/pets"]}]}"#;
    let policy = PolicyDocument::parse(policy).map_err(std::io::Error::other)?;
    let question = PolicyQuestion {
        action: "execute-api:Invoke",
        resource: "arn:aws:execute-api:us-east-1:000000000000:abc/prod/POST/pets",
        principal: None,
        source_ip: "127.0.0.1",
        user_agent: None,
        referer: None,
        is_secure: true,
        at_epoch_s: 0,
    };
    tell("a policy of two resources", || policy.judge(&question))?;

    let schema = r#"{"type":"object","required":["name","age"],"additionalProperties":false,"properties":{
        "name":{"type":"string","maxLength":20},"age":{"type":"integer","minimum":0},"tags":{"items":{"type":"string"}}}}"#;
    let schema = Schema::compile(schema, &Models::default()).map_err(std::io::Error::other)?;
    let body = br#"{"name":"ada","age":36,"tags":["a","b"]}"#;
    tell("a body of three members, read and checked", || {
        serde_json::from_slice(body).map(|value| schema.faults(&value))
    })
}

fn tell<T>(what: &str, mut once: impl FnMut() -> T) -> std::io::Result<()> {
    let began = Instant::now();
    for _ in 0..ROUNDS {
        black_box(once());
    }
    let each_ns = began.elapsed().as_nanos() / u128::from(ROUNDS);
    writeln!(std::io::stdout(), "{each_ns:>8} ns  {what}")
}
