//! Takes a function from its creation to its end with the official AWS SDK for Rust. Arguments: a role's ARN, and a zip with the
//! `function` of this package as its `bootstrap`.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::client::Waiters;
use aws_sdk_lambda::config::BehaviorVersion;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvokeWithResponseStreamResponseEvent as Event;
use aws_sdk_lambda::types::{
    AliasRoutingConfiguration, Environment, FunctionCode, FunctionUrlAuthType, InvokeMode, LogType, Runtime,
};
use serde_json::{Value, json};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const NAME: &str = "official";
const WAIT: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    let mut arguments = std::env::args().skip(1);
    let (Some(role), Some(package)) = (arguments.next(), arguments.next()) else {
        return Err("usage: client ROLE_ARN PACKAGE.zip".into());
    };
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let client = Client::new(&config);
    create(&client, &role, std::fs::read(package)?).await?;
    invoke(&client).await?;
    stream(&client).await?;
    split(&client).await?;
    refuse(&client).await?;
    end(&client).await
}

async fn create(client: &Client, role: &str, package: Vec<u8>) -> Result {
    let made = client
        .create_function()
        .function_name(NAME)
        .runtime(Runtime::Providedal2023)
        .handler("bootstrap")
        .role(role)
        .code(FunctionCode::builder().zip_file(Blob::new(package)).build())
        .environment(Environment::builder().variables("STAGE", "test").build())
        .timeout(10)
        .memory_size(256)
        .tags("team", "pets")
        .send()
        .await?;
    assert_eq!(made.function_name(), Some(NAME));
    client.wait_until_function_active_v2().function_name(NAME).wait(WAIT).await?;
    let found = client.get_function().function_name(NAME).send().await?;
    assert_eq!(found.tags(), Some(&HashMap::from([("team".to_owned(), "pets".to_owned())])));
    let mut pages = client.list_functions().into_paginator().items().send();
    let listed = pages.try_next().await?.and_then(|function| function.function_name);
    assert_eq!(listed.as_deref(), Some(NAME));
    Ok(())
}

async fn invoke(client: &Client) -> Result {
    let ask = |payload: Value| client.invoke().function_name(NAME).payload(Blob::new(payload.to_string()));
    let answer = ask(json!({"a": 1})).log_type(LogType::Tail).send().await?;
    assert_eq!(
        (answer.status_code(), answer.function_error(), answer.executed_version()),
        (200, None, Some("$LATEST"))
    );
    assert!(answer.log_result().is_some_and(|tail| !tail.is_empty()));
    let said: Value = serde_json::from_slice(answer.payload().ok_or("no payload")?.as_ref())?;
    assert_eq!(
        (&said["event"], &said["stage"], &said["memory"]),
        (&json!({"a": 1}), &json!("test"), &json!(256))
    );
    assert_eq!((&said["name"], &said["version"]), (&json!(NAME), &json!("$LATEST")));
    let failed = ask(json!({"how": "fail"})).send().await?;
    assert_eq!(failed.function_error(), Some("Unhandled"));
    let said: Value = serde_json::from_slice(failed.payload().ok_or("no payload")?.as_ref())?;
    assert_eq!(said["errorMessage"], "as asked");
    Ok(())
}

async fn stream(client: &Client) -> Result {
    let payload = Blob::new(json!({"how": "pieces", "count": 1000}).to_string());
    let mut answer = client.invoke_with_response_stream().function_name(NAME).payload(payload).send().await?;
    assert_eq!((answer.status_code(), answer.executed_version()), (200, Some("$LATEST")));
    let (mut said, mut end) = (Vec::new(), None);
    while let Some(event) = answer.event_stream.recv().await? {
        match event {
            Event::PayloadChunk(chunk) => said.extend(chunk.payload.ok_or("an empty piece")?.into_inner()),
            Event::InvokeComplete(complete) => end = Some(complete),
            other => return Err(format!("{other:?}").into()),
        }
    }
    let expected: String = (0..1000).map(|at| format!("piece {at}\n")).collect();
    // The runtime puts status and headers before it, for those who make HTTP of it.
    let said = String::from_utf8(said)?;
    let (prelude, body) = said.split_once("\0\0\0\0\0\0\0\0").ok_or("no prelude")?;
    assert_eq!(serde_json::from_str::<Value>(prelude)?["statusCode"], 200);
    assert!(body == expected, "{} bytes", body.len());
    assert_eq!(end.ok_or("no end")?.error_code(), None);
    Ok(())
}

async fn split(client: &Client) -> Result {
    for description in ["one", "two"] {
        let update = client.update_function_configuration().function_name(NAME).description(description);
        update.send().await?;
        client.wait_until_function_updated_v2().function_name(NAME).wait(WAIT).await?;
        client.publish_version().function_name(NAME).send().await?;
    }
    let routing = AliasRoutingConfiguration::builder().additional_version_weights("2", 1.0).build();
    let alias = client.create_alias().function_name(NAME).name("live").function_version("1");
    alias.routing_config(routing).send().await?;
    let answer = client.invoke().function_name(NAME).qualifier("live").send().await?;
    assert_eq!(answer.executed_version(), Some("2"));
    let promoted =
        AliasRoutingConfiguration::builder().set_additional_version_weights(Some(HashMap::new())).build();
    client.update_alias().function_name(NAME).name("live").routing_config(promoted).send().await?;
    let answer = client.invoke().function_name(NAME).qualifier("live").send().await?;
    assert_eq!(answer.executed_version(), Some("1"));
    let url = client.create_function_url_config().function_name(NAME).qualifier("live");
    let url =
        url.auth_type(FunctionUrlAuthType::AwsIam).invoke_mode(InvokeMode::ResponseStream).send().await?;
    assert!(url.function_url().contains(".lambda-url."), "{}", url.function_url());
    Ok(())
}

async fn refuse(client: &Client) -> Result {
    let absent = client.get_function().function_name("absent").send().await.expect_err("it isn't there");
    assert!(
        absent.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()),
        "{absent:?}"
    );
    client.put_function_concurrency().function_name(NAME).reserved_concurrent_executions(0).send().await?;
    let throttled = client.invoke().function_name(NAME).customize().config_override(
        aws_sdk_lambda::config::Config::builder().retry_config(aws_config::retry::RetryConfig::disabled()),
    );
    let throttled = throttled.send().await.expect_err("none may run").into_service_error();
    assert_eq!(throttled.code(), Some("TooManyRequestsException"), "{throttled:?}");
    client.delete_function_concurrency().function_name(NAME).send().await?;
    Ok(())
}

async fn end(client: &Client) -> Result {
    client.delete_function().function_name(NAME).send().await?;
    let listed = client.list_functions().send().await?;
    assert!(listed.functions().is_empty(), "{listed:?}");
    Ok(())
}
