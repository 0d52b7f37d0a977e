use pitbird_names::Month;
use proptest::prelude::*;

use crate::{Dollars, Error, PriceList, Quantity, shares};

fn november() -> Month {
    Month::parse("2026-11").expect("a month")
}

fn cost(quantity: Quantity, amount: u64) -> String {
    let bill = PriceList::embedded().bill(november(), [(quantity, amount)], false);
    bill.total().to_string()
}

#[test]
fn everything_that_costs_has_a_price() {
    let list = PriceList::embedded();
    let missing: Vec<_> =
        Quantity::ALL.iter().filter(|quantity| !list.prices.contains_key(quantity)).collect();
    assert_eq!(missing, [&Quantity::UnchargedRequests]);
    for quantity in Quantity::ALL {
        assert_eq!(Quantity::parse(quantity.as_str()), Some(*quantity));
    }
}

#[test]
fn amounts_cost_what_the_list_says() {
    use Quantity::*;
    // Three million invocations of 120 ms at 1536 MB: the example of AWS's page, without what is free: 540,000 GB-s.
    for (quantity, amount, expected) in [
        (FunctionRequests, 3_000_000, "0.60"),
        (DurationX86, 3_000_000 * 120 * 1536, "9.000018"),
        (DurationArm, 1_024_000, "0.000013333"),
        (DurationX86, 1, "0.00"),
        (DurationX86, 1024, "0.000000017"),
        (ProvisionedDurationX86, 1_024_000 * 1000, "0.0097222"),
        // A hundred of 1 GB for two hours.
        (ProvisionedConcurrencyX86, 100 * 1024 * 120, "3.000024"),
        (RestRequests, 1, "0.0000035"),
        (RestRequests, 333_000_000, "1165.50"),
        (RestRequests, 1_000_000_000, "3033.10"),
        (RestRequests, 1_000_000_001, "3033.10000238"),
        (HttpRequests, 300_000_001, "300.0000009"),
        (BytesOut, 1 << 30, "0.09"),
        (BytesOut, 10_241 << 30, "921.685"),
        (IngestedBytes, 3 << 29, "0.75"),
        (StoredByteMinutes, (1 << 30) * 30 * 1440, "0.0045"),
        (MetricHours, 10_000 * 720, "3000.00"),
        (MetricHours, 10_001 * 720, "3000.10"),
        (MetricHours, 1, "0.000416667"),
        (StandardAlarmMinutes, 30 * 1440, "0.10"),
        (HighResolutionAlarmMinutes, 15 * 1440, "0.15"),
        (CompositeAlarmMinutes, 1, "0.000011574"),
        (UnchargedRequests, 1_000_000, "0.00"),
    ] {
        assert_eq!(cost(quantity, amount), expected, "{amount} of {quantity:?}");
    }
}

#[test]
fn what_is_free_is_shared_and_taken_off_before_tiers() {
    use Quantity::*;
    let gb_s = 1_024_000;
    let amounts =
        [(DurationX86, 300_000 * gb_s), (DurationArm, 200_000 * gb_s), (FunctionRequests, 1_000_001)];
    let bill = PriceList::embedded().bill(november(), amounts, true);
    let free = |quantity| bill.line(quantity).map(|line| line.free);
    assert_eq!(free(DurationX86), Some(300_000 * gb_s));
    assert_eq!(free(DurationArm), Some(100_000 * gb_s));
    assert_eq!(free(FunctionRequests), Some(1_000_000));
    assert_eq!(bill.total().to_string(), "1.3333402");
    let without = PriceList::embedded().bill(november(), amounts, false);
    assert!(without.lines.iter().all(|line| line.free == 0) && without.total() > bill.total());
}

#[test]
fn months_have_their_own_lengths() {
    let february = Month::parse("2027-02").expect("a month");
    let amount = (Quantity::StandardAlarmMinutes, 28 * 1440);
    assert_eq!(PriceList::embedded().bill(february, [amount], false).total().to_string(), "0.10");
    assert_eq!(Quantity::MetricHours.in_units(720, november()), "1");
    assert_eq!(Quantity::BytesOut.in_units(3 << 29, november()), "1.5");
    assert_eq!(Quantity::DurationX86.in_units(1, november()), "0.000000977");
    assert_eq!(Quantity::ProvisionedConcurrencyArm.in_units(512, november()), "30");
}

#[test]
fn a_list_that_is_none_says_why() {
    let list = |prices: &str| format!("as_of = \"x\"\nregion = \"y\"\ncurrency = \"z\"\n{prices}");
    let of = |tiers: &str| list(&format!("[prices.BytesOut]\ntiers = {tiers}"));
    for (text, words) in [
        (list(""), "missing field `prices`"),
        (list("[prices.Bytes]\ntiers = [{price = \"1\"}]"), "\"Bytes\""),
        (of("[]"), "BytesOut: up_to"),
        (of("[{price = \"1\"}, {price = \"1\"}]"), "BytesOut: up_to"),
        (of("[{up_to = 1, price = \"1\"}]"), "BytesOut: up_to"),
        (of("[{up_to = 2, price = \"1\"}, {up_to = 2, price = \"1\"}, {price = \"1\"}]"), "BytesOut: up_to"),
        (of("[{price = 1}]"), "string"),
        (of("[{price = \"-1\"}]"), "is no price"),
        (of("[{price = \"1e3\"}]"), "is no price"),
        (of("[{price = \"\"}]"), "is no price"),
        (of("[{price = \"0.0000000000000000001\"}]"), "is no price"),
        (of("[{price = \"1000.1\"}]"), "is no price"),
        (of("[{price = \"1\"}]\nbilled_percent = 0"), "1 to 100"),
        (of("[{price = \"1\"}]\nmore = 0"), "unknown field"),
        (of("[{price = \"1\"}]\n[[free]]\nunits = 1\nquantities = [\"BytesOut\", \"BytesOut\"]"), "two free"),
        ("#".repeat((1 << 20) + 1), "more than"),
    ] {
        let error = PriceList::parse(&text).expect_err(words).to_string();
        assert!(error.contains(words), "{error}, not {words}");
    }
    assert!(
        PriceList::parse(&of("[{up_to = 1, price = \"1000\"}, {price = \"0.000000000000000001\"}]")).is_ok()
    );
    assert!(matches!(PriceList::parse("{"), Err(Error::Toml(_))));
}

fn quantities() -> impl Strategy<Value = Quantity> {
    prop::sample::select(Quantity::ALL.to_vec())
}

proptest! {
    /// Against a sum unit by unit: the price of each step is that of the tier in which it lies.
    #[test]
    fn tiers_cost_what_their_units_cost(
        prices in prop::collection::vec(0u64..1_000_000, 1..5),
        widths in prop::collection::vec(1u64..20, 4),
        amount in 0u64..100,
    ) {
        let mut ends: Vec<u64> = Vec::new();
        widths.iter().for_each(|width| ends.push(ends.last().unwrap_or(&0) + width));
        let last = prices.len() - 1;
        let tier = |at: usize| match at == last {
            true => format!("{{price = \"0.{:09}\"}}", prices[at]),
            false => format!("{{up_to = {}, price = \"0.{:09}\"}}", ends[at], prices[at]),
        };
        let tiers: Vec<String> = (0..prices.len()).map(tier).collect();
        let text = format!("as_of = \"\"\nregion = \"\"\ncurrency = \"\"\n[prices.RestRequests]\ntiers = [{}]", tiers.join(","));
        let list = PriceList::parse(&text).expect("a list");
        let expected: u64 = (0..amount)
            .map(|unit| prices[ends[..last].iter().position(|end| unit < *end).unwrap_or(last)])
            .sum();
        let bill = list.bill(november(), [(Quantity::RestRequests, amount)], false);
        prop_assert_eq!(bill.total(), Dollars::from_nano(expected.into()));
    }

    #[test]
    fn more_never_costs_less_and_nothing_overflows(quantity in quantities(), one: u64, other: u64, free: bool) {
        let list = PriceList::embedded();
        let cost = |amount| list.bill(november(), [(quantity, amount)], free).total();
        prop_assert!(cost(one.min(other)) <= cost(one.max(other)));
        prop_assert!(cost(u64::MAX) >= cost(one));
        prop_assert!(list.bill(november(), [(quantity, one)], true).total() <= list.bill(november(), [(quantity, one)], false).total());
    }

    #[test]
    fn shares_add_up_and_are_in_proportion(nano: u64, amounts in prop::collection::vec(0u64..1 << 40, 1..40)) {
        let cost = Dollars::from_nano(nano.into());
        let parts = shares(cost, &amounts);
        let all: u128 = amounts.iter().map(|amount| u128::from(*amount)).sum();
        prop_assert_eq!(parts.iter().copied().sum::<Dollars>(), if all == 0 { Dollars::default() } else { cost });
        for (part, amount) in parts.iter().zip(&amounts) {
            let exact = u128::from(nano) * u128::from(*amount);
            prop_assert!((part.nano() * all).abs_diff(exact) <= all);
        }
    }

    #[test]
    fn text_is_no_panic(text: String) {
        let _ = PriceList::parse(&text);
    }
}
