//! How much evidence a verdict takes: requests until a canary that never fails is known to be not worse, and errors
//! until one that always fails is known to be worse. Run: `cargo run -p pitbird-analysis --example evidence`.
#![allow(clippy::print_stdout, reason = "a program whose purpose is its output")]

use pitbird_analysis::{Arm, Bucket, ErrorJudge, Thresholds, Verdict};

const WEIGHTS: [f64; 4] = [0.01, 0.05, 0.1, 0.5];
/// A bucket of 20 requests: a tenth of a second at 200 requests per second. Smaller ones need no less evidence.
const BUCKET: f64 = 20.0;

fn main() {
    println!("nobody fails, no history: requests in all (canary's) until not worse, alpha 0.01");
    println!("{:>8} {:>18} {:>18} {:>18} {:>18}", "weight", "5 pp", "2 pp", "1 pp", "0.5 pp");
    for weight in WEIGHTS {
        let needed = [0.05, 0.02, 0.01, 0.005].map(|margin| {
            let requests = requests_until_not_worse(weight, margin);
            format!("{requests} ({:.0})", requests as f64 * weight)
        });
        println!("{weight:>8} {:>18} {:>18} {:>18} {:>18}", needed[0], needed[1], needed[2], needed[3]);
    }
    println!("the canary always fails, the base never: errors until worse, alpha 0.001");
    for weight in WEIGHTS {
        println!("{weight:>8} {:>18}", errors_until_worse(weight));
    }
}

fn requests_until_not_worse(weight: f64, margin: f64) -> u64 {
    let mut judge = ErrorJudge::new(Arm::default(), margin);
    let (mut all, mut canary) = (0.0, 0);
    loop {
        all += BUCKET;
        let next = (all * weight).round() as u64;
        let n_c = next - canary;
        canary = next;
        judge.observe(Bucket::new(n_c, 0, BUCKET as u64 - n_c, 0).expect("no events"), weight);
        if judge.judge(&thresholds(margin)).verdict == Verdict::NotWorse {
            return all as u64;
        }
    }
}

fn errors_until_worse(weight: f64) -> u64 {
    let mut judge = ErrorJudge::new(Arm::default(), 0.005);
    let between = (1.0 / weight).round() as u64 - 1;
    let mut errors = 0;
    while judge.judge(&thresholds(0.005)).verdict != Verdict::Worse {
        errors += 1;
        judge.observe(Bucket::new(1, 1, between, 0).expect("one event of one request"), weight);
    }
    errors
}

fn thresholds(margin: f64) -> Thresholds {
    Thresholds { alpha_rollback: 0.001, alpha_promote: 0.01, margin }
}
