use super::*;

/// All pages of a list, by one member of its items.
async fn walk(bed: &Bed, operation: &str, input: Json, member: &str) -> (Vec<String>, usize) {
    let (mut seen, mut pages, mut position) = (Vec::new(), 0, Json::Null);
    loop {
        let page = bed.ok(operation, with(&input, json!({"position": position}))).await;
        pages += 1;
        seen.extend(page["item"].as_array().expect("items").iter().map(|item| text(&item[member])));
        match page.get("position") {
            Some(next) => position = next.clone(),
            None => return (seen, pages),
        }
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    for n in 0..29 {
        bed.ok("CreateResource", json!({"restApiId": api, "parentId": root, "pathPart": format!("r{n:02}")}))
            .await;
    }
    for (more, pages) in
        [(json!({}), 2), (json!({"limit": 10}), 3), (json!({"limit": 500}), 1), (json!({"limit": 30}), 1)]
    {
        let (paths, seen) = walk(&bed, "GetResources", with(&json!({"restApiId": api}), more), "path").await;
        assert_eq!((paths.len(), seen), (30, pages));
        assert!(paths.is_sorted());
    }
    for _ in 0..4 {
        bed.deploy(&api, json!({})).await;
        bed.mock_api().await;
    }
    assert_eq!(walk(&bed, "GetRestApis", json!({"limit": 2}), "id").await.1, 3);
    let (ids, pages) = walk(&bed, "GetDeployments", json!({"restApiId": api, "limit": 3}), "id").await;
    assert_eq!((ids.len(), pages), (4, 2));
}

#[tokio::test]
async fn the_latest_deployment_comes_first() {
    let bed = Bed::new();
    let (api, _) = bed.mock_api().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.insert(0, bed.deploy(&api, json!({})).await);
    }
    assert_eq!(walk(&bed, "GetDeployments", json!({"restApiId": api}), "id").await.0, made);
}

#[tokio::test]
async fn what_is_no_page_is_refused() {
    let bed = Bed::new();
    let bad_limit = bed.run("GetRestApis", json!({"limit": 0})).await;
    assert_eq!(bad_limit.expect_err("none"), bad("Limit must be at least 1"));
    let bad_position = bed.run("GetRestApis", json!({"position": "%%"})).await;
    assert_eq!(bad_position.expect_err("garbage"), bad("Invalid position token specified"));
}
