use pitbird_wire::Fault;
use serde_json::json;

use super::*;
use crate::stub::Stub;

#[tokio::test]
async fn every_protocol_is_spoken() {
    for (service, operation, input, output) in [
        (
            "lambda",
            "GetFunctionConfiguration",
            json!({"FunctionName": "f"}),
            json!({"Version": "7", "Timeout": 3}),
        ),
        (
            "apigateway",
            "get-stage",
            json!({"restApiId": "a", "stageName": "prod"}),
            json!({"stageName": "prod"}),
        ),
        ("logs", "DescribeLogGroups", json!({"limit": 5}), json!({"logGroups": [{"logGroupName": "g"}]})),
        (
            "cloudwatch",
            "list-metrics",
            json!({"Namespace": "AWS/Lambda"}),
            json!({"Metrics": [{"MetricName": "Errors"}]}),
        ),
        (
            "iam",
            "GetRole",
            json!({"RoleName": "r"}),
            json!({"Role": {
            "Path": "/", "RoleName": "r", "RoleId": "AROA", "Arn": "arn:aws:iam::000000000000:role/r",
            "CreateDate": "2026-11-01T00:00:00.000Z"}}),
        ),
        ("rollouts", "GetRollout", json!({"Name": "r"}), json!({"Rollout": {"Name": "r", "Percent": 10.5}})),
        ("deploy", "list-applications", json!({}), json!({"applications": ["a"]})),
    ] {
        let answer = output.clone();
        let stub = Stub::start(move |_| Ok(answer.clone())).await;
        assert_eq!(
            stub.client().call(service, operation, &input).await.unwrap(),
            output,
            "{service} {operation}"
        );
        assert_eq!(stub.asked()[0].input, input, "{service} {operation}");
    }
}

#[tokio::test]
async fn calls_are_signed_for_their_service() {
    let stub = Stub::start(|_| Ok(json!({}))).await;
    stub.client().call("cloudwatch", "ListMetrics", &json!({})).await.unwrap();
    let authorization = &stub.asked()[0].authorization;
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=test/"), "{authorization}");
    assert!(authorization.contains("/eu-west-1/monitoring/aws4_request"), "{authorization}");
}

#[tokio::test]
async fn a_connection_is_kept_and_made_again() {
    let stub = Stub::start_with(|_| Ok(json!({})), 2).await;
    let client = stub.client();
    for _ in 0..5 {
        client.call("sts", "GetCallerIdentity", &json!({})).await.unwrap();
    }
    let connections: Vec<usize> = stub.asked().iter().map(|asked| asked.connection).collect();
    assert_eq!(connections, [0, 0, 1, 1, 2]);
}

#[tokio::test]
async fn a_token_that_the_caller_left_out_is_filled_in() {
    let stub = Stub::start(|_| Ok(json!({}))).await;
    let input = json!({"name": "q", "queryString": "fields @message"});
    stub.client().call("logs", "PutQueryDefinition", &input).await.unwrap();
    let token = stub.asked()[0].input["clientToken"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 36, "a UUID: {token}");
}

#[tokio::test]
async fn a_refusal_keeps_the_services_words() {
    let stub = Stub::start(|_| Err(Fault::new("ResourceNotFoundException", "no function f"))).await;
    let error = stub.client().call("lambda", "GetFunction", &json!({"FunctionName": "f"})).await.unwrap_err();
    assert_eq!(error.to_string(), "ResourceNotFoundException: no function f");
    let refusal = error.refusal().unwrap();
    assert_eq!((refusal.status, refusal.code.as_str()), (404, "ResourceNotFoundException"));
    assert!(!error.is_usage() && !error.is_passing());
}

#[tokio::test]
async fn a_wrong_key_gets_a_hint() {
    let stub = Stub::start(|_| Err(Fault::new("UnrecognizedClientException", "no such key"))).await;
    let error = stub.client().call("lambda", "GetAccountSettings", &json!({})).await.unwrap_err();
    assert!(error.hint().unwrap().contains("AWS_ACCESS_KEY_ID"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_to_be_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::from(listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(endpoint, "us-east-1", Credentials::anonymous());
    let error = client.call("sts", "GetCallerIdentity", &json!({})).await.unwrap_err();
    assert!(error.is_passing());
    assert!(error.to_string().starts_with("no server answers at http://127.0.0.1:"), "{error}");
    assert!(error.hint().unwrap().contains("pitbird serve"));
}

#[tokio::test]
async fn a_server_that_is_silent_is_waited_for_only_so_long() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::from(listener.local_addr().unwrap());
    let client = Client::new(endpoint, "us-east-1", Credentials::anonymous());
    let client = client.with_deadline(Duration::from_millis(50));
    let error = client.call("sts", "GetCallerIdentity", &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Late { .. }), "{error:?}");
}

#[tokio::test]
async fn bytes_that_are_no_http_break_the_connection_only() {
    use tokio::io::AsyncWriteExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::from(listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-not-http\r\n\r\n").await.unwrap();
    });
    let client = Client::new(endpoint, "us-east-1", Credentials::anonymous());
    let error = client.call("sts", "GetCallerIdentity", &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Broken { .. }), "{error:?}");
    serving.await.unwrap();
}

#[tokio::test]
async fn what_there_is_not_is_never_sent() {
    let stub = Stub::start(|_| Ok(json!({}))).await;
    let client = stub.client();
    for (service, operation, input, words, hint) in [
        ("lamda", "Invoke", json!({}), "there is no service \"lamda\"", "did you mean lambda?"),
        ("xyz", "Invoke", json!({}), "there is no service", "`pitbird api` lists"),
        ("lambda", "invok", json!({}), "lambda has no operation \"invok\"", "did you mean invoke?"),
        ("lambda", "CreateFuncton", json!({}), "has no operation", "did you mean create-function?"),
        ("lambda", "Fly", json!({}), "has no operation", "`pitbird api lambda` lists"),
        ("lambda", "Invoke", json!({"Functio": 1}), "Functio is no member", ""),
        ("lambda", "InvokeWithResponseStream", json!({"FunctionName": "f"}), "event stream", ""),
    ] {
        let error = client.call(service, operation, &input).await.unwrap_err();
        assert!(error.is_usage() && error.to_string().contains(words), "{error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{error}: {:?}", error.hint());
    }
    let error = client.call("lambda", "GetFunction", &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Encode(_)), "a label without a value: {error:?}");
    assert!(stub.asked().is_empty());
}

#[test]
fn keys_come_from_the_environment_or_are_made_up() {
    let whole = |name: &str| Some(name.to_lowercase());
    let credentials = Credentials::from_environment(whole);
    assert_eq!(credentials.access_key_id, "aws_access_key_id");
    assert_eq!(credentials.session_token.as_deref(), Some("aws_session_token"));
    assert!(!format!("{credentials:?}").contains("secret"), "secrets stay out of logs");
    let half = |name: &str| (name == "AWS_ACCESS_KEY_ID").then(|| "AKID".to_owned());
    assert_eq!(Credentials::from_environment(half), Credentials::anonymous());
}
