use pitbird_names::Month;
use pitbird_prices::{PriceList, Quantity};
use pitbird_records::rollout::CanaryUse;
use serde::Serialize;

/// MiB and milliseconds of a GB-second.
const MIB_MS: f64 = 1_024_000.0;

/// What the canary has used during the rollout, and what that would cost on AWS: at the server's prices, in the first tier,
/// nothing free.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CanaryUsage {
    requests: u64,
    requests_not_charged: u64,
    bytes_out: u64,
    function_requests: u64,
    gigabyte_seconds: f64,
    provisioned_gigabyte_seconds: f64,
    /// A decimal number, exact to nine digits after the point.
    estimated_cost: String,
    currency: String,
    prices_as_of: String,
}

impl CanaryUsage {
    pub fn new(used: CanaryUse, started_ms: u64, prices: &PriceList) -> CanaryUsage {
        let amounts = [
            (Quantity::RestRequests, used.requests),
            (Quantity::BytesOut, used.bytes_out),
            (Quantity::FunctionRequests, used.function_requests),
            (Quantity::host_duration(false), used.mib_ms),
            (Quantity::host_duration(true), used.provisioned_mib_ms),
        ];
        let month = Month::of(i64::try_from(started_ms).unwrap_or(i64::MAX));
        CanaryUsage {
            requests: used.requests,
            requests_not_charged: used.requests_uncharged,
            bytes_out: used.bytes_out,
            function_requests: used.function_requests,
            gigabyte_seconds: used.mib_ms as f64 / MIB_MS,
            provisioned_gigabyte_seconds: used.provisioned_mib_ms as f64 / MIB_MS,
            estimated_cost: prices.bill(month, amounts, false).total().to_string(),
            currency: prices.currency.clone(),
            prices_as_of: prices.as_of.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_follows_the_prices_that_are_given() {
        let used = CanaryUse { requests: 1000, ..CanaryUse::default() };
        let own = "as_of = \"2030-01-02\"\nregion = \"mine\"\ncurrency = \"EUR\"\n[prices.RestRequests]\ntiers = [{ price = \"0.5\" }]";
        let own = PriceList::parse(own).expect("a list");
        for (prices, cost, currency, as_of) in
            [(&own, "500.00", "EUR", "2030-01-02"), (PriceList::embedded(), "0.0035", "USD", "2025-08-01")]
        {
            let told = CanaryUsage::new(used, 0, prices);
            let told = (told.estimated_cost.as_str(), told.currency.as_str(), told.prices_as_of.as_str());
            assert_eq!(told, (cost, currency, as_of));
        }
    }
}
