use super::*;

#[tokio::test]
async fn a_reservation_is_made_told_and_given_back() {
    let bed = Bed::new().await;
    bed.create("f").await;
    let named = json!({"FunctionName": "f"});
    assert_eq!(bed.ok("GetFunctionConcurrency", named.clone()).await, json!({}));
    let reserve = |count: u32| with(named.clone(), json!({"ReservedConcurrentExecutions": count}));
    for count in [900, 0, 5] {
        let told = json!({"ReservedConcurrentExecutions": count});
        assert_eq!(bed.ok("PutFunctionConcurrency", reserve(count)).await, told);
        assert_eq!(bed.ok("GetFunctionConcurrency", named.clone()).await, told);
        assert_eq!(bed.ok("GetFunction", named.clone()).await["Concurrency"], told);
    }
    let deleted = bed.told("DeleteFunctionConcurrency", named.clone()).await.expect("given back");
    assert_eq!(deleted, (204, Json::Null));
    assert_eq!(bed.ok("GetFunctionConcurrency", named).await, json!({}));
}

#[tokio::test]
async fn others_keep_a_hundred() {
    let bed = Bed::new().await;
    bed.create("f").await;
    bed.create("g").await;
    let reserve =
        |name: &str, count: u32| json!({"FunctionName": name, "ReservedConcurrentExecutions": count});
    let too_much = invalid(
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below \
         its minimum value of [100].",
    );
    assert_eq!(bed.refused("PutFunctionConcurrency", reserve("f", 901)).await, too_much);
    bed.ok("PutFunctionConcurrency", reserve("f", 600)).await;
    assert_eq!(bed.refused("PutFunctionConcurrency", reserve("g", 301)).await, too_much);
    bed.ok("PutFunctionConcurrency", reserve("g", 300)).await;
    bed.ok("PutFunctionConcurrency", reserve("f", 599)).await;
    let whole = "This operation is permitted on Lambda functions only. Aliases and versions do not support this \
                 operation. Please specify either a function name or an unqualified function ARN.";
    assert_eq!(bed.refused("PutFunctionConcurrency", reserve("f:1", 1)).await, invalid(whole));
    assert_eq!(
        bed.ok("GetAccountSettings", json!({})).await,
        json!({
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800_u64,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": 1000,
                "UnreservedConcurrentExecutions": 101,
            },
            "AccountUsage": {"TotalCodeSize": 6, "FunctionCount": 2},
        })
    );
}
