use super::*;

fn body(markdown: &str) -> String {
    json!({"widgets": [{"type": "text", "properties": {"markdown": markdown}}]}).to_string()
}

async fn put(bed: &Bed, name: &str, body: &str) -> Json {
    bed.ok("PutDashboard", json!({"DashboardName": name, "DashboardBody": body})).await
}

#[tokio::test]
async fn dashboards_are_put_read_listed_and_deleted() {
    let bed = Bed::new();
    assert_eq!(put(&bed, "b_1", &body("one")).await, json!({"DashboardValidationMessages": []}));
    put(&bed, "b_1", &body("two")).await;
    put(&bed, "b-2", &body("é")).await;
    put(&bed, "a", "{}").await;
    let arn = "arn:aws:cloudwatch::000000000000:dashboard/b_1";
    assert_eq!(
        bed.ok("GetDashboard", json!({"DashboardName": "b_1"})).await,
        json!({"DashboardArn": arn, "DashboardBody": body("two"), "DashboardName": "b_1"})
    );
    let listed = bed.ok("ListDashboards", json!({"DashboardNamePrefix": "b"})).await;
    assert_eq!(column(&listed["DashboardEntries"], "DashboardName"), ["b-2", "b_1"]);
    assert_eq!(listed["DashboardEntries"][0]["Size"], body("é").len());
    assert_eq!(listed["DashboardEntries"][1]["LastModified"], bed.at(1));
    let gone = refusal(404, "ResourceNotFound", "Dashboard no does not exist");
    assert_eq!(bed.refused("DeleteDashboards", json!({"DashboardNames": ["a", "no"]})).await, gone);
    assert_eq!(bed.refused("GetDashboard", json!({"DashboardName": "no"})).await, gone);
    let bed = bed.reopened();
    bed.ok("DeleteDashboards", json!({"DashboardNames": ["b_1", "a", "a"]})).await;
    let rest = bed.ok("ListDashboards", json!({})).await;
    assert_eq!(column(&rest["DashboardEntries"], "DashboardName"), ["b-2"]);
}

#[tokio::test]
async fn dashboards_are_global_and_each_accounts_own() {
    let mut bed = Bed::new();
    put(&bed, "a", "{}").await;
    bed.caller.scope.region = pitbird_names::Region::parse("eu-west-1").expect("a region");
    assert_eq!(bed.ok("GetDashboard", json!({"DashboardName": "a"})).await["DashboardBody"], "{}");
    bed.caller.scope.account = pitbird_names::Account::parse("111111111111").expect("an account");
    assert_eq!(bed.refused("GetDashboard", json!({"DashboardName": "a"})).await.status, 404);
    assert_eq!(bed.ok("ListDashboards", json!({})).await["DashboardEntries"], json!([]));
}

#[tokio::test]
async fn what_is_no_dashboard_is_refused() {
    let bed = Bed::new();
    let invalid = |message: &str| refusal(400, "InvalidParameterInput", message);
    let words = "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, \
                 dash (-) and underscore (_).\n";
    let long = "a".repeat(256);
    for name in ["", "a b", "a/b", "é", &long] {
        let input = json!({"DashboardName": name, "DashboardBody": "{}"});
        assert_eq!(bed.refused("PutDashboard", input).await, invalid(words), "{name}");
    }
    put(&bed, &long[1..], "{}").await;
    let refused = bed.refused("PutDashboard", json!({"DashboardName": "a", "DashboardBody": "x"})).await;
    assert_eq!(refused, invalid("The field DashboardBody must be a valid JSON object"));
    let input = json!({"DashboardName": "a", "DashboardBody": "{\"widgets\": 1}"});
    let words = "The dashboard body is invalid, there are 1 validation errors:\n[\n  {\n    \"dataPath\": \"/widgets\",\n    \
                 \"message\": \"Should be array\"\n  }\n]";
    assert_eq!(bed.refused("PutDashboard", input).await, invalid(words));
    assert_eq!(
        bed.refused("ListDashboards", json!({"NextToken": "!"})).await,
        value("The value ! for parameter NextToken is invalid.")
    );
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    assert_eq!(
        bed.refused("DeleteDashboards", json!({"DashboardNames": many})).await,
        value("The collection DashboardNames must not have a size greater than 100.")
    );
    assert_eq!(
        bed.refused("DeleteDashboards", json!({"DashboardNames": []})).await,
        missing("The parameter DashboardNames is required.")
    );
}

#[tokio::test]
async fn dashboards_come_in_pages_of_a_thousand() {
    let bed = Bed::new();
    let account = bed.caller.scope.account.clone();
    let fill = move |tx: &mut pitbird_store::Transaction<'_>| {
        for n in 0..1001 {
            tx.put(&pitbird_records::Dashboard {
                account: account.clone(),
                name: format!("d{n:04}"),
                body: "{}".to_owned(),
                modified_ms: 0,
                tags: Default::default(),
            })?;
        }
        Ok::<_, pitbird_store::Error>(())
    };
    bed.state.store.write(fill).await.expect("written");
    let first = bed.ok("ListDashboards", json!({})).await;
    assert_eq!(first["DashboardEntries"].as_array().expect("entries").len(), 1000);
    let rest = bed.ok("ListDashboards", json!({"NextToken": first["NextToken"]})).await;
    assert_eq!(column(&rest["DashboardEntries"], "DashboardName"), ["d1000"]);
    assert_eq!(rest.get("NextToken"), None);
}

#[tokio::test]
async fn a_dashboard_keeps_the_tags_that_it_was_made_with() {
    let bed = Bed::new();
    let with_tag = |value: &str| json!({"DashboardName": "a", "DashboardBody": "{}", "Tags": [{"Key": "k", "Value": value}]});
    bed.ok("PutDashboard", with_tag("1")).await;
    bed.ok("PutDashboard", with_tag("2")).await;
    let arn = "arn:aws:cloudwatch::000000000000:dashboard/a";
    let tags = async || bed.ok("ListTagsForResource", json!({"ResourceARN": arn})).await["Tags"].clone();
    assert_eq!(tags().await, json!([{"Key": "k", "Value": "1"}]));
    bed.ok("TagResource", json!({"ResourceARN": arn, "Tags": [{"Key": "l", "Value": ""}]})).await;
    bed.ok("UntagResource", json!({"ResourceARN": arn, "TagKeys": ["k"]})).await;
    assert_eq!(tags().await, json!([{"Key": "l", "Value": ""}]));
    let other = "arn:aws:cloudwatch::000000000000:dashboard/b";
    assert_eq!(bed.refused("ListTagsForResource", json!({"ResourceARN": other})).await.status, 404);
}
