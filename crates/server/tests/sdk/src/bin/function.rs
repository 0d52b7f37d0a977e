//! A function on the official Rust runtime: answers whole, in pieces, or not at all, as its event says.

use lambda_runtime::streaming::{Body, channel};
use lambda_runtime::{Error, FunctionResponse, LambdaEvent, StreamResponse, run, service_fn};
use serde_json::{Value, json};

type Answer = FunctionResponse<Value, Body>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Answer, Error> {
    let LambdaEvent { payload, context } = event;
    match payload["how"].as_str() {
        Some("fail") => Err("as asked".into()),
        Some("pieces") => Ok(pieces(payload["count"].as_u64().unwrap_or(3))),
        _ => {
            println!("asked for {payload}");
            let about = json!({
                "event": payload, "request": context.request_id, "arn": context.invoked_function_arn,
                "name": context.env_config.function_name, "version": context.env_config.version,
                "memory": context.env_config.memory, "stage": std::env::var("STAGE").ok(),
            });
            Ok(FunctionResponse::BufferedResponse(about))
        }
    }
}

fn pieces(count: u64) -> Answer {
    let (mut sender, body) = channel();
    tokio::spawn(async move {
        for at in 0..count {
            if sender.send_data(format!("piece {at}\n").into()).await.is_err() {
                return;
            }
        }
    });
    FunctionResponse::StreamingResponse(StreamResponse::from(body))
}
