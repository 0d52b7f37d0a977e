//! What usage would cost on AWS: amounts of a month in, dollars out.
//!
//! A [`Quantity`] is what is counted, in whole numbers of its smallest part; its unit is what prices are per. A [`PriceList`] is a
//! TOML file, of which one is embedded. Everything is integers: an amount times a price is exact and is rounded once, to a
//! thousand-millionth of a dollar ([`Dollars`]).
//!
//! No usage is kept or looked up here, and no file is read.
//!
//! Start at [`PriceList::embedded`] and [`PriceList::bill`].

mod bill;
mod dollars;
mod list;
mod quantity;

pub use bill::{Bill, Line, shares};
pub use dollars::Dollars;
pub use list::{Error, PriceList};
pub use quantity::Quantity;

#[cfg(test)]
mod tests;
