//! Messages per second of one core: `cargo run --release -p pitbird-filterpattern --example measure`.

#![allow(clippy::print_stdout, reason = "a measurement is printed")]

use std::hint::black_box;
use std::time::Instant;

use pitbird_filterpattern::Pattern;

fn main() {
    let json = r#"{"timestamp":"2025-11-23T12:00:00.123Z","level":"INFO","service":"orders","requestId":"5f1a4c1e-8a","user":
        {"id":17,"roles":["a","b","c"]},"http":{"method":"GET","path":"/orders/17","status":200},"latency":12.5,
        "message":"order was read from the store and returned to the caller"}"#;
    let line = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    for (pattern, message) in [
        ("ERROR -retry", json),
        ("{ $.http.status >= 500 }", json),
        ("{ $.http.status = 200 && $.user.roles[1] = b && $.latency > 10 }", json),
        ("{ $.level = \"ERROR\" }", json),
        ("[..., status = 4*, bytes > 1000]", line),
        ("%order.*caller%", json),
    ] {
        let parsed = Pattern::parse(pattern).expect("a pattern");
        let (start, rounds) = (Instant::now(), 100_000);
        let taken = (0..rounds).filter(|_| parsed.takes(black_box(message))).count();
        let second = f64::from(rounds) / start.elapsed().as_secs_f64();
        println!("{second:>10.0}/s  taken {:>3} %  {pattern}", taken * 100 / rounds as usize);
    }
}
