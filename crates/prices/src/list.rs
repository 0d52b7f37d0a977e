use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;
use thiserror::Error;

use crate::Quantity;

/// Digits after the point that a price may have.
const DIGITS: usize = 18;
/// A price may be this many dollars for a unit at most.
const DOLLARS_MAX: u128 = 1000;
/// Bytes of a price list.
const BYTES_MAX: usize = 1 << 20;

/// Why a price list is none.
#[derive(Debug, Error)]
pub enum Error {
    #[error("it has more than {BYTES_MAX} bytes")]
    TooLong,
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    #[error("nothing that is counted is called {0:?}")]
    UnknownQuantity(String),
    #[error(
        "{quantity}: {price:?} is no price: a decimal number up to {DOLLARS_MAX} in quotes, with {DIGITS} digits after the point at most"
    )]
    Price { quantity: &'static str, price: String },
    #[error("{0}: up_to has to rise from tier to tier, and the last tier has none")]
    Tiers(&'static str),
    #[error("{0}: billed_percent is 1 to 100")]
    Percent(&'static str),
    #[error("{0} is in two free amounts")]
    FreeTwice(&'static str),
}

/// Prices of units, at a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceList {
    /// The date as of which the prices hold, as in `2026-11-28`.
    pub as_of: String,
    pub region: String,
    pub currency: String,
    pub(crate) prices: BTreeMap<Quantity, Price>,
    pub(crate) free: Vec<Free>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Price {
    /// Of an amount only this part is paid for.
    pub billed_percent: u32,
    pub tiers: Vec<Tier>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tier {
    /// Units that have been used in all when the tier ends; the last never does.
    pub up_to: Option<u64>,
    /// Of a unit, in 10^-18 dollars.
    pub price: u128,
}

/// Units that are free, for these quantities together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Free {
    pub quantities: Vec<Quantity>,
    pub units: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    as_of: String,
    region: String,
    currency: String,
    prices: BTreeMap<String, PriceOfFile>,
    #[serde(default)]
    free: Vec<FreeOfFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceOfFile {
    billed_percent: Option<u32>,
    tiers: Vec<TierOfFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TierOfFile {
    up_to: Option<u64>,
    price: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FreeOfFile {
    quantities: Vec<String>,
    units: u64,
}

impl PriceList {
    /// The list that comes with the program: us-east-1.
    pub fn embedded() -> &'static PriceList {
        static LIST: LazyLock<PriceList> =
            LazyLock::new(|| PriceList::parse(PriceList::EMBEDDED).expect("a test reads the embedded list"));
        &LIST
    }

    /// Its text, to be edited.
    pub const EMBEDDED: &'static str = include_str!("../us-east-1.toml");

    /// Reads a list. What it has no price for costs nothing and is told so by [`Line::cost`](crate::Line::cost).
    ///
    /// # Errors
    /// When it is no TOML, names something that isn't counted, has members that nobody knows, or prices and tiers that are none.
    pub fn parse(text: &str) -> Result<PriceList, Error> {
        if text.len() > BYTES_MAX {
            return Err(Error::TooLong);
        }
        let File { as_of, region, currency, prices, free } = toml::from_str(text)?;
        let prices: BTreeMap<Quantity, Price> = prices
            .into_iter()
            .map(|(name, price)| {
                let quantity = quantity(&name)?;
                Ok((quantity, price_of(quantity.as_str(), price)?))
            })
            .collect::<Result<_, Error>>()?;
        let mut named = HashSet::new();
        let mut all_free = Vec::new();
        for FreeOfFile { quantities, units } in free {
            let quantities: Vec<Quantity> =
                quantities.iter().map(|name| quantity(name)).collect::<Result<_, _>>()?;
            if let Some(twice) = quantities.iter().find(|quantity| !named.insert(**quantity)) {
                return Err(Error::FreeTwice(twice.as_str()));
            }
            all_free.push(Free { quantities, units });
        }
        Ok(PriceList { as_of, region, currency, prices, free: all_free })
    }
}

fn quantity(name: &str) -> Result<Quantity, Error> {
    Quantity::parse(name).ok_or_else(|| Error::UnknownQuantity(name.to_owned()))
}

fn price_of(quantity: &'static str, price: PriceOfFile) -> Result<Price, Error> {
    let billed_percent = price.billed_percent.unwrap_or(100);
    if !(1..=100).contains(&billed_percent) {
        return Err(Error::Percent(quantity));
    }
    let count = price.tiers.len();
    let mut before = 0;
    let mut tiers = Vec::with_capacity(count);
    for (at, TierOfFile { up_to, price }) in price.tiers.into_iter().enumerate() {
        let is_last = at + 1 == count;
        if up_to.is_none() != is_last || up_to.is_some_and(|up_to| up_to <= before) {
            return Err(Error::Tiers(quantity));
        }
        before = up_to.unwrap_or(before);
        let price = decimal(&price).ok_or(Error::Price { quantity, price })?;
        tiers.push(Tier { up_to, price });
    }
    if tiers.is_empty() { Err(Error::Tiers(quantity)) } else { Ok(Price { billed_percent, tiers }) }
}

/// `0.0000035` in 10^-18.
fn decimal(text: &str) -> Option<u128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) || whole.len() > 4 || part.len() > DIGITS {
        return None;
    }
    let value: u128 = format!("{whole}{part:0<DIGITS$}").parse().ok()?;
    (value <= DOLLARS_MAX * 10u128.pow(DIGITS as u32)).then_some(value)
}
