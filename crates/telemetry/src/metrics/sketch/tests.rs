use proptest::prelude::*;

use super::*;

fn sketch(values: &[f64]) -> Sketch {
    let mut sketch = Sketch::default();
    values.iter().for_each(|&value| sketch.add(value, 1.0));
    sketch
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        Just(0.0),
        (-30.0f64..30.0).prop_map(f64::exp2),
        (-340.0f64..340.0).prop_map(f64::exp2),
        (-30.0f64..30.0).prop_map(|e| -e.exp2()),
        (0u32..1000).prop_map(f64::from),
    ];
    proptest::collection::vec(value, 1..200)
}

proptest! {
    #[test]
    fn every_percentile_is_within_one_percent(values in values(), percent in 0.1f64..100.0) {
        let found = sketch(&values).percentile(percent).expect("not empty");
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        let rank = (percent / 100.0 * sorted.len() as f64 * (1.0 - 1e-12)).ceil().max(1.0) as usize;
        let exact = sorted[rank - 1];
        prop_assert!((found - exact).abs() <= 0.01 * exact.abs(), "p{percent}: {found}, exact {exact}");
    }

    #[test]
    fn a_merge_is_the_sketch_of_the_union(a in values(), b in values()) {
        let mut merged = sketch(&a);
        merged.merge(&sketch(&b));
        let union: Vec<f64> = a.into_iter().chain(b).collect();
        prop_assert_eq!(&merged, &sketch(&union));
        prop_assert_eq!(merged.weight(), union.len() as f64);
    }

    #[test]
    fn a_stored_sketch_comes_back(values in values(), weight in prop_oneof![Just(1.0), 0.1f64..1e17]) {
        let mut written = sketch(&values);
        written.add(7.0, weight);
        let mut bytes = Vec::new();
        written.encode(&mut bytes);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(Sketch::decode(&mut reader), Some(written));
        prop_assert!(reader.rest().is_empty());
    }

    #[test]
    fn garbage_is_no_panic(bytes: Vec<u8>) {
        let _ = Sketch::decode(&mut Reader::new(&bytes));
    }
}
