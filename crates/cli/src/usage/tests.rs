use std::path::PathBuf;

use super::*;
use crate::stub::Stub;

fn options() -> UsageOptions {
    UsageOptions { month: None, by: None, prices: None, free_tier: false, print_prices: false }
}

fn item(group: Json, quantity: &str, amount: u64) -> Json {
    json!({"Group": group, "Quantity": quantity, "Amount": amount, "Unit": "requests"})
}

#[tokio::test]
async fn a_month_is_told_with_its_cost() {
    let stub = Stub::start(|_| {
        Ok(json!({"Month": "2026-11", "Items": [
            item(json!({}), "FunctionRequests", 1_500_000),
            item(json!({}), "UnchargedRequests", 2),
            item(json!({}), "BytesOut", 3 << 29),
            item(json!({}), "RestRequests", 1),
        ]}))
    })
    .await;
    let told = run(&stub.client(), &options(), Output::Table).await.unwrap();
    let expected = "\
2026-11 at prices of us-east-1 as of 2025-08-01

Quantity                  Used     Unit           USD
REST API requests               1  request  0.0000035
API requests not charged        2  request          -
API data out                  1.5  GB           0.135
Function requests         1500000  request       0.30
Total                                       0.4350035
";
    let squeezed = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(squeezed(&told), squeezed(expected), "{told}");
    let free = UsageOptions { free_tier: true, ..options() };
    let told = run(&stub.client(), &free, Output::Table).await.unwrap();
    assert!(told.contains("free tier taken off") && told.contains("0.1000035"), "{told}");
    assert!(squeezed(&told).contains(&"Function requests 1500000 request 1000000 0.10".to_owned()), "{told}");
    let told = run(&stub.client(), &options(), Output::Json).await.unwrap();
    let told: Json = serde_json::from_str(&told).unwrap();
    assert_eq!(told["Total"], "0.4350035");
    let uncharged = json!({"Quantity": "UnchargedRequests", "Amount": 2, "CountedIn": "requests", "Units": "2",
        "Unit": "request", "Cost": null});
    assert_eq!(told["Items"][1], uncharged);
    assert!(stub.asked().iter().all(|asked| asked.input == json!({})));
}

#[tokio::test]
async fn groups_come_in_pages_and_their_costs_add_up() {
    let stub = Stub::start(|asked| {
        let group = |version: &str| json!({"FunctionName": "f", "Version": version});
        Ok(match asked.input.get("NextToken") {
            None => json!({"Month": "2026-11", "NextToken": "on", "Items": [
                item(group("2"), "FunctionRequests", 2),
                item(group("1"), "FunctionRequests", 1),
            ]}),
            Some(_) => json!({"Month": "2026-11", "Items": [item(json!({}), "IngestedBytes", 1 << 30)]}),
        })
    })
    .await;
    let prices = tempfile::NamedTempFile::new().unwrap();
    let text = PriceList::EMBEDDED.replace("0.0000002\"", "0.000000001\"");
    std::fs::write(prices.path(), text).unwrap();
    let month = Month::parse("2026-11");
    let by = Some(UsageGroup::Version);
    let options = UsageOptions { month, by, prices: Some(prices.path().to_owned()), ..options() };
    let told = run(&stub.client(), &options, Output::Json).await.unwrap();
    let told: Json = serde_json::from_str(&told).unwrap();
    let costs: Vec<_> = told["Items"].as_array().unwrap().iter().map(|item| item["Cost"].clone()).collect();
    assert_eq!(costs, ["0.50", "0.000000001", "0.000000002"]);
    assert_eq!(told["Items"][2]["Group"], json!({"FunctionName": "f", "Version": "2"}));
    assert_eq!(told["Total"], "0.500000003");
    let inputs: Vec<Json> = stub.asked().into_iter().map(|asked| asked.input).collect();
    let first = json!({"Month": "2026-11", "GroupBy": "Version"});
    assert_eq!(inputs, [first.clone(), json!({"Month": "2026-11", "GroupBy": "Version", "NextToken": "on"})]);
}

#[tokio::test]
async fn prices_that_are_none_are_named() {
    let stub = Stub::start(|_| Ok(json!({"Month": "2026-11", "Items": []}))).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "as_of = 1").unwrap();
    for (path, words) in
        [(PathBuf::from("/none/there"), "can't read"), (file.path().to_owned(), "is no price list")]
    {
        let options = UsageOptions { prices: Some(path), ..options() };
        let failure = run(&stub.client(), &options, Output::Table).await.unwrap_err();
        assert!(failure.code == 2 && failure.what.contains(words), "{failure}");
    }
    assert_eq!(stub.asked(), []);
}
