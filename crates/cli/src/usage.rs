//! What was used in a month, and what that would cost on AWS.

use std::collections::BTreeMap;

use pitbird_names::Month;
use pitbird_prices::{Bill, Dollars, PriceList, Quantity, shares};
use serde_json::{Value as Json, json};

use crate::arguments::{Output, UsageGroup, UsageOptions};
use crate::client::Client;
use crate::failure::Failure;
use crate::prices::{PricesError, read_prices};
use crate::{print, table};

/// What somebody may do whose prices are none.
const PRINT_PRICES: &str = "pitbird usage --print-prices prints one to begin with";

/// Pages at most; a thousand items each.
const PAGES_MAX: usize = 1000;

/// What a group has used of something.
#[derive(Debug, Clone, PartialEq)]
struct Item {
    /// Values of the group's names, in the order of [`UsageGroup::names`]; empty where they don't apply.
    group: Vec<String>,
    quantity: Quantity,
    amount: u64,
    cost: Option<Dollars>,
}

/// All that is told.
struct Told<'a> {
    month: Month,
    by: Option<UsageGroup>,
    prices: &'a PriceList,
    with_free_tier: bool,
    bill: Bill,
    items: Vec<Item>,
}

/// Does the command and gives its data.
pub async fn run(client: &Client, options: &UsageOptions, output: Output) -> Result<String, Failure> {
    let own = options.prices.as_deref().map(own_prices).transpose()?;
    let prices = own.as_ref().unwrap_or_else(|| PriceList::embedded());
    let (month, mut items) = fetch(client, options).await?;
    let with_free_tier = options.free_tier;
    let bill = prices.bill(month, items.iter().map(|item| (item.quantity, item.amount)), with_free_tier);
    share_out(&bill, &mut items);
    items.sort_by(|one, other| (&one.group, one.quantity).cmp(&(&other.group, other.quantity)));
    let told = Told { month, by: options.by, prices, with_free_tier, bill, items };
    Ok(match output {
        Output::Table => told.table(),
        _ => print::rendered(&told.document(), output),
    })
}

fn own_prices(path: &std::path::Path) -> Result<PriceList, Failure> {
    read_prices(path).map_err(|error| {
        let failure = Failure::usage(error.to_string());
        match error {
            PricesError::Unreadable { .. } => failure,
            PricesError::NoList { .. } => failure.hint(PRINT_PRICES),
        }
    })
}

async fn fetch(client: &Client, options: &UsageOptions) -> Result<(Month, Vec<Item>), Failure> {
    let mut input = json!({});
    if let Some(month) = options.month {
        input["Month"] = json!(month.to_string());
    }
    if let Some(by) = options.by {
        input["GroupBy"] = json!(by.as_str());
    }
    let names = options.by.map_or(&[][..], UsageGroup::names);
    let mut items = Vec::new();
    for _ in 0..PAGES_MAX {
        let mut page = client.call("usage", "GetUsage", &input).await?;
        let month = page["Month"].as_str().and_then(Month::parse);
        let month = month.ok_or_else(|| Failure::new("the server's answer names no month"))?;
        // The pages that follow are of the same month, also when it ends meanwhile.
        input["Month"] = json!(month.to_string());
        items.extend(
            page["Items"].as_array().into_iter().flatten().filter_map(|item| Item::read(item, names)),
        );
        match page["NextToken"].take() {
            Json::Null => return Ok((month, items)),
            token => input["NextToken"] = token,
        }
    }
    Err(Failure::new(format!("usage has more than {PAGES_MAX} pages")))
}

/// Gives each item its part of what all of its quantity costs: tiers and what is free hold for the account, not for its parts.
fn share_out(bill: &Bill, items: &mut [Item]) {
    let mut of_quantity: BTreeMap<Quantity, Vec<usize>> = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        of_quantity.entry(item.quantity).or_default().push(at);
    }
    for (quantity, places) in of_quantity {
        let Some(cost) = bill.line(quantity).and_then(|line| line.cost) else { continue };
        let amounts: Vec<u64> = places.iter().map(|at| items[*at].amount).collect();
        for (at, part) in places.into_iter().zip(shares(cost, &amounts)) {
            items[at].cost = Some(part);
        }
    }
}

impl Item {
    /// `None` for what a newer server counts.
    fn read(item: &Json, names: &[&str]) -> Option<Item> {
        let quantity = Quantity::parse(item["Quantity"].as_str()?)?;
        let value = |name: &&str| item["Group"][*name].as_str().unwrap_or_default().to_owned();
        Some(Item {
            group: names.iter().map(value).collect(),
            quantity,
            amount: item["Amount"].as_u64()?,
            cost: None,
        })
    }
}

impl UsageGroup {
    /// As GetUsage has it.
    fn as_str(self) -> &'static str {
        match self {
            UsageGroup::Api => "Api",
            UsageGroup::Stage => "Stage",
            UsageGroup::Canary => "Track",
            UsageGroup::Function => "Function",
            UsageGroup::Version => "Version",
            UsageGroup::LogGroup => "LogGroup",
            UsageGroup::Namespace => "Namespace",
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            UsageGroup::Api => &["Api"],
            UsageGroup::Stage => &["Api", "Stage"],
            UsageGroup::Canary => &["Api", "Stage", "Track"],
            UsageGroup::Function => &["FunctionName"],
            UsageGroup::Version => &["FunctionName", "Version"],
            UsageGroup::LogGroup => &["LogGroup"],
            UsageGroup::Namespace => &["Namespace"],
        }
    }
}

impl Told<'_> {
    fn names(&self) -> &'static [&'static str] {
        self.by.map_or(&[][..], UsageGroup::names)
    }

    fn table(&self) -> String {
        let names = self.names();
        let shows_free = self.with_free_tier && self.by.is_none();
        let mut head: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        head.extend(["Quantity", "Used", "Unit"].map(str::to_owned));
        head.extend(shows_free.then(|| "Free".to_owned()));
        head.push(self.prices.currency.clone());
        let mut rows = vec![head];
        for item in &self.items {
            let mut row: Vec<String> = item.group.iter().map(|value| shown(value)).collect();
            let Item { quantity, amount, .. } = item;
            row.push(quantity.label().to_owned());
            row.push(quantity.in_units(*amount, self.month));
            row.push(quantity.unit().to_owned());
            if shows_free {
                let free = self.bill.line(*quantity).map_or(0, |line| line.free);
                row.push(quantity.in_units(free, self.month));
            }
            row.push(item.cost.map_or_else(|| "-".to_owned(), |cost| cost.to_string()));
            rows.push(row);
        }
        let mut total = vec!["Total".to_owned()];
        total.resize(rows[0].len() - 1, String::new());
        total.push(self.bill.total().to_string());
        rows.push(total);
        let PriceList { as_of, region, .. } = self.prices;
        let free = if self.with_free_tier { ", free tier taken off" } else { "" };
        format!("{} at prices of {region} as of {as_of}{free}\n\n{}", self.month, table::columns(&rows))
    }

    fn document(&self) -> Json {
        let names = self.names();
        let item = |item: &Item| {
            let Item { group, quantity, amount, cost } = item;
            let mut told = json!({
                "Quantity": quantity.as_str(),
                "Amount": amount,
                "CountedIn": quantity.counted_in(),
                "Units": quantity.in_units(*amount, self.month),
                "Unit": quantity.unit(),
                "Cost": cost.map(|cost| cost.to_string()),
            });
            if self.by.is_some() {
                let named = names.iter().zip(group).filter(|(_, value)| !value.is_empty());
                told["Group"] = named.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            } else if self.with_free_tier {
                let free = self.bill.line(*quantity).map_or(0, |line| line.free);
                told["FreeUnits"] = json!(quantity.in_units(free, self.month));
            }
            told
        };
        json!({
            "Month": self.month.to_string(),
            "Prices": {"AsOf": self.prices.as_of, "Region": self.prices.region, "Currency": self.prices.currency},
            "FreeTier": self.with_free_tier,
            "Items": self.items.iter().map(item).collect::<Vec<_>>(),
            "Total": self.bill.total().to_string(),
        })
    }
}

/// A name as a cell: one line, without anything that a terminal would obey; a dash where it doesn't apply.
fn shown(value: &str) -> String {
    if value.is_empty() { "-".to_owned() } else { value.replace(char::is_control, " ") }
}

#[cfg(test)]
mod tests;
