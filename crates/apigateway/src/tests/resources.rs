use super::*;

#[tokio::test]
async fn a_tree_grows_moves_and_falls() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let create = |parent: String, part: &'static str| {
        let input = json!({"restApiId": api, "parentId": parent, "pathPart": part});
        async { bed.ok("CreateResource", input).await }
    };
    let pets = create(root.clone(), "pets").await;
    let pets_id = text(&pets["id"]);
    assert_eq!(pets, json!({"id": pets_id, "parentId": root, "pathPart": "pets", "path": "/pets"}));
    assert_eq!(pets_id.len(), 6);
    let pet = create(pets_id.clone(), "{id}").await;
    let deep = create(text(&pet["id"]), "{rest+}").await;
    assert_eq!(deep["path"], "/pets/{id}/{rest+}");
    bed.mock_method(&api, &text(&pet["id"]), "ANY").await;
    let paths = |list: &Json| -> Vec<String> {
        list["item"].as_array().expect("a list").iter().map(|resource| text(&resource["path"])).collect()
    };
    let list = bed.ok("GetResources", json!({"restApiId": api})).await;
    assert_eq!(paths(&list), ["/", "/pets", "/pets/{id}", "/pets/{id}/{rest+}"]);
    assert_eq!(list["item"][0], json!({"id": root, "path": "/", "resourceMethods": {"GET": {}}}));
    let operations = json!([patch("replace", "/pathPart", "dogs")]);
    let input = json!({"restApiId": api, "resourceId": pets_id, "patchOperations": operations});
    assert_eq!(bed.ok("UpdateResource", input).await["path"], "/dogs");
    let list = bed.ok("GetResources", json!({"restApiId": api})).await;
    assert_eq!(paths(&list), ["/", "/dogs", "/dogs/{id}", "/dogs/{id}/{rest+}"]);
    let gone =
        bed.told("DeleteResource", json!({"restApiId": api, "resourceId": pets_id})).await.expect("deleted");
    assert_eq!(gone.0, 202);
    assert_eq!(paths(&bed.ok("GetResources", json!({"restApiId": api})).await), ["/"]);
    let child = json!({"restApiId": api, "resourceId": deep["id"]});
    let refused = bed.run("DeleteResource", child).await.expect_err("gone with its parent");
    assert_eq!(refused, missing("Invalid Resource identifier specified"));
}

#[tokio::test]
async fn methods_are_embedded_on_demand() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let input = json!({"restApiId": api, "resourceId": root, "embed": ["methods"]});
    let one = bed.ok("GetResource", input).await;
    let method = &one["resourceMethods"]["GET"];
    assert_eq!(method["methodIntegration"]["type"], "MOCK");
    assert_eq!(*method, bed.ok("GetMethod", at(&api, &root, "GET")).await);
    let all = bed.ok("GetResources", json!({"restApiId": api, "embed": ["methods"]})).await;
    assert_eq!(all["item"], json!([one]));
    let plain = bed.ok("GetResource", json!({"restApiId": api, "resourceId": root})).await;
    assert_eq!(plain["resourceMethods"], json!({"GET": {}}));
}

#[tokio::test]
async fn what_breaks_the_tree_is_refused() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let greedy = json!({"restApiId": api, "parentId": root, "pathPart": "{proxy+}"});
    let greedy = text(&bed.ok("CreateResource", greedy).await["id"]);
    bed.ok("CreateResource", json!({"restApiId": api, "parentId": root, "pathPart": "pets"})).await;
    let part = "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the \
                beginning and the end.";
    for (api, parent, path_part, refused) in [
        ("nowhere", &*root, "a", missing("Invalid API identifier specified 000000000000:nowhere")),
        (&*api, "nobody", "a", missing("Invalid Resource identifier specified")),
        (&api, &root, "pets", conflict("Another resource with the same parent already has this name: pets")),
        (
            &api,
            &root,
            "{other}",
            bad(
                "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed",
            ),
        ),
        (
            &api,
            &greedy,
            "a",
            bad("Cannot create a child of a resource with a greedy path variable: {proxy+}"),
        ),
        (&api, &root, "a/b", bad(part)),
        (&api, &root, "", bad(part)),
    ] {
        let input = json!({"restApiId": api, "parentId": parent, "pathPart": path_part});
        assert_eq!(bed.run("CreateResource", input).await.expect_err(path_part), refused);
    }
    let delete = bed.run("DeleteResource", json!({"restApiId": api, "resourceId": root})).await;
    assert_eq!(delete.expect_err("the root"), bad("Root resource cannot be deleted."));
    let unsupported_op =
        "Invalid patch path  '/pathPart' specified for op 'add'. Please choose supported operations";
    let input =
        json!({"restApiId": api, "resourceId": greedy, "patchOperations": [patch("add", "/pathPart", "x")]});
    assert_eq!(bed.run("UpdateResource", input).await.expect_err("add"), bad(unsupported_op));
}

#[tokio::test]
async fn an_api_has_so_many_resources_and_no_more() {
    let bed = Bed::new();
    let (api, root) = bed.mock_api().await;
    let create = |n: usize| {
        let input = json!({"restApiId": api, "parentId": root, "pathPart": format!("r{n}")});
        bed.run("CreateResource", input)
    };
    for n in 1..crate::resource::RESOURCES_MAX {
        create(n).await.expect("within the limit");
    }
    let refused = create(0).await.expect_err("one too many");
    assert_eq!((refused.status, refused.code.as_str()), (429, "LimitExceededException"));
}
