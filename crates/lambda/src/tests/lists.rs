use super::*;

fn names(answer: &Json, list: &str) -> Vec<String> {
    let items = answer[list].as_array().expect("a list").iter();
    items.map(|item| format!("{}:{}", text(&item["FunctionName"]), text(&item["Version"]))).collect()
}

#[tokio::test]
async fn functions_are_listed_by_name() {
    let bed = Bed::new().await;
    for name in ["g", "f", "a"] {
        bed.create(name).await;
    }
    for content in ["1", "2"] {
        bed.publish(content).await;
    }
    let all = bed.ok("ListFunctions", json!({})).await;
    assert_eq!(names(&all, "Functions"), ["a:$LATEST", "f:$LATEST", "g:$LATEST"]);
    let entry = &all["Functions"][1];
    assert_eq!(entry["FunctionArn"], ARN);
    assert_eq!((entry.get("State"), entry.get("LastUpdateStatus")), (None, None));
    let versions = bed.ok("ListFunctions", json!({"FunctionVersion": "ALL"})).await;
    assert_eq!(names(&versions, "Functions"), ["a:$LATEST", "f:$LATEST", "f:1", "f:2", "g:$LATEST"]);
    assert_eq!(versions["Functions"][2]["FunctionArn"], format!("{ARN}:1"));
    let mut marker = Json::Null;
    let mut seen = Vec::new();
    loop {
        let asked = with(json!({"FunctionVersion": "ALL", "MaxItems": 2}), json!({"Marker": marker}));
        let page = bed.ok("ListFunctions", asked).await;
        seen.extend(names(&page, "Functions"));
        marker = page["NextMarker"].clone();
        if marker.is_null() {
            break;
        }
    }
    assert_eq!(seen, names(&versions, "Functions"));
}

#[tokio::test]
async fn other_accounts_and_regions_are_not_listed() {
    let mut bed = Bed::new().await;
    bed.create("f").await;
    bed.caller.scope.region = pitbird_names::Region::parse("eu-west-1").expect("a region");
    assert_eq!(names(&bed.ok("ListFunctions", json!({})).await, "Functions"), Vec::<String>::new());
}

#[tokio::test]
async fn versions_are_listed_by_number() {
    let bed = Bed::new().await;
    bed.create("f").await;
    for number in 1..=11 {
        assert_eq!(bed.publish(&number.to_string()).await, number.to_string());
    }
    let listed = bed.ok("ListVersionsByFunction", json!({"FunctionName": "f"})).await;
    let numbers = (1..=11).map(|number| format!("f:{number}"));
    let expected: Vec<String> = std::iter::once("f:$LATEST".to_owned()).chain(numbers).collect();
    assert_eq!(names(&listed, "Versions"), expected);
    assert_eq!(listed["Versions"][0]["FunctionArn"], format!("{ARN}:$LATEST"));
    assert_eq!(listed["Versions"][1].get("State"), None);
    let page = bed.ok("ListVersionsByFunction", json!({"FunctionName": "f", "MaxItems": 3})).await;
    let rest = json!({"FunctionName": "f", "Marker": page["NextMarker"]});
    assert_eq!(names(&bed.ok("ListVersionsByFunction", rest).await, "Versions"), expected[3..]);
    let bad = json!({"FunctionName": "f", "Marker": "!"});
    assert_eq!(bed.refused("ListVersionsByFunction", bad).await.status, 400);
    assert_eq!(bed.refused("ListVersionsByFunction", json!({"FunctionName": "g"})).await.status, 404);
}
