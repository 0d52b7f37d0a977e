//! The demo's function: a small price list behind an API. It is a real Lambda function, run in its own sandbox, that
//! speaks the Runtime API; its code package is this very binary and a file that says which release it is.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

/// Where a package says which release it is.
const RELEASE_FILE: &str = "/var/task/release";
/// Longest invocation that the demo sends, bytes.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Answers invocations until the environment ends.
pub fn main() -> io::Result<()> {
    let release = fs::read_to_string(RELEASE_FILE)?.trim().to_owned();
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(io::Error::other)?;
    let mut stream = BufReader::new(TcpStream::connect(&api)?);
    stream.get_ref().set_nodelay(true)?;
    loop {
        let next = format!("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {api}\r\n\r\n");
        stream.get_mut().write_all(next.as_bytes())?;
        let (id, event) = read_answer(&mut stream)?;
        let event: Value = serde_json::from_slice(&event)?;
        let answer = answer(&release, &event).to_string();
        let post = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: {api}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        stream.get_mut().write_all(post.as_bytes())?;
        read_answer(&mut stream)?;
    }
}

/// What the price list answers. Release v2 has the fault of the story: it divides by the number of reviews, and one pet
/// in twelve has none yet.
fn answer(release: &str, event: &Value) -> Value {
    let id: u64 = event["pathParameters"]["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0);
    let reviews = id % 12;
    let body = json!({ "id": id, "price_cents": 900 + id % 100, "reviews": reviews, "release": release });
    let headers = json!({ "x-release": release });
    let Some(score) = score(release, id, reviews) else {
        eprintln!("ERROR pet {id}: attempt to divide by zero");
        let body = json!({ "message": "attempt to divide by zero" });
        return json!({ "statusCode": 500, "headers": headers, "body": body.to_string() });
    };
    let mut body = body;
    body["score"] = json!(score);
    json!({ "statusCode": 200, "headers": headers, "body": body.to_string() })
}

/// The average review of a pet: v1 has none to show, v2 forgets that a pet may have none, v3 remembers.
fn score(release: &str, id: u64, reviews: u64) -> Option<u64> {
    let points = id * 7 % 50;
    match release {
        "v1" => Some(0),
        "v2" => points.checked_div(reviews),
        _ => Some(points.checked_div(reviews).unwrap_or(0)),
    }
}

/// The request id and the body of an HTTP answer.
fn read_answer(stream: &mut BufReader<TcpStream>) -> io::Result<(String, Vec<u8>)> {
    let (mut id, mut length) = (String::new(), 0);
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "lambda-runtime-aws-request-id" => value.trim().clone_into(&mut id),
                "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
                _ => {}
            }
        }
    }
    if length > EVENT_BYTES_MAX {
        return Err(io::Error::other("an event larger than the demo sends"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((id, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(release: &str, id: u64) -> i64 {
        let event = json!({ "pathParameters": { "id": id.to_string() } });
        answer(release, &event)["statusCode"].as_i64().unwrap()
    }

    #[test]
    fn only_the_second_release_fails_and_only_without_reviews() {
        for id in 0..100 {
            assert_eq!(status("v1", id), 200);
            assert_eq!(status("v2", id), if id % 12 == 0 { 500 } else { 200 });
            assert_eq!(status("v3", id), 200);
        }
    }
}
