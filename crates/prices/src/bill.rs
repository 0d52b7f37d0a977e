use std::collections::BTreeMap;

use pitbird_names::Month;

use crate::list::Price;
use crate::{Dollars, PriceList, Quantity};

/// 10^-18 dollars in a thousand-millionth of a dollar.
const PER_NANO: u128 = 1_000_000_000;

/// What a month's usage costs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bill {
    /// In the order of [`Quantity::ALL`], each once.
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub quantity: Quantity,
    /// All that was used, as it is counted.
    pub amount: u64,
    /// What of it is free.
    pub free: u64,
    /// `None` when the list has no price for it.
    pub cost: Option<Dollars>,
}

impl Bill {
    pub fn total(&self) -> Dollars {
        self.lines.iter().filter_map(|line| line.cost).sum()
    }

    pub fn line(&self, quantity: Quantity) -> Option<&Line> {
        self.lines.iter().find(|line| line.quantity == quantity)
    }
}

impl PriceList {
    /// What all that was used in a month costs; the amounts of a quantity are added up. Tiers and what is free hold for a month.
    pub fn bill(
        &self,
        month: Month,
        amounts: impl IntoIterator<Item = (Quantity, u64)>,
        with_free_tier: bool,
    ) -> Bill {
        let mut sums: BTreeMap<Quantity, u64> = BTreeMap::new();
        for (quantity, amount) in amounts {
            let sum = sums.entry(quantity).or_default();
            *sum = sum.saturating_add(amount);
        }
        let mut free = if with_free_tier { self.free_of(month, &sums) } else { BTreeMap::new() };
        let lines = sums.into_iter().map(|(quantity, amount)| {
            let free = free.remove(&quantity).unwrap_or_default();
            let price = self.prices.get(&quantity);
            let cost = price.map(|price| cost(quantity, month, amount - free, price));
            Line { quantity, amount, free, cost }
        });
        Bill { lines: lines.collect() }
    }

    fn free_of(&self, month: Month, amounts: &BTreeMap<Quantity, u64>) -> BTreeMap<Quantity, u64> {
        let mut all = BTreeMap::new();
        for free in &self.free {
            // In units, as a fraction of the largest size there is among the amounts: they all have the same.
            let mut left = None;
            for quantity in &free.quantities {
                let (parts, units) = quantity.per_unit(month);
                let left = left.get_or_insert(u128::from(free.units) * parts / units);
                let amount = amounts.get(quantity).copied().unwrap_or_default();
                let taken = u64::try_from(*left).unwrap_or(u64::MAX).min(amount);
                *left -= u128::from(taken);
                all.insert(*quantity, taken);
            }
        }
        all
    }
}

/// An amount's cost: exact over all tiers, then rounded once.
fn cost(quantity: Quantity, month: Month, amount: u64, price: &Price) -> Dollars {
    let (parts, units) = quantity.per_unit(month);
    // What is paid for, in hundredths of the amount's parts; so are the ends of tiers.
    let percent = u128::from(price.billed_percent);
    let amount = u128::from(amount) * percent * units;
    let mut sum: u128 = 0;
    let mut start = 0;
    for tier in &price.tiers {
        let end = tier.up_to.map_or(u128::MAX, |up_to| u128::from(up_to) * parts * 100);
        let within = amount.min(end).saturating_sub(start);
        sum = sum.saturating_add(within.saturating_mul(tier.price));
        start = end;
    }
    let divisor = parts * 100 * PER_NANO;
    Dollars::from_nano(sum / divisor + u128::from(sum % divisor >= divisor.div_ceil(2)))
}

/// Divides a cost among those who have used it, in proportion to their amounts. The parts add up to the cost, and each is right but
/// for the last digit: what is left over by rounding down goes to those with the largest remainders.
pub fn shares(cost: Dollars, amounts: &[u64]) -> Vec<Dollars> {
    let all: u128 = amounts.iter().map(|amount| u128::from(*amount)).sum();
    if all == 0 {
        return vec![Dollars::default(); amounts.len()];
    }
    // Beyond what a u128 holds, whole parts first: nobody can tell the difference there.
    let scale = |amount: u64| {
        let amount = u128::from(amount);
        match cost.nano().checked_mul(amount) {
            Some(product) => (product / all, product % all),
            None => (cost.nano() / all * amount, 0),
        }
    };
    let scaled: Vec<(u128, u128)> = amounts.iter().map(|amount| scale(*amount)).collect();
    let given: u128 = scaled.iter().map(|(whole, _)| whole).sum();
    let mut by_remainder: Vec<usize> = (0..amounts.len()).collect();
    by_remainder.sort_by(|one, other| scaled[*other].1.cmp(&scaled[*one].1));
    let mut parts: Vec<u128> = scaled.iter().map(|(whole, _)| *whole).collect();
    let left = cost.nano() - given;
    for at in by_remainder.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        parts[*at] += 1;
    }
    parts.into_iter().map(Dollars::from_nano).collect()
}
