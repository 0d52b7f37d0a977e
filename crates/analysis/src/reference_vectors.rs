//! The 24 published vectors of canary-eproc v1; their expected values come from 50-digit arithmetic.

use serde_json::Value;

use crate::projection::{Rates, log_ratio, project};
use crate::{Arm, Bucket, HarmBound, RatioSequence, Restarting, ShareTest, SloGuard, TwoByTwo};
use crate::{combine, dkw, interval, threshold};

const TOLERANCE: f64 = 1.0e-9;

#[test]
fn every_reference_vector_is_met() {
    let text = include_str!("../tests/reference_vectors.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    for vector in vectors {
        let id = vector["id"].as_str().unwrap();
        match id {
            "K1-ramp-r0=1" | "K1-ramp-r0=1.1" | "K1-observed-share" => share(vector, id),
            "K1-noninferiority-ratio-rho2" => noninferiority_ratio(vector),
            "SRM" => split(vector),
            "RatioCS" => ratio_sequence(vector),
            "K3-latency-p50" | "K3-latency-p99" => latency(vector, id),
            "NI-diff-blocks" => blocks(vector),
            "DiffUpperBound" => harm(vector),
            "SLO-guard" => guard(vector),
            "Restart-mixture" => restarts(vector),
            "Bernoulli-CS" => rates(vector),
            "Quantile-CS-ranks" => quantiles(vector),
            "Combine" => combination(vector),
            "DKW-LIL" => band(vector),
            _ if id.starts_with("K1-outage-") => outage(vector, id),
            _ if id.starts_with("Stream-seed") => stream(vector, id),
            _ => panic!("no test for vector {id}"),
        }
    }
    assert_eq!(vectors.len(), 24);
}

/// Numbers come as JSON numbers or, where digits matter, as text.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn rows<'a>(vector: &'a Value, name: &str) -> &'a [Value] {
    vector[name].as_array().unwrap()
}

fn bucket(row: &Value) -> Bucket {
    Bucket::new(count(&row["n_c"]), count(&row["k_c"]), count(&row["n_b"]), count(&row["k_b"])).unwrap()
}

fn close(found: f64, expected: &Value, what: &str) {
    let expected = number(expected);
    let error = (found - expected).abs() / expected.abs().max(1.0);
    assert!(error <= TOLERANCE, "{what}: {found} instead of {expected}");
}

fn share(vector: &Value, id: &str) {
    let mut test = ShareTest::worse(vector.get("r0").map_or(1.0, number)).unwrap();
    for (row, expected) in rows(vector, "buckets").iter().zip(rows(vector, "log_e")) {
        let share = row.get("pi").map_or_else(|| bucket(row).share().unwrap(), number);
        test.update(count(&row["k_c"]), count(&row["k_b"]), share);
        close(test.log_e(), expected, id);
    }
}

fn outage(vector: &Value, id: &str) {
    let row = &rows(vector, "buckets")[0];
    let (events, share) = (count(&row["k_c"]), number(&row["pi"]));
    let log_e = |events| {
        let mut test = ShareTest::worse(1.0).unwrap();
        test.update(events, 0, share);
        test.log_e()
    };
    close(log_e(events), &vector["log_e"][0], id);
    close(log_e(events - 1), &vector["previous_event_log_e"], id);
    assert_eq!(log_e(events) >= threshold(0.001), vector["crosses_alpha_0_001"].as_bool().unwrap());
}

fn noninferiority_ratio(vector: &Value) {
    let mut test = ShareTest::better(2.0).unwrap();
    for (row, expected) in rows(vector, "buckets").iter().zip(rows(vector, "log_e")) {
        test.update(count(&row["k_c"]), count(&row["k_b"]), number(&row["pi"]));
        close(test.log_e(), expected, "ratio non-inferiority");
    }
}

fn split(vector: &Value) {
    let mut test = ShareTest::split();
    for (row, expected) in rows(vector, "buckets").iter().zip(rows(vector, "log_e")) {
        test.update(count(&row["n_c"]), count(&row["n_b"]), number(&row["pi"]));
        close(test.log_e(), expected, "split");
    }
}

fn ratio_sequence(vector: &Value) {
    let mut sequence = RatioSequence::default();
    for row in rows(vector, "buckets") {
        sequence.update(count(&row["k_c"]), count(&row["k_b"]), number(&row["pi"]));
    }
    for (alpha, bounds) in vector["bounds"].as_object().unwrap() {
        let interval = sequence.interval(alpha.parse().unwrap()).unwrap();
        close(interval.low, &bounds[0], "ratio, low");
        close(interval.high, &bounds[1], "ratio, high");
    }
}

fn latency(vector: &Value, id: &str) {
    let mut test = TwoByTwo::at_rate(number(&vector["theta_b"])).unwrap();
    for (row, expected) in rows(vector, "buckets").iter().zip(rows(vector, "log_e")) {
        test.update(bucket(row));
        close(test.log_e(), expected, id);
    }
}

fn blocks(vector: &Value) {
    for case in rows(vector, "cases") {
        let guess = Rates { canary: number(&case["theta_c"]), base: number(&case["theta_b"]) };
        let (bucket, delta) = (bucket(case), number(&case["delta"]));
        let t = project(bucket.share().unwrap(), guess, delta);
        close(t, &case["t_star"], "projection");
        let log_e = log_ratio(bucket.canary, guess.canary, t + delta) + log_ratio(bucket.base, guess.base, t);
        close(log_e, &case["log_e"], "block");
    }
}

fn harm(vector: &Value) {
    let history = Arm::new(count(&vector["hist_n"]), count(&vector["hist_k"])).unwrap();
    let mut bound = HarmBound::new(history, 0.005);
    for row in rows(vector, "trace") {
        bound.update(bucket(row));
        assert_eq!(bound.upper(number(&vector["alpha"])), number(&row["U"]));
        for (margin, name) in
            [(0.5, "log_e_delta_0_5"), (0.02, "log_e_delta_0_02"), (0.005, "log_e_delta_0_005")]
        {
            close(bound.log_e(margin).unwrap(), &row[name], name);
        }
    }
}

fn guard(vector: &Value) {
    let mut guard = SloGuard::new(number(&vector["s"])).unwrap();
    for row in rows(vector, "trace") {
        guard.update(Arm::new(count(&row["n"]), count(&row["k"])).unwrap());
        close(guard.log_e(), &row["log_e"], "guard");
    }
}

fn restarts(vector: &Value) {
    let mut test = Restarting::default();
    for row in rows(vector, "trace") {
        if row["new_start_before"].as_bool().unwrap() {
            test.restart();
        }
        test.update(count(&row["k_c"]), count(&row["k_b"]), number(&row["pi"]));
        close(test.log_e(), &row["log_e"], "restarts");
    }
}

fn rates(vector: &Value) {
    for row in rows(vector, "rows") {
        let arm = Arm::new(count(&row["n"]), count(&row["k"])).unwrap();
        let interval = interval::rate(arm, number(&row["alpha"]));
        close(interval.low, &row["lo"], "rate, low");
        close(interval.high, &row["hi"], "rate, high");
    }
}

fn quantiles(vector: &Value) {
    for row in rows(vector, "rows") {
        let ranks = interval::quantile_ranks(count(&row["n"]), number(&row["p"]), number(&row["alpha"]));
        assert_eq!((ranks.low, ranks.high), (count(&row["lo_rank"]), count(&row["hi_rank"])));
    }
}

fn combination(vector: &Value) {
    let (weights, logs) = (rows(vector, "weights"), rows(vector, "log_e"));
    let parts: Vec<_> = weights.iter().zip(logs).map(|(w, l)| (number(w), number(l))).collect();
    close(combine(&parts), &vector["log_e_combined"], "combination");
}

fn band(vector: &Value) {
    for row in rows(vector, "rows") {
        let found = dkw::half_width(number(&row["t"]), number(&row["alpha"]), number(&row["t_min"]));
        let expected = number(&row["eps"]);
        assert!((found - expected).abs() <= number(&vector["tolerance"]), "{found} instead of {expected}");
    }
}

/// Requests one by one from SplitMix64: a draw below the weight goes to the canary, a second below the arm's rate
/// fails.
fn stream(vector: &Value, id: &str) {
    let mut state: u64 = id.strip_prefix("Stream-seed").unwrap().parse().unwrap();
    let mut draw = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * 2.0_f64.powi(-53)
    };
    let crossings = &vector["first_crossing_request"];
    let mut checkpoints = rows(vector, "checkpoints").iter().peekable();
    let mut test = ShareTest::worse(1.0).unwrap();
    let (mut n, mut seen) = (0, [0_u64; 3]);
    let mut first: Vec<_> = ["0.05", "0.01", "0.001"].map(|alpha| (alpha, None)).into();
    for stretch in rows(vector, "ramp") {
        for _ in 0..count(&stretch["requests"]) {
            n += 1;
            let canary = draw() < number(&stretch["weight"]);
            seen[0] += u64::from(canary);
            if draw() < number(&vector[if canary { "theta_c" } else { "theta_b" }]) {
                seen[if canary { 1 } else { 2 }] += 1;
                test.update(canary.into(), (!canary).into(), number(&stretch["weight"]));
                let log_e = test.log_e();
                for (alpha, crossed) in &mut first {
                    if crossed.is_none() && log_e >= threshold(alpha.parse().unwrap()) {
                        *crossed = Some(n);
                    }
                }
            }
            if let Some(row) = checkpoints.next_if(|row| count(&row["n"]) == n) {
                assert_eq!(seen, [count(&row["n_c"]), count(&row["k_c"]), count(&row["k_b"])]);
                close(test.log_e(), &row["log_e"], id);
            }
        }
    }
    for (alpha, crossed) in first {
        assert_eq!(crossed, crossings.get(alpha).map(count), "{id} at {alpha}");
    }
    assert!(checkpoints.next().is_none());
    assert_eq!(seen[0], count(&vector["totals"]["n_c"]));
    close(test.log_e(), &vector["final_log_e"], id);
}
