//! What it costs to ask who a caller is: a JSON Web Token by cached keys, and a function's cached answer.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pitbird_testkit::Server;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use super::load::alternate_with;
use super::peers::{self, Program};
use super::platform::{api, bench_binary, call, create_function, deploy, permit, put_mock, serve};
use super::{Figure, Options};

/// Lets everybody pass who says so.
const AUTHORIZER: &str = r#"
def handler(event, context):
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {"principalId": "ada", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"#;

pub fn figures(root: &Path, options: &Options) -> Result<Vec<Figure>> {
    let server = serve(root);
    Ok(vec![token(root, &server, options)?, function(&server, options)?])
}

/// Two routes of one HTTP API to one endpoint, one of them with a JWT authorizer.
fn token(root: &Path, server: &Server, options: &Options) -> Result<Figure> {
    let endpoint = peers::front_end(root, 64, &Program::new(bench_binary(root, "bench-function")))?;
    let issuer = Issuer::start(root)?;
    let word = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let made = call(server, "POST", "/v2/apis", &json!({ "name": "bench", "protocolType": "HTTP" }))?;
    let (base, id) = (format!("/v2/apis/{}", word(&made, "apiId")), word(&made, "apiId"));
    let integration = call(
        server,
        "POST",
        &format!("{base}/integrations"),
        &json!({
            "integrationType": "HTTP_PROXY", "integrationMethod": "GET", "payloadFormatVersion": "1.0",
            "integrationUri": format!("{}/", endpoint.url),
        }),
    )?;
    let authorizer = call(
        server,
        "POST",
        &format!("{base}/authorizers"),
        &json!({
            "name": "token", "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
            "jwtConfiguration": { "issuer": issuer.url, "audience": ["bench"] },
        }),
    )?;
    let target = format!("integrations/{}", word(&integration, "integrationId"));
    call(server, "POST", &format!("{base}/routes"), &json!({ "routeKey": "GET /open", "target": target }))?;
    let closed = json!({
        "routeKey": "GET /closed", "target": target, "authorizationType": "JWT",
        "authorizerId": word(&authorizer, "authorizerId"),
    });
    call(server, "POST", &format!("{base}/routes"), &closed)?;
    let stage = json!({ "stageName": "$default", "autoDeploy": true });
    call(server, "POST", &format!("{base}/stages"), &stage)?;
    let url = format!("{}/_aws/execute-api/{id}", server.endpoint);
    let header = ["-H".to_owned(), format!("Authorization: Bearer {}", issuer.token()?)];
    let (ours, theirs, ratio) =
        alternate_with((&format!("{url}/closed"), &header), (&format!("{url}/open"), &header), options)?;
    let measured = format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)");
    Ok(Figure::new(
        "JWT authorizer, cached keys, against a route of the same API without",
        "≥ 0.8 ×",
        measured,
    ))
}

/// Two REST APIs with a mock, one of them behind a function whose answers are kept.
fn function(server: &Server, options: &Options) -> Result<Figure> {
    create_function(server, "authorizer", "python3.11", "app.handler", &[("app.py", AUTHORIZER.as_bytes())])?;
    permit(server, "authorizer", None)?;
    let mut urls = Vec::new();
    for is_guarded in [true, false] {
        let (id, resource) = api(server)?;
        put_mock(server, &id, &resource)?;
        if is_guarded {
            let authorizer = call(
                server,
                "POST",
                &format!("/restapis/{id}/authorizers"),
                &json!({
                    "name": "function", "type": "TOKEN", "identitySource": "method.request.header.X-Token",
                    "authorizerResultTtlInSeconds": 3600,
                    "authorizerUri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                        arn:aws:lambda:us-east-1:000000000000:function:authorizer/invocations",
                }),
            )?;
            let patch = json!({ "patchOperations": [
                { "op": "replace", "path": "/authorizationType", "value": "CUSTOM" },
                { "op": "replace", "path": "/authorizerId", "value": authorizer["id"] },
            ] });
            call(server, "PATCH", &format!("/restapis/{id}/resources/{resource}/methods/GET"), &patch)?;
        }
        deploy(server, &id, &json!({ "stageName": "prod" }))?;
        urls.push(format!("{}/", server.stage_url(&id, "prod")));
    }
    let header = ["-H".to_owned(), "X-Token: let-me-in".to_owned()];
    let (ours, theirs, ratio) = alternate_with((&urls[0], &header), (&urls[1], &header), options)?;
    let measured = format!("{ratio:.2} ({ours:.0}/s against {theirs:.0}/s)");
    Ok(Figure::new("Lambda authorizer, cached, against the same route without", "≥ 0.8 ×", measured))
}

/// Who issues tokens: a key, and a page that tells its public half.
struct Issuer {
    url: String,
    pair: RsaKeyPair,
}

impl Issuer {
    fn start(root: &Path) -> Result<Issuer> {
        // The key of the tests of tokens, which guards nothing.
        let pkcs8 = std::fs::read(root.join("crates/jwt/src/token/issuer.pk8"))?;
        let pair = RsaKeyPair::from_pkcs8(&pkcs8).map_err(|error| anyhow!("{error}"))?;
        let public = pair.public_key();
        let coded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // RSAPublicKey (RFC 8017 §A.1.1) of 2048 bits: a sequence of two numbers, with heads of known lengths.
        let (modulus, exponent) = public.as_ref().split_at_checked(265).context("a key of 2048 bits")?;
        let key = json!({
            "kty": "RSA", "kid": "bench", "alg": "RS256", "use": "sig",
            "n": coded(&modulus[9..]), "e": coded(&exponent[2..]),
        });
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let discovery = json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }).to_string();
        let keys = json!({ "keys": [key] }).to_string();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 4096];
                let Ok(read) = stream.read(&mut head) else { continue };
                let asks_for_keys = head[..read].starts_with(b"GET /keys");
                let body = if asks_for_keys { &keys } else { &discovery };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                // Who has gone doesn't read.
                let _gone = stream.write_all(answer.as_bytes());
            }
        });
        Ok(Issuer { url, pair })
    }

    /// Good for an hour.
    fn token(&self) -> Result<String> {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let head = json!({ "alg": "RS256", "kid": "bench", "typ": "JWT" });
        let claims = json!({ "iss": self.url, "aud": "bench", "sub": "ada", "exp": now_s + 3600 });
        let message = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .map_err(|error| anyhow!("{error}"))?;
        Ok([message, URL_SAFE_NO_PAD.encode(signature)].join("."))
    }
}
