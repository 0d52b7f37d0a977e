use std::sync::Arc;

use http::Request;
use http_body_util::BodyExt;
use pitbird_names::Account;
use pitbird_service::Builder;
use pitbird_sigv4::{Credentials, Secret};
use serde::{Deserialize, Serialize};

use super::*;
use crate::Credential;

#[derive(Deserialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Identity {
    account: String,
    arn: String,
}

async fn who(_: Arc<()>, call: Call<Nothing>) -> Result<Identity, service::Fault> {
    Ok(Identity { account: call.caller.scope.account.to_string(), arn: call.caller.principal })
}

fn control(signatures: Signatures) -> Control {
    let sts = Builder::new("sts", Arc::new(())).operation("GetCallerIdentity", &[], who).build();
    let lookup: Lookup = Arc::new(|id| {
        (id == "AKIDEXAMPLE").then(|| Credential {
            secret: Secret { secret_access_key: "secret".into(), session: None },
            account: Account::parse("123456789012").expect("twelve digits"),
            principal: "arn:aws:iam::123456789012:user/ada".into(),
            session_id: None,
        })
    });
    let lambda = Builder::new("lambda", Arc::new(())).operation("GetFunction", &[], who).build();
    // Ada may read one function.
    let gate: Gate = Arc::new(|caller, asked| {
        let f = "arn:aws:lambda:us-east-1:123456789012:function:f".to_owned();
        let may = Asked { action: "lambda:GetFunction".to_owned(), resources: vec![f] };
        match caller.principal.ends_with("user/ada") && *asked == may {
            true => Permission::Allowed,
            false => Permission::NotMentioned,
        }
    });
    Control::new([sts, lambda], signatures, lookup, gate)
}

async fn post(control: &Control, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut request = Request::post("/").header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = request.body(Full::from(body.to_owned())).expect("a request").into_parts();
    let reached = Reached { scheme: "http", local: SocketAddr::from(([127, 0, 0, 1], 4566)) };
    let answer = control.serve(&parts, body, reached, Origin::Outside).await;
    assert!(answer.headers().contains_key("x-amzn-requestid"));
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";

#[tokio::test]
async fn an_unsigned_call_on_loopback_is_the_default_accounts() {
    let (status, body) = post(&control(Signatures::Unchecked), &[], WHO).await;
    assert_eq!(status, 200);
    assert!(body.contains("<Account>000000000000</Account>"), "{body}");
}

#[tokio::test]
async fn a_key_of_twelve_digits_names_the_account() {
    let authorization = "AWS4-HMAC-SHA256 Credential=210987654321/20261123/eu-west-1/sts/aws4_request, \
                         SignedHeaders=host;x-amz-date, Signature=00";
    let headers = [("authorization", authorization), ("x-amz-date", "20261123T000000Z")];
    let (_, body) = post(&control(Signatures::Unchecked), &headers, WHO).await;
    assert!(body.contains("<Account>210987654321</Account>"), "{body}");
}

#[tokio::test]
async fn required_signatures_are_verified() {
    let control = control(Signatures::Required);
    let (status, body) = post(&control, &[], WHO).await;
    assert_eq!(status, 403);
    assert!(body.contains("<Code>MissingAuthenticationToken</Code>"), "{body}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    for (secret, region, expected) in [
        ("secret", "us-east-1", 200),
        ("secret", "eu-west-1", 200),
        ("wrong", "us-east-1", 403),
        ("secret", "US_EAST_1", 403),
    ] {
        let credentials =
            Credentials { access_key_id: "AKIDEXAMPLE", secret_access_key: secret, session_token: None };
        let headers: &[(&str, &[u8])] = &[("host", b"localhost")];
        let request = pitbird_sigv4::Request { method: "POST", path: "/", query: "", headers };
        let payload = pitbird_sigv4::Payload::Bytes(WHO.as_bytes());
        let signed = pitbird_sigv4::sign(&request, &payload, &credentials, region, "sts", now);
        let signed: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (status, body) = post(&control, &signed, WHO).await;
        assert_eq!(status, expected, "{body}");
        let is_odd = body.contains("Credential should be scoped to a valid region.");
        assert_eq!(is_odd, region == "US_EAST_1", "{body}");
    }
}

#[tokio::test]
async fn a_call_that_is_too_large_is_named() {
    let length = (pitbird_names::limits::CALL_BODY_BYTES + 1).to_string();
    for (path, words) in [
        (
            "/2015-03-31/functions",
            "Request must be smaller than 70167211 bytes for the CreateFunction operation",
        ),
        (
            "/2015-03-31/functions/f/code",
            "Request must be smaller than 70167211 bytes for the UpdateFunctionCode operation",
        ),
    ] {
        let method = if path.ends_with("code") { "PUT" } else { "POST" };
        let request = Request::builder().method(method).uri(path).header("content-length", &length);
        let (parts, body) = request.body(Full::from("x")).expect("a request").into_parts();
        let reached = Reached { scheme: "http", local: SocketAddr::from(([127, 0, 0, 1], 4566)) };
        let answer = control(Signatures::Unchecked).serve(&parts, body, reached, Origin::Outside).await;
        assert_eq!(answer.status().as_u16(), 413);
        let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
        assert!(String::from_utf8_lossy(&body).contains(&format!("{words}\"")), "{body:?}");
    }
}

#[tokio::test]
async fn a_function_must_sign_and_may_do_what_its_policies_allow() {
    let control = control(Signatures::Unchecked);
    let ask = async |path: &str, is_signed: bool, service: &str| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let (method, body) = if path == "/" { ("POST", WHO) } else { ("GET", "") };
        let headers: &[(&str, &[u8])] = &[("host", b"localhost")];
        let request = pitbird_sigv4::Request { method, path, query: "", headers };
        let credentials =
            Credentials { access_key_id: "AKIDEXAMPLE", secret_access_key: "secret", session_token: None };
        let payload = pitbird_sigv4::Payload::Bytes(body.as_bytes());
        let signed = pitbird_sigv4::sign(&request, &payload, &credentials, "us-east-1", service, now);
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        for (name, value) in signed.iter().filter(|_| is_signed) {
            request = request.header(*name, value);
        }
        let (parts, body) = request.body(Full::from(body.to_owned())).expect("a request").into_parts();
        let reached = Reached { scheme: "http", local: SocketAddr::from(([127, 0, 0, 1], 9001)) };
        let answer = control.serve(&parts, body, reached, Origin::Function).await;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("text"))
    };
    let (status, body) = ask("/", false, "sts").await;
    assert_eq!((status, body.contains("MissingAuthenticationToken")), (403, true), "{body}");
    assert_eq!(ask("/", true, "sts").await.0, 200, "who one is, one may always ask");
    let functions = "/2015-03-31/functions";
    let (status, body) = ask(&format!("{functions}/f"), true, "lambda").await;
    // Its stand-in answers with another shape; it was called.
    assert_ne!(status, 403, "{body}");
    let (status, body) = ask(&format!("{functions}/g"), true, "lambda").await;
    assert_eq!(status, 403);
    let words = "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: lambda:GetFunction on resource: \
                 arn:aws:lambda:us-east-1:123456789012:function:g because no identity-based policy allows the \
                 lambda:GetFunction action";
    assert!(body.contains(words), "{body}");
    assert_eq!(ask(&format!("{functions}/f"), false, "lambda").await.0, 403);
}

#[tokio::test]
async fn what_is_not_written_names_itself() {
    let headers =
        [("x-amz-target", "Logs_20140328.StartQuery"), ("content-type", "application/x-amz-json-1.1")];
    let body = r#"{"startTime":0,"endTime":1,"queryString":"fields @message"}"#;
    let (status, body) = post(&control(Signatures::Unchecked), &headers, body).await;
    assert_eq!(status, 501);
    assert!(body.contains("logs StartQuery"), "{body}");
}

#[tokio::test]
async fn bad_input_gets_a_clear_error() {
    let control = control(Signatures::Unchecked);
    let target =
        [("x-amz-target", "Logs_20140328.CreateLogGroup"), ("content-type", "application/x-amz-json-1.1")];
    for (body, words) in [
        ("{", "SerializationException"),
        ("[]", "SerializationException"),
        (r#"{"logGroupName":7}"#, "SerializationException"),
        ("{}", "logGroupName"),
        (r#"{"logGroupName":""}"#, "length greater than or equal to 1"),
        (r#"{"logGroupName":"a","colour":"red"}"#, "colour"),
    ] {
        let (status, answer) = post(&control, &target, body).await;
        assert_eq!(status, 400, "{body}: {answer}");
        assert!(answer.contains(words), "{body}: {answer}");
    }
    for body in ["Action=Fly&Version=2011-06-15", "Action=GetCallerIdentity&Version=2011-06-15&Colour=red"] {
        let (status, answer) = post(&control, &[], body).await;
        assert!(status == 400 || status == 404, "{status} {answer}");
    }
}

#[test]
fn callers_are_told_where_and_how_they_have_reached_us() {
    let local = SocketAddr::from(([127, 0, 0, 1], 4566));
    let mut headers = HeaderMap::new();
    assert_eq!(Reached { scheme: "https", local }.endpoint(&headers), "https://127.0.0.1:4566");
    headers.insert(HOST, HeaderValue::from_static("aws.example:8443"));
    assert_eq!(Reached { scheme: "https", local }.endpoint(&headers), "https://aws.example:8443");
    assert_eq!(Reached { scheme: "http", local }.endpoint(&headers), "http://aws.example:8443");
}

#[test]
fn a_call_belongs_to_the_trace_that_its_headers_name() {
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    let w3c = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
    let both = format!("{root};Parent=53995c3f42cd8ad8;Sampled=1");
    let long = format!("{both};Self={}", "1".repeat(512));
    for (name, value, told) in [
        ("X-Amzn-Trace-Id", root, Some(root)),
        ("x-amzn-trace-id", &both, Some(both.as_str())),
        ("traceparent", w3c, Some(both.as_str())),
        ("x-amzn-trace-id", "nonsense", None),
        ("x-amzn-trace-id", &long, None),
        ("x-amzn-requestid", root, None),
    ] {
        let request = Request::post("/").header(name, value).body(()).unwrap();
        assert_eq!(trace_id(request.headers()).as_deref(), told, "{name}: {value}");
    }
}
