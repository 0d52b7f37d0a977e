use proptest::prelude::*;

use super::super::{Band, Comparison, Outside, Threshold};
use super::*;
use crate::metrics::Unit;

/// 2025-01-01 00:10:37 UTC: the last whole minute began at 00:09.
const NOW: i64 = 1_735_690_237_000;
const MINUTE: i64 = 60_000;

fn rule(needed: Option<u32>, periods: u32, missing_data: MissingData) -> Rule {
    Rule {
        stat: Some(Stat::Average),
        stat_text: None,
        unit: None,
        period_s: 60,
        evaluation_periods: periods,
        datapoints_to_alarm: needed,
        threshold: Threshold::Static(Comparison::GreaterThan, 5.0),
        missing_data,
        low_samples: LowSamples::Evaluate,
    }
}

/// `X` breaches, `0` doesn't, `-` is missing; newest at the right.
fn data(text: &str) -> Vec<Point> {
    let slots: Vec<&str> = text.split(' ').collect();
    let last = NOW / MINUTE * MINUTE - MINUTE;
    let place = |index: usize| last - (slots.len() - 1 - index) as i64 * MINUTE;
    let value = |slot: &str| match slot {
        "X" => Some(9.0),
        "0" => Some(1.0),
        "-" => None,
        number => Some(number.parse().expect("a number")),
    };
    let points = slots.iter().enumerate().filter_map(|(index, slot)| Some((place(index), value(slot)?)));
    points.map(|(at_ms, value)| Point { at_ms, value, sample_count: Some(2.0), band: None }).collect()
}

/// CloudWatch's documented outcomes: M of N, data, then missing, ignore, breaching, notBreaching.
const DOCUMENTED: [(u32, &str, [&str; 4]); 10] = [
    (3, "0 - X - X", ["OK", "OK", "OK", "OK"]),
    (3, "0 - - - -", ["OK", "OK", "OK", "OK"]),
    (3, "- - - - -", ["INSUFFICIENT_DATA", "keep", "ALARM", "OK"]),
    (3, "0 X X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
    (3, "- - X - -", ["ALARM", "keep", "ALARM", "OK"]),
    (2, "0 - X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
    (2, "0 0 X 0 X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
    (2, "0 - X - -", ["OK", "OK", "ALARM", "OK"]),
    (2, "- - - - 0", ["OK", "OK", "ALARM", "OK"]),
    (2, "- - - X -", ["ALARM", "keep", "ALARM", "OK"]),
];

const TREATMENTS: [MissingData; 4] =
    [MissingData::Missing, MissingData::Ignore, MissingData::Breaching, MissingData::NotBreaching];

fn state(rule: &Rule, text: &str) -> &'static str {
    evaluate(rule, &data(text), NOW).map_or("keep", |outcome| outcome.state.as_str())
}

#[test]
fn all_forty_documented_outcomes_come_out() {
    for (needed, text, expected) in DOCUMENTED {
        for (missing, expected) in TREATMENTS.into_iter().zip(expected) {
            assert_eq!(
                state(&rule(Some(needed), 3, missing), text),
                expected,
                "{needed} of 3, {text}, {missing}"
            );
            if needed == 3 {
                assert_eq!(state(&rule(None, 3, missing), text), expected, "{text}, {missing}");
            }
        }
    }
}

#[test]
fn a_late_breach_is_no_alarm_yet() {
    for text in ["- - - - X", "- - - X -", "- - - X 0", "- - X - 0"] {
        assert_eq!(state(&rule(None, 3, MissingData::Missing), text), "OK", "{text}");
        assert_eq!(state(&rule(None, 3, MissingData::NotBreaching), text), "OK", "{text}");
    }
    // One that isn't over counts for nothing, nor does one from before the window.
    let outside = [NOW / MINUTE * MINUTE, NOW / MINUTE * MINUTE - 6 * MINUTE];
    let points = outside.map(|at_ms| Point { at_ms, value: 9.0, sample_count: Some(1.0), band: None });
    let outcome = evaluate(&rule(None, 3, MissingData::Missing), &points, NOW).expect("a state");
    assert_eq!(outcome.state, State::InsufficientData);
}

#[test]
fn each_comparison_breaches_as_it_says() {
    for (comparison, below, at, above) in [
        (Comparison::GreaterThan, "OK", "OK", "ALARM"),
        (Comparison::GreaterThanOrEqual, "OK", "ALARM", "ALARM"),
        (Comparison::LessThan, "ALARM", "OK", "OK"),
        (Comparison::LessThanOrEqual, "ALARM", "ALARM", "OK"),
    ] {
        let rule =
            Rule { threshold: Threshold::Static(comparison, 5.0), ..rule(None, 1, MissingData::Missing) };
        assert_eq!(
            [state(&rule, "4"), state(&rule, "5"), state(&rule, "6")],
            [below, at, above],
            "{comparison}"
        );
    }
}

#[test]
fn percentiles_of_few_samples_may_be_ignored() {
    let points = |sample_count| vec![Point { sample_count: Some(sample_count), ..data("X")[0] }];
    for (percent, enough) in [(99.0, 1000.0), (50.0, 20.0), (25.0, 40.0), (90.0, 100.0)] {
        let evaluated = Rule { stat: Some(Stat::Percentile(percent)), ..rule(None, 1, MissingData::Missing) };
        let ignored = Rule { low_samples: LowSamples::Ignore, ..evaluated.clone() };
        assert!(evaluate(&evaluated, &points(1.0), NOW).is_some());
        assert!(evaluate(&ignored, &points(enough - 1.0), NOW).is_none(), "p{percent}");
        assert!(evaluate(&ignored, &points(enough), NOW).is_some(), "p{percent}");
        assert!(evaluate(&Rule { stat: Some(Stat::Sum), ..ignored }, &points(1.0), NOW).is_some());
    }
}

#[test]
fn reasons_are_worded_as_cloudwatch_does() {
    let crossed = |text: &str| format!("Threshold Crossed: {text}");
    let (missing, good, bad) = (MissingData::Missing, MissingData::NotBreaching, MissingData::Breaching);
    for (needed, periods, treatment, text, expected) in [
        (
            Some(1),
            1,
            missing,
            "6",
            "1 out of the last 1 datapoints [6.0 (01/01/25 00:09:00)] was greater than the threshold (5.0) \
             (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            Some(2),
            2,
            missing,
            "7 6.5",
            "2 out of the last 2 datapoints [6.5 (01/01/25 00:09:00), 7.0 (01/01/25 00:08:00)] were greater than the \
             threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition).",
        ),
        (
            Some(1),
            1,
            missing,
            "1",
            "1 out of the last 1 datapoints [1.0 (01/01/25 00:09:00)] was not greater than the threshold (5.0) \
             (minimum 1 datapoint for ALARM -> OK transition).",
        ),
        (
            Some(3),
            5,
            missing,
            "0.0 9 0.0 9 0.0",
            "3 out of the last 5 datapoints [0.0 (01/01/25 00:09:00), 0.0 (01/01/25 00:07:00), 0.0 (01/01/25 00:05:00)] \
             were not greater than the threshold (5.0) (minimum 3 datapoints for ALARM -> OK transition).",
        ),
        (
            Some(1),
            20,
            good,
            "613",
            "1 out of the last 20 datapoints [613.0 (01/01/25 00:09:00)] was greater than the threshold (5.0) and 19 \
             missing datapoints were treated as [NonBreaching] (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            None,
            1,
            missing,
            "X",
            "1 datapoint [9.0 (01/01/25 00:09:00)] was greater than the threshold (5.0).",
        ),
        (
            None,
            2,
            missing,
            "1 0.5",
            "2 datapoints [0.5 (01/01/25 00:09:00), 1.0 (01/01/25 00:08:00)] were not greater than the threshold (5.0).",
        ),
        (
            None,
            6,
            missing,
            "6 6 6 7 8 9",
            "6 datapoints were greater than the threshold (5.0). The most recent datapoints which crossed the threshold: \
             [9.0 (01/01/25 00:09:00), 8.0 (01/01/25 00:08:00), 7.0 (01/01/25 00:07:00), 6.0 (01/01/25 00:06:00), \
             6.0 (01/01/25 00:05:00)].",
        ),
        (
            Some(5),
            5,
            missing,
            "6 6 6 6 6",
            "5 out of the last 5 datapoints were greater than the threshold (5.0). The most recent datapoints which \
             crossed the threshold: [6.0 (01/01/25 00:09:00), 6.0 (01/01/25 00:08:00), 6.0 (01/01/25 00:07:00), \
             6.0 (01/01/25 00:06:00), 6.0 (01/01/25 00:05:00)] (minimum 5 datapoints for OK -> ALARM transition).",
        ),
        (
            None,
            2,
            bad,
            "- -",
            "no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].",
        ),
        (
            Some(1),
            1,
            good,
            "-",
            "no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].",
        ),
        (
            None,
            3,
            bad,
            "X",
            "1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching].",
        ),
    ] {
        let outcome = evaluate(&rule(needed, periods, treatment), &data(text), NOW).expect(text);
        assert_eq!(outcome.reason, crossed(expected), "{text}");
    }
    let unknown = |periods| evaluate(&rule(None, periods, missing), &[], NOW).map(|outcome| outcome.reason);
    assert_eq!(unknown(1).as_deref(), Some("Insufficient Data: 1 datapoint was unknown."));
    assert_eq!(unknown(3).as_deref(), Some("Insufficient Data: 3 datapoints were unknown."));
}

#[test]
fn reason_data_is_written_as_cloudwatch_does() {
    let missing = MissingData::Missing;
    for (rule, text, expected) in [
        (
            Rule { unit: Some(Unit::Milliseconds), ..rule(Some(2), 2, missing) },
            "7 6.5",
            r#""startDate":"2025-01-01T00:08:00.000+0000","unit":"Milliseconds","statistic":"Average","period":60,"recentDatapoints":[7.0,6.5],"threshold":5.0,"evaluatedDatapoints":[{"timestamp":"2025-01-01T00:09:00.000+0000","sampleCount":2.0,"value":6.5},{"timestamp":"2025-01-01T00:08:00.000+0000","sampleCount":2.0,"value":7.0}]}"#,
        ),
        (
            Rule { stat: Some(Stat::Sum), ..rule(None, 2, missing) },
            "1 0",
            r#""startDate":"2025-01-01T00:08:00.000+0000","statistic":"Sum","period":60,"recentDatapoints":[1.0,1.0],"threshold":5.0,"evaluatedDatapoints":[{"timestamp":"2025-01-01T00:09:00.000+0000","sampleCount":2.0,"value":1.0}]}"#,
        ),
        (
            rule(None, 2, missing),
            "- -",
            r#""statistic":"Average","period":60,"recentDatapoints":[],"threshold":5.0,"evaluatedDatapoints":[{"timestamp":"2025-01-01T00:09:00.000+0000"},{"timestamp":"2025-01-01T00:08:00.000+0000"}]}"#,
        ),
        (
            rule(None, 3, MissingData::Breaching),
            "X - -",
            r#""startDate":"2025-01-01T00:07:00.000+0000","statistic":"Average","period":60,"recentDatapoints":[9.0],"threshold":5.0,"evaluatedDatapoints":[{"timestamp":"2025-01-01T00:09:00.000+0000"},{"timestamp":"2025-01-01T00:08:00.000+0000"},{"timestamp":"2025-01-01T00:07:00.000+0000","sampleCount":2.0,"value":9.0}]}"#,
        ),
    ] {
        let outcome = evaluate(&rule, &data(text), NOW).expect(text);
        let start = r#"{"version":"1.0","queryDate":"2025-01-01T00:10:37.000+0000","#;
        assert_eq!(outcome.reason_data.strip_prefix(start), Some(expected), "{text}");
    }
}

/// A rule on a band from 1 to 8, and points that have it.
fn banded(outside: Outside, needed: Option<u32>, periods: u32, text: &str) -> Outcome {
    let threshold = Threshold::Band(outside);
    let rule = Rule { stat: None, threshold, ..rule(needed, periods, MissingData::Missing) };
    let points: Vec<Point> = data(text)
        .into_iter()
        .map(|point| Point { sample_count: None, band: Some(Band { lower: 1.0, upper: 8.0 }), ..point })
        .collect();
    evaluate(&rule, &points, NOW).expect(text)
}

#[test]
fn each_side_of_a_band_breaches_as_it_says() {
    for (outside, below, above) in [
        (Outside::LowerOrUpper, "ALARM", "ALARM"),
        (Outside::Lower, "ALARM", "OK"),
        (Outside::Upper, "OK", "ALARM"),
    ] {
        let states = ["0.5", "1", "8", "8.5"].map(|text| banded(outside, None, 1, text).state.as_str());
        assert_eq!(states, [below, "OK", "OK", above], "{outside}");
    }
    let rule =
        Rule { threshold: Threshold::Band(Outside::LowerOrUpper), ..rule(None, 1, MissingData::Missing) };
    assert_eq!(evaluate(&rule, &data("X"), NOW).expect("a state").state, State::Ok, "no band, no breach");
}

/// The forms are those of published notifications.
#[test]
fn reasons_of_bands_are_worded_as_cloudwatch_does() {
    let (both, lower, upper) = (Outside::LowerOrUpper, Outside::Lower, Outside::Upper);
    for (outside, needed, periods, text, expected) in [
        (
            both,
            Some(1),
            1,
            "0.5",
            "1 out of the last 1 datapoints [0.5 (01/01/25 00:09:00)] was less than the lower thresholds [1.0] or greater \
             than the upper thresholds [8.0] (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            both,
            Some(2),
            2,
            "0.5 9",
            "2 out of the last 2 datapoints [9.0 (01/01/25 00:09:00), 0.5 (01/01/25 00:08:00)] were less than the lower \
             thresholds [1.0, 1.0] or greater than the upper thresholds [8.0, 8.0] (minimum 2 datapoints for OK -> ALARM \
             transition).",
        ),
        (
            both,
            Some(1),
            1,
            "2",
            "1 out of the last 1 datapoints [2.0 (01/01/25 00:09:00)] was not less than the lower thresholds [1.0] or not \
             greater than the upper thresholds [8.0] (minimum 1 datapoint for ALARM -> OK transition).",
        ),
        (
            upper,
            Some(1),
            1,
            "9",
            "1 out of the last 1 datapoints [9.0 (01/01/25 00:09:00)] was greater than the upper thresholds [8.0] \
             (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            lower,
            None,
            1,
            "0.5",
            "1 datapoint [0.5 (01/01/25 00:09:00)] was less than the lower thresholds [1.0].",
        ),
        (
            both,
            Some(5),
            6,
            "9 9 9 9 9 2",
            "5 out of the last 6 datapoints were less than the lower thresholds or greater than the upper thresholds. \
             Recent datapoints [9.0 (01/01/25 00:08:00), 9.0 (01/01/25 00:07:00), 9.0 (01/01/25 00:06:00), 9.0 (01/01/25 \
             00:05:00), 9.0 (01/01/25 00:04:00)] crossed the lower thresholds [1.0, 1.0, 1.0, 1.0, 1.0] or upper \
             thresholds [8.0, 8.0, 8.0, 8.0, 8.0] (minimum 5 datapoints for OK -> ALARM transition).",
        ),
    ] {
        let reason = banded(outside, needed, periods, text).reason;
        assert_eq!(reason, format!("Thresholds Crossed: {expected}"), "{text}");
    }
    let data = |outside| banded(outside, Some(1), 1, "9").reason_data;
    let end = r#""evaluatedDatapoints":[{"timestamp":"2025-01-01T00:09:00.000+0000","value":9.0}]}"#;
    let start = r#""startDate":"2025-01-01T00:09:00.000+0000","period":60,"recentDatapoints":[9.0],"#;
    let thresholds = r#""recentLowerThresholds":[1.0],"recentUpperThresholds":[8.0],"#;
    assert!(data(both).ends_with(&format!("{start}{thresholds}{end}")), "{}", data(both));
    assert!(data(upper).contains(r#""recentDatapoints":[9.0],"recentUpperThresholds":[8.0],"evaluated"#));
    assert!(data(upper).ends_with(r#""value":9.0,"threshold":8.0}]}"#));
}

#[test]
fn windows_end_with_a_whole_minute_or_a_short_period() {
    for (period_s, periods, start, end) in
        [(60, 3, 300, 37), (300, 1, 900, 37), (10, 2, 40, 7), (30, 1, 90, 7)]
    {
        let window = Window::at(&Rule { period_s, ..rule(None, periods, MissingData::Missing) }, NOW);
        assert_eq!(
            (window.end_ms - window.start_ms, NOW - window.end_ms),
            (start * 1000, end * 1000),
            "{period_s}"
        );
    }
}

proptest! {
    #[test]
    fn any_rule_and_data_have_an_answer(
        needed in proptest::option::of(0u32..9),
        periods in 0u32..9,
        treatment in 0usize..4,
        slots in proptest::collection::vec(prop_oneof![Just("X"), Just("0"), Just("-")], 1..15),
    ) {
        let rule = rule(needed, periods, TREATMENTS[treatment]);
        let points = data(&slots.join(" "));
        match evaluate(&rule, &points, NOW) {
            None => prop_assert_eq!(rule.missing_data, MissingData::Ignore),
            Some(outcome) => {
                let parsed = serde_json::from_str::<serde_json::Value>(&outcome.reason_data);
                prop_assert!(parsed.is_ok(), "{}", outcome.reason_data);
                prop_assert!(outcome.reason.ends_with('.'));
                if outcome.state == State::InsufficientData {
                    prop_assert_eq!(rule.missing_data, MissingData::Missing);
                }
            }
        }
    }
}
