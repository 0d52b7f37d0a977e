//! A hello function on the official Rust runtime: answers a proxy event with 200 bytes or so, after `wait_ms` if it has one.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|event: LambdaEvent<Value>| async move {
        if let Some(wait_ms) = event.payload["wait_ms"].as_u64() {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        let path = event.payload["path"].as_str().unwrap_or("/");
        let body = json!({ "message": "hello", "path": path, "filler": "x".repeat(128) }).to_string();
        Ok::<Value, Error>(
            json!({ "statusCode": 200, "headers": { "content-type": "application/json" }, "body": body }),
        )
    }))
    .await
}
