use super::*;

/// The calls of Terraform's aws_cloudwatch_query_definition: apply, plan, change, destroy.
#[tokio::test]
async fn a_definition_is_put_found_changed_and_deleted() {
    let bed = Bed::new();
    let put = json!({"name": "birds/errors", "queryString": "fields @message", "logGroupNames": ["g"], "clientToken": "x".repeat(36)});
    let id = bed.ok("PutQueryDefinition", put).await["queryDefinitionId"].clone();
    bed.ok("PutQueryDefinition", json!({"name": "other", "queryString": "fields a"})).await;
    let find = json!({"queryDefinitionNamePrefix": "birds", "maxResults": 100});
    let found = bed.ok("DescribeQueryDefinitions", find.clone()).await;
    let one = &found["queryDefinitions"][0];
    assert_eq!(found["queryDefinitions"].as_array().map(Vec::len), Some(1));
    assert_eq!((&one["queryDefinitionId"], &one["name"]), (&id, &json!("birds/errors")));
    assert_eq!((&one["queryString"], &one["logGroupNames"]), (&json!("fields @message"), &json!(["g"])));
    assert!(one["lastModified"].as_i64().is_some_and(|at_ms| at_ms >= bed.start_ms));

    bed.ok(
        "PutQueryDefinition",
        json!({"name": "birds", "queryString": "stats count(*)", "queryDefinitionId": id}),
    )
    .await;
    let found = bed.ok("DescribeQueryDefinitions", find).await;
    assert_eq!(column(&found["queryDefinitions"], "queryString"), ["stats count(*)"]);
    let delete = json!({"queryDefinitionId": id});
    assert_eq!(bed.ok("DeleteQueryDefinition", delete.clone()).await, json!({"success": true}));
    let gone = refusal("ResourceNotFoundException", "The specified query definition does not exist.");
    assert_eq!(bed.refused("DeleteQueryDefinition", delete).await, gone);
    let change = json!({"name": "n", "queryString": "q", "queryDefinitionId": id});
    assert_eq!(bed.refused("PutQueryDefinition", change).await, gone);
}

#[tokio::test]
async fn definitions_come_in_pages() {
    let bed = Bed::new();
    for n in 0..5 {
        bed.ok("PutQueryDefinition", json!({"name": format!("n{n}"), "queryString": "q"})).await;
    }
    let (mut token, mut names) = (None, Vec::new());
    loop {
        let mut input = json!({"maxResults": 2});
        if let Some(token) = token {
            input["nextToken"] = token;
        }
        let page = bed.ok("DescribeQueryDefinitions", input).await;
        names.extend(column(&page["queryDefinitions"], "name"));
        match page.get("nextToken") {
            Some(next) => token = Some(next.clone()),
            None => break,
        }
    }
    names.sort_unstable();
    assert_eq!(names, ["n0", "n1", "n2", "n3", "n4"]);
}

#[tokio::test]
async fn an_account_has_a_thousand_definitions_at_most() {
    let bed = Bed::new();
    let fill = |tx: &mut pitbird_store::Transaction<'_>| {
        for n in 0..1000 {
            let (scope, name) = (Scope::default(), "n".to_owned());
            let definition = pitbird_records::QueryDefinition {
                scope,
                id: n.to_string(),
                name,
                query: "q".to_owned(),
                groups: Vec::new(),
                modified_ms: 0,
            };
            tx.put(&definition)?;
        }
        Ok::<_, crate::Error>(())
    };
    bed.state.store.write(fill).await.expect("room");
    let refused = bed.refused("PutQueryDefinition", json!({"name": "n", "queryString": "q"})).await;
    assert_eq!(refused, refusal("LimitExceededException", "An account has at most 1000 query definitions."));
    bed.ok("PutQueryDefinition", json!({"name": "m", "queryString": "q", "queryDefinitionId": "7"})).await;
    for (member, value) in [("parameters", json!([{"name": "a"}])), ("queryLanguage", json!("PPL"))] {
        let mut input = json!({"name": "n", "queryString": "q"});
        input[member] = value;
        let refused = bed.refused("PutQueryDefinition", input).await;
        assert!(
            refused.message.contains(member) && refused.message.contains("is not supported"),
            "{refused:?}"
        );
    }
}
