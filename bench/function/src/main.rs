//! A hello function on the official Rust runtime: answers a proxy event with 200 bytes or so.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let path = event.payload["path"].as_str().unwrap_or("/");
        let body = json!({ "message": "hello", "path": path, "filler": "x".repeat(128) }).to_string();
        Ok::<Value, Error>(json!({ "statusCode": 200, "headers": { "content-type": "application/json" }, "body": body }))
    }))
    .await
}
